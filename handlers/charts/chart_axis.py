"""What all charts share: round numbers on an axis, how wide a text is, and the frame with its title in words.

Lengths are in units of the viewBox, of which a chart is ``WIDTH`` wide: about a pixel on a phone, and a little more on
a desk. A chart has no colours or fonts of its own: it names classes, and the page gives them.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from html import escape
from typing import NamedTuple

WIDTH = 420
LINE = 15
"""The height of a line of text."""
COLUMN = 7
"""A generous width of a narrow character: which font a reader has is not known. A Chinese one takes two columns."""
WIDE_CHARACTER = 0x2E80
BETWEEN = 10
"""The least room between two labels of an axis."""
TICKS_MAX = 5


class Caption(NamedTuple):
    """The words of a chart: ``key`` is unique in the page; ``nothing`` is shown where there is nothing to draw."""

    key: str
    title: str
    description: str
    nothing: str


class Measure(NamedTuple):
    """In what a chart counts. Values have ``places`` decimal places in it: fen have 2 in yuan, 6 in 10,000 yuan."""

    name: str
    places: int

    def text(self, value: int, places: int | None = None) -> str:
        return f"{Decimal(value).scaleb(-self.places):,.{self.places if places is None else places}f}"


class Scale(NamedTuple):
    """An axis from ``low`` to ``high``, both multiples of ``step``, drawn from ``start`` to ``end``."""

    low: int
    high: int
    step: int
    start: float
    end: float

    def place(self, value: int) -> float:
        return self.start + (value - self.low) * (self.end - self.start) / (self.high - self.low)

    def ticks(self, measure: Measure) -> list[tuple[float, str]]:
        """Where the axis has a line, and its label, with as many decimal places as the step needs."""
        places = max(0, measure.places - (len(str(self.step)) - 1))
        return [(self.place(value), measure.text(value, places)) for value in range(self.low, self.high + 1, self.step)]


def scale(values: Iterable[int], start: float, end: float, ticks_max: int = TICKS_MAX) -> Scale:
    """An axis for ``values`` and zero, in at most ``ticks_max`` steps of 1, 2 or 5 times a power of ten.

    Where the values lie on both sides of zero, there may be one step more: both ends are whole steps.
    """
    known = [0, *values]
    low, high = min(known), max(known)
    step, factor = 1, 0
    while (high - low) > step * ticks_max:
        factor += 1
        step = (1, 2, 5)[factor % 3] * 10 ** (factor // 3)
    return Scale(low // step * step, max(-(-high // step) * step, step if low == 0 else 0), step, start, end)


def scale_across(values: list[int], measure: Measure, start: float, end: float) -> Scale:
    """A horizontal axis with as many steps as leave room between its labels."""
    for ticks_max in range(TICKS_MAX, 1, -1):
        tried = scale(values, start, end, ticks_max)
        ticks = tried.ticks(measure)
        if max(width_of(text) for _, text in ticks) + BETWEEN <= ticks[1][0] - ticks[0][0]:
            return tried
    return scale(values, start, end, 1)


def width_of(text: str) -> int:
    return COLUMN * sum(2 if ord(character) >= WIDE_CHARACTER else 1 for character in text)


def lines_of(text: str, room: int) -> list[str]:
    """The text in lines that fit the room, broken at spaces, and within a word only if it is too long for a line."""
    lines = [""]
    for word in text.replace(" ", " \n").split("\n"):
        if lines[-1] and width_of((lines[-1] + word).rstrip()) > room:
            lines.append("")
        for character in word:
            if width_of((lines[-1] + character).rstrip()) > room:
                lines.append("")
            lines[-1] += character
    return [line.strip() for line in lines]


def written(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def box(corner: tuple[float, float], size: tuple[float, float], colour: str, told: str = "") -> str:
    """A bar; ``told`` is what a pointer on it is told."""
    (x, y), (width, height) = corner, size
    title = f"<title>{escape(told)}</title>" if told else ""
    return f'<rect class="{colour}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}">{title}</rect>'


def framed(caption: Caption, height: float, parts: list[str]) -> str:
    """The drawing with its title and description for who cannot see it; a sentence where there is nothing to draw."""
    if not parts:
        height, parts = 2 * LINE, [written(0, LINE, caption.nothing)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'aria-labelledby="{caption.key}-title {caption.key}-desc"><title id="{caption.key}-title">'
        f'{escape(caption.title)}</title><desc id="{caption.key}-desc">{escape(caption.description)}</desc>'
        f"{''.join(parts)}</svg>"
    )
