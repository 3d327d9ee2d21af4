"""The charts of the pages. What they show is also in a table or in sentences beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from handlers.charts.bar_rows import Bar, BarRow, bar_rows
from handlers.charts.chart_axis import Caption, Measure
from handlers.charts.time_columns import Series, time_columns
from schemas.bilingual import Saying

KINDS = ("grey", "blue", "red")
"""Payments instructed, payments reported as arrived, recoveries instructed; the style sheet has the colours."""
STEPS = {"add": "green", "take": "red", "sum": "blue"}
YUAN = Saying("元", "yuan")
NOTHING = Saying("没有可以画出的金额。", "No amounts to draw.")

Say = Callable[[Saying], str]


def days(say: Say, rows: Sequence[tuple[str, int, int, int]]) -> Markup:
    """Instructed, paid and recovered by day: ``rows`` are (day, fen, fen, fen)."""
    caption = _caption(
        say,
        "days",
        Saying("每天的支付指令、报告已到账和收回指令", "Payments instructed, reported paid, and recoveries by day"),
        Saying("数字在下表。", "The figures are in the table below."),
        Saying("最近 31 天没有支付指令。", "No payouts in the last 31 days."),
    )
    sums = [[instructed for _, instructed, _, _ in rows], [paid for _, _, paid, _ in rows], [back for *_, back in rows]]
    series = [Series(kind, values) for kind, values in zip(KINDS, sums, strict=True)]
    return Markup(time_columns(caption, _yuan(say), [row[0] for row in rows], series))


def schemes(say: Say, rows: Sequence[tuple[str, int, int, int]]) -> Markup:
    """Instructed, paid and recovered by scheme and tier: ``rows`` are (name, fen, fen, fen)."""
    caption = _caption(
        say,
        "schemes",
        Saying(
            "各保障层、档次的支付指令、报告已到账和收回指令",
            "Payments instructed, reported paid, and recoveries by scheme and tier",
        ),
        Saying("数字在下表。", "The figures are in the table below."),
    )
    yuan = _yuan(say)
    bars = [
        BarRow(name, [Bar(fen, kind, yuan.text(fen) if fen else "") for fen, kind in zip(sums, KINDS, strict=True)])
        for name, *sums in rows
    ]
    return Markup(bar_rows(caption, yuan, bars))


def waterfall(say: Say, steps: Sequence[tuple[str, int, int, str]]) -> Markup:
    """Steps below each other: (name, from fen, to fen, add or take or sum), each with what it adds or takes."""
    caption = _caption(
        say,
        "steps",
        Saying("各保障层逐步算出的补助", "Every step of every scheme up to its benefit"),
        Saying("文字和金额在下面。", "Sentences and amounts are below."),
    )
    yuan = _yuan(say)
    rows = [BarRow(name, [Bar(end, STEPS[kind], yuan.text(end - start), start)]) for name, start, end, kind in steps]
    return Markup(bar_rows(caption, yuan, rows))


def caps(say: Say, rows: Sequence[tuple[str, int, int]]) -> Markup:
    """How much of each yearly cap is used: (name, used fen, cap fen)."""
    caption = _caption(
        say,
        "caps",
        Saying("年度上限已用多少", "How much of each yearly cap is used"),
        Saying("数字在下表。", "The figures are in the table below."),
    )
    yuan = _yuan(say)
    bars = [
        BarRow(name, [Bar(cap, "pale", f"{yuan.text(used)} / {yuan.text(cap)}"), Bar(used, "blue")])
        for name, used, cap in rows
    ]
    return Markup(bar_rows(caption, yuan, bars, overlaid=True))


def balances(say: Say, rows: Sequence[tuple[str, int]]) -> Markup:
    """What was there at the end of each month: (month, fen). What is owed is red and below the line."""
    caption = _caption(
        say,
        "balances",
        Saying("每月月末的余额", "The balance at the end of each month"),
        Saying("数字在下表。", "The figures are in the table below."),
    )
    series = Series("blue", [fen for _, fen in rows])
    return Markup(time_columns(caption, _yuan(say), [month for month, _ in rows], [series]))


def _yuan(say: Say) -> Measure:
    return Measure(say(YUAN), 2)


def _caption(say: Say, key: str, title: Saying, description: Saying, nothing: Saying = NOTHING) -> Caption:
    return Caption(f"chart-{key}", say(title), say(description), say(nothing))
