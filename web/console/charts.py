"""Charts as SVG in the page, rendered on the server with Vega-Lite. What colours show is also in words."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from markupsafe import Markup

GREY, BLUE, GREEN, RED = "#8a8a80", "#2b5c8a", "#3f7f4f", "#a8442f"
FONT = "'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', 'Source Han Sans SC', sans-serif"
WIDE_CHARACTER = 0x2E80
"""Characters from here on are as wide as they are high; the renderer has no Chinese font to measure them."""

Spec = dict[str, Any]
DRAWN = find_spec("vl_convert") is not None
"""Whether this installation can draw: that takes the extra `charts`. Pages without it have the tables alone."""


def width_of(text: str) -> int:
    """The width of a text in columns."""
    return sum(2 if ord(character) >= WIDE_CHARACTER else 1 for character in text)


def draw(spec: Spec) -> Markup | None:
    """Renders a chart as SVG; None where nothing can be drawn."""
    return Markup(_svg(json.dumps(spec, ensure_ascii=False, sort_keys=True))) if DRAWN else None


@lru_cache(maxsize=512)
def _svg(spec: str) -> str:
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(spec)
    return svg


def _base(values: list[Spec], width: int, height: int | Spec) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": values},
        "width": width,
        "height": height,
        "background": None,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {"labelFontSize": 12, "gridColor": "#e6e6df", "domainColor": "#999", "tickColor": "#999"},
            "legend": {"disable": True},
        },
    }


def _names(names: list[str], order: list[str] | None = None) -> Spec:
    room = min(260, 7 * max(map(width_of, names), default=0) + 8)
    return {
        "field": "name",
        "type": "nominal",
        "title": None,
        "sort": order,
        "axis": {"labelLimit": 260, "minExtent": room},
    }


def days(rows: list[tuple[str, int, int, int]]) -> Spec:
    """Instructed, paid and recovered by day: ``rows`` are (ISO day, fen, fen, fen); shown in yuan."""
    values = [
        {"day": day, "kind": kind, "value": fen / 100, "order": order}
        for day, *sums in rows
        for order, (kind, fen) in enumerate(zip(("instructed", "paid", "recovered"), sums, strict=True))
    ]
    spec = _base(values, 640, 170)
    colours = {"domain": ["instructed", "paid", "recovered"], "range": [GREY, BLUE, RED]}
    x: Spec = {
        "field": "day",
        "type": "ordinal",
        "title": None,
        "axis": {"labelOverlap": True, "labelAngle": 0, "grid": False},
    }
    return spec | {
        "mark": {"type": "bar"},
        "encoding": {
            "x": x,
            "xOffset": {"field": "kind", "sort": ["instructed", "paid", "recovered"]},
            "y": {"field": "value", "type": "quantitative", "title": None, "axis": {"format": ",.0f", "tickCount": 5}},
            "color": {"field": "kind", "type": "nominal", "scale": colours},
        },
    }


def schemes(rows: list[tuple[str, int, int, int]]) -> Spec:
    """Instructed, paid and recovered by scheme and tier: ``rows`` are (name, fen, fen, fen); shown in yuan."""
    kinds = ("instructed", "paid", "recovered")
    values = [
        {"name": name, "kind": kind, "value": fen / 100}
        for name, *sums in rows
        for kind, fen in zip(kinds, sums, strict=True)
    ]
    spec = _base(values, 380, {"step": 13})
    colours = {"domain": list(kinds), "range": [GREY, BLUE, RED]}
    return spec | {
        "mark": {"type": "bar"},
        "encoding": {
            "y": _names([row[0] for row in rows], [row[0] for row in rows]),
            "yOffset": {"field": "kind", "sort": list(kinds)},
            "x": {"field": "value", "type": "quantitative", "title": None, "axis": {"format": ",.0f", "tickCount": 4}},
            "color": {"field": "kind", "type": "nominal", "scale": colours},
        },
    }


def waterfall(steps: list[tuple[str, int, int, str]], width: int = 420) -> Spec:
    """Steps below each other: (name, from fen, to fen, add or take or sum), labelled with the amount in yuan."""
    values = []
    for order, (name, start, end, kind) in enumerate(steps):
        label = f"{(end - start) / 100:+,.2f}" if kind != "sum" else f"{end / 100:,.2f}"
        low, high = sorted((start, end))
        values.append(
            # Two steps can have the same name; the number keeps their rows apart.
            {"row": f"{order:03}", "text": name, "low": low / 100, "high": high / 100, "kind": kind, "label": label}
        )
    room = min(300, 7 * max((width_of(step[0]) for step in steps), default=0) + 8)
    names = "datum.value == null ? '' : " + json.dumps([step[0] for step in steps], ensure_ascii=False)
    y: Spec = {
        "field": "row",
        "type": "ordinal",
        "title": None,
        "axis": {
            "labelExpr": names + "[toNumber(datum.value)]",
            "labelLimit": 300,
            "minExtent": room,
            "ticks": False,
            "domain": False,
        },
    }
    most: float = max((max(step[1], step[2]) for step in steps), default=0) / 100 or 1
    x: Spec = {
        "field": "low",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, most * 1.25]},
        "axis": {"format": ",.0f", "tickCount": 5},
    }
    colours = {"domain": ["add", "take", "sum"], "range": [GREEN, RED, BLUE]}
    return _base(values, width, {"step": 22}) | {
        "encoding": {"y": y},
        "layer": [
            {
                "mark": {"type": "bar", "height": 13},
                "encoding": {
                    "x": x,
                    "x2": {"field": "high"},
                    "color": {"field": "kind", "type": "nominal", "scale": colours},
                },
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 11},
                "encoding": {
                    "x": {"field": "high", "type": "quantitative"},
                    "text": {"field": "label"},
                },
            },
        ],
    }


def caps(rows: list[tuple[str, int, int]], width: int = 360) -> Spec:
    """How much of each cap is used: (name, used fen, cap fen), shown in yuan."""
    values = [
        {"name": name, "used": used / 100, "cap": cap / 100, "label": f"{used / 100:,.2f} / {cap / 100:,.2f}"}
        for name, used, cap in rows
    ]
    y = _names([row[0] for row in rows], [row[0] for row in rows])
    high = max((row[2] for row in rows), default=1) / 100
    scale = {"domain": [0, high * 1.45]}
    axis = {"format": ",.0f", "tickCount": 4, "labelFlush": False}
    return _base(values, width, {"step": 26}) | {
        "encoding": {"y": y},
        "layer": [
            {
                "mark": {"type": "bar", "height": 15, "color": "#dedfd8"},
                "encoding": {
                    "x": {"field": "cap", "type": "quantitative", "title": None, "scale": scale, "axis": axis}
                },
            },
            {
                "mark": {"type": "bar", "height": 15, "color": BLUE},
                "encoding": {"x": {"field": "used", "type": "quantitative", "title": None}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 11},
                "encoding": {"x": {"field": "cap", "type": "quantitative"}, "text": {"field": "label"}},
            },
        ],
    }


def balances(rows: list[tuple[str, int]], width: int = 640) -> Spec:
    """What was there at the end of each month: (month, fen), shown in yuan; what is owed is red and below the line."""
    values = [{"month": month, "value": fen / 100, "owes": fen < 0} for month, fen in rows]
    x: Spec = {
        "field": "month",
        "type": "ordinal",
        "title": None,
        "axis": {"labelOverlap": True, "labelAngle": 0, "grid": False},
    }
    return _base(values, width, 170) | {
        "mark": {"type": "bar"},
        "encoding": {
            "x": x,
            "y": {"field": "value", "type": "quantitative", "title": None, "axis": {"format": ",.0f", "tickCount": 5}},
            "color": {"field": "owes", "type": "nominal", "scale": {"domain": [False, True], "range": [BLUE, RED]}},
        },
    }
