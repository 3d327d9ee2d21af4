"""Amounts over time, from left to right, as columns side by side or as lines."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from handlers.charts.chart_axis import (
    BETWEEN,
    LINE,
    WIDTH,
    Caption,
    Measure,
    Scale,
    box,
    framed,
    line,
    scale,
    width_of,
    written,
)

TOP = LINE + BETWEEN
"""Above the drawing, where the measure's name stands."""
HEIGHT = 150
"""Of the drawing without its labels."""
COLUMN_MAX = 28
"""A column is no wider, even where there is one day alone."""


class Series(NamedTuple):
    """One value for each moment. Columns below zero are red, whatever the colour."""

    colour: str
    values: Sequence[int]


class _Room(NamedTuple):
    """The axes of a chart: amounts upwards, and for each moment the same width."""

    axis: Scale
    left: float
    pitch: float

    def middle(self, at: int) -> float:
        return self.left + self.pitch * (at + 0.5)


def time_columns(caption: Caption, measure: Measure, moments: Sequence[str], series: Sequence[Series]) -> str:
    """The chart as SVG, with one column of each series for each moment."""
    room = _room(measure, moments, series)
    if room is None:
        return framed(caption, 0, [])
    width = min(COLUMN_MAX, room.pitch * 0.8 / len(series))
    drawn = []
    for number, each in enumerate(series):
        shift = width * (number - len(series) / 2)
        for at, value in enumerate(each.values):
            upper, lower = sorted((room.axis.place(value), room.axis.place(0)))
            if value:
                colour = each.colour if value > 0 else "red"
                told = f"{moments[at]}: {measure.text(value)}"
                drawn.append(box((room.middle(at) + shift, upper), (width, lower - upper), colour, told))
    return _framed(caption, measure, moments, room, drawn)


def time_lines(caption: Caption, measure: Measure, moments: Sequence[str], series: Sequence[Series]) -> str:
    """The chart as SVG, with a line and a dot at each moment for each series; the first of several is dashed."""
    room = _room(measure, moments, series)
    if room is None:
        return framed(caption, 0, [])
    drawn = []
    for number, each in enumerate(series):
        places = [(room.middle(at), room.axis.place(value)) for at, value in enumerate(each.values)]
        dashed = " dashed" if number == 0 and len(series) > 1 else ""
        points = " ".join(f"{x:.1f},{y:.2f}" for x, y in places)
        drawn.append(f'<polyline class="{each.colour}{dashed}" points="{points}"/>')
        drawn += [f'<circle class="{each.colour}" cx="{x:.1f}" cy="{y:.2f}" r="2.5"/>' for x, y in places]
    return _framed(caption, measure, moments, room, drawn)


def _room(measure: Measure, moments: Sequence[str], series: Sequence[Series]) -> _Room | None:
    """None where there is nothing to draw."""
    values = [value for each in series for value in each.values]
    if not any(values):
        return None
    axis = scale(values, TOP + HEIGHT, TOP)
    widest = max(map(width_of, moments))
    left = max(widest / 2, *(width_of(text) + 6 for _, text in axis.ticks(measure)))
    # So much at the right that the newest name, in the middle below its column, ends at the edge.
    beyond = max(0, (len(moments) * widest - (WIDTH - left)) / (2 * len(moments) - 1))
    return _Room(axis, left, (WIDTH - left - beyond) / len(moments))


def _framed(caption: Caption, measure: Measure, moments: Sequence[str], room: _Room, drawn: list[str]) -> str:
    parts = [written(0, LINE - 3, measure.name)]
    for y, text in room.axis.ticks(measure):
        parts += [line(room.left, y, WIDTH, y), written(room.left - 6, y + 4, text, "end")]
    zero, foot = room.axis.place(0), TOP + HEIGHT + LINE + 3
    parts += [*drawn, line(room.left, zero, WIDTH, zero, "zero")]
    return framed(caption, foot + 6, parts + _names(moments, room, foot))


def _names(moments: Sequence[str], room: _Room, foot: float) -> list[str]:
    """As many names below the axis as have room, at equal distances, the newest among them."""
    every = ceil((max(map(width_of, moments)) + BETWEEN) / room.pitch)
    shown = range((len(moments) - 1) % every, len(moments), every)
    return [written(room.middle(at), foot, moments[at], "middle") for at in shown]
