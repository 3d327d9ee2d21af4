"""Bars that lie below each other, each row with its name: amounts by scheme, steps of a sum, parts of a cap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from handlers.charts.chart_axis import (
    BETWEEN,
    LINE,
    WIDTH,
    Caption,
    Measure,
    box,
    framed,
    line,
    lines_of,
    scale_across,
    width_of,
    written,
)

NAMES_MAX = 154
"""Names take no more than this; longer ones go on in another line."""
THICK = 13
APART = 8
BASELINE = 10
"""From the upper edge of a bar to the foot of the text beside it."""


class Bar(NamedTuple):
    """From one value to another; ``label`` stands at its end, away from zero."""

    end: int
    colour: str
    label: str = ""
    start: int = 0


class BarRow(NamedTuple):
    name: str
    bars: Sequence[Bar]


def bar_rows(caption: Caption, measure: Measure, rows: Sequence[BarRow], *, overlaid: bool = False) -> str:
    """The chart as SVG. The bars of a row are below each other, or, if ``overlaid``, each upon the one before."""
    bars = [bar for row in rows for bar in row.bars]
    values = [value for bar in bars for value in (bar.start, bar.end)]
    if not any(values):
        return framed(caption, 0, [])
    names = min(NAMES_MAX, max(width_of(text) for text in [measure.name, *(row.name for row in rows)]))
    before = max([0, *(width_of(bar.label) + 4 for bar in bars if _below(bar))])
    after = max([BETWEEN, *(width_of(bar.label) + 4 for bar in bars if not _below(bar))])
    axis = scale_across(values, measure, names + BETWEEN + before, WIDTH - after)
    drawn: list[str] = []
    y = 0.0
    for row in rows:
        lines = lines_of(row.name, names)
        thick = THICK * (1 if overlaid else len(row.bars))
        height = max(thick, LINE * len(lines))
        first = y + (height - LINE * len(lines)) / 2 + BASELINE + 1
        drawn += [written(names, first + LINE * at, text, "end") for at, text in enumerate(lines)]
        top = y + (height - thick) / 2
        for at, bar in enumerate(row.bars):
            upper = top if overlaid else top + THICK * at
            low, high = sorted((axis.place(bar.start), axis.place(bar.end)))
            if high > low:
                drawn.append(box((low, upper), (high - low, THICK - 1), bar.colour))
            if bar.label:
                left = _below(bar)
                drawn.append(
                    written(low - 4 if left else high + 4, upper + BASELINE, bar.label, "end" if left else "start")
                )
        y += height + APART
    ticks = axis.ticks(measure)
    grid = [line(x, 0, x, y) for x, _ in ticks] + [line(axis.place(0), 0, axis.place(0), y, "zero")]
    foot = [written(x, y + LINE, text, "middle") for x, text in ticks]
    return framed(caption, y + LINE + 6, [*grid, *drawn, *foot, written(names, y + LINE, measure.name, "end")])


def _below(bar: Bar) -> bool:
    return min(bar.start, bar.end) < 0
