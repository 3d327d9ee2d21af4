"""What stands in a chart: its bars and labels, read from the SVG text, with the room that a label takes."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from handlers.charts.chart_axis import width_of

FONT = 12
"""The size of letters, as the style sheets of the pages have it."""
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Box:
    """In units of the viewBox; ``name`` is a bar's class or a label's text."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def drawing(svg: str) -> ET.Element:
    """Raises ParseError if it is not well-formed."""
    return ET.fromstring(svg)


def size(svg: str) -> tuple[float, float]:
    _, _, width, height = map(float, drawing(svg).attrib["viewBox"].split())
    return width, height


def bars_of(svg: str) -> list[Box]:
    found = []
    for each in drawing(svg).iter(f"{SVG}rect"):
        left, top, width, height = (float(each.attrib[name]) for name in ("x", "y", "width", "height"))
        found.append(Box(each.attrib["class"], left, top, left + width, top + height))
    return found


def labels_of(svg: str) -> list[Box]:
    """Every text with the room that it takes: narrow characters count generously."""
    found = []
    for each in drawing(svg).iter(f"{SVG}text"):
        text = each.text or ""
        x, y, width = float(each.attrib["x"]), float(each.attrib["y"]), width_of(text)
        left = x - {"start": 0, "middle": width / 2, "end": width}[each.attrib["text-anchor"]]
        found.append(Box(text, left, y - 0.75 * FONT, left + width, y + 0.25 * FONT))
    return found


def words_of(svg: str) -> list[str]:
    return [each.name for each in labels_of(svg)]
