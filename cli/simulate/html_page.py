"""The page of a simulation: one HTML file including its charts, for screen or paper, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from cli.simulate.cost_tables import (
    UNKNOWN,
    MoneyChange,
    Sheet,
    SimulationReport,
    class_name,
    headline,
    sheets,
    text_of,
)
from cli.terminal.language import OutputLanguage, translator
from handlers.charts.bar_rows import Bar, BarRow, bar_rows
from handlers.charts.chart_axis import Caption, Measure
from handlers.charts.time_columns import Series, time_lines
from handlers.offline.what_if import EDGES, Class
from schemas.bilingual import Saying
from schemas.months import format_month

BARS_MAX = 20
"""A chart shows this many villages: those with the largest changes."""
MONTHS_MAX = 60
"""And this many months: the newest."""

Say = Callable[[Saying], str]
Row = tuple[str, int, int]
"""A name, and fen before and after."""


def write(report: SimulationReport, language: OutputLanguage, folder: Path) -> Path:
    """Writes the page and returns its path."""
    say = translator(language, " ")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(
        resources.files("cli.simulate").joinpath("templates/simulation.html").read_text("utf-8")
    )
    page = template.render(
        lang="en" if language is OutputLanguage.EN else "zh-CN",
        title=say(Saying("方案试算", "Policy simulation")),
        note=say(_note(report)),
        headline=[(say(name), number, say(below)) for name, number, below in headline(report)],
        legend=_legend(report, say),
        charts=_charts(report, say),
        tables=[_table(sheet, say) for sheet in sheets(report) if sheet.rows],
    )
    path = folder / "index.html"
    path.write_text(page, "utf-8")
    return path


def _note(report: SimulationReport) -> Saying:
    new = ", ".join(policy.id for policy in report.after.releases)
    if report.before is None:
        return Saying(f"方案:{new}。只是试算,没有支付。", f"Policies: {new}. A trial: nothing was paid.")
    old = ", ".join(policy.id for policy in report.before.releases) or "-"
    return Saying(
        f"原方案:{old}。新方案:{new}。同样的数据各算一遍;只是试算,没有支付。",
        f"Before: {old}. After: {new}. The same facts, decided twice. A trial: nothing was paid.",
    )


def _legend(report: SimulationReport, say: Say) -> list[tuple[str, str]]:
    """The meaning of the colours in the charts; sides, dashes and the tables say the same without them."""
    sides = [("grey", Saying("原方案", "before")), ("blue", Saying("新方案", "after"))]
    changes = [("green", Saying("增", "more")), ("red", Saying("减", "less"))]
    return [(colour, say(name)) for colour, name in (sides + changes if report.compares else [])]


def _table(sheet: Sheet, say: Say) -> dict[str, Any]:
    """A table in the form the template needs: cells are (text, class)."""

    def cell(value: Any) -> tuple[str, str]:
        kind = "number" if isinstance(value, int | float) else "text"
        if isinstance(value, MoneyChange) and value:
            kind += " more" if value > 0 else " less"
        return text_of(value, say), kind

    return {
        "name": sheet.name,
        "title": say(sheet.title),
        "head": [
            (say(name), cell(sheet.rows[0][index])[1].split()[0]) for index, (_, name) in enumerate(sheet.columns)
        ],
        "rows": [[cell(value) for value in row] for row in sheet.rows],
        "total": None if sheet.total is None else [cell(value) for value in sheet.total],
    }


def _charts(report: SimulationReport, say: Say) -> list[tuple[str, str]]:
    """Headings and drawings; none where nothing is paid, before or after."""
    tally = report.tally
    if not tally.total.before and not tally.total.after:
        return []
    known = {key[0]: cost for key, cost in tally.by_month.items()}
    months = [
        (month, known[month].before, known[month].after) if month in known else (month, 0, 0) for month in _last(known)
    ]
    schemes: dict[str, list[int]] = {}
    for (scheme, _), cost in sorted(tally.by_tier.items()):
        sums = schemes.setdefault(scheme, [0, 0])
        sums[0] += cost.before
        sums[1] += cost.after
    areas = [(key[0] or say(UNKNOWN), cost.before, cost.after) for key, cost in tally.by_area.items()]
    areas.sort(key=lambda row: (-abs(row[2] - row[1]), row[0]))
    of_schemes = _caption(say, "schemes", Saying("各保障层", "By scheme"))
    of_months = _caption(say, "months", Saying("各出院月份", "By month of discharge"))
    if report.compares:
        of_areas, draw_areas = _caption(say, "areas", Saying("各村增减", "Change by village")), _changes
        of_persons = _caption(say, "persons", Saying("增减人数分布", "Number of persons by gain or loss"))
    else:
        of_areas, draw_areas = _caption(say, "areas", Saying("各村", "By village")), _side_by_side
        of_persons = _caption(say, "persons", Saying("受助人数分布", "Number of persons by amount"))
    rows = [(name, before, after) for name, (before, after) in schemes.items()]
    return [
        (of_schemes.title, _side_by_side(of_schemes, rows, report, say)),
        (of_months.title, _months(of_months, months, report, say)),
        (of_areas.title, draw_areas(of_areas, areas[:BARS_MAX], report, say)),
        (of_persons.title, _persons(of_persons, report, say)),
    ]


def _last(months: Iterable[str]) -> list[str]:
    """The newest months up to the last of those, also months without a claim, such as ``2024-03``; the oldest first."""
    first, last = min(months), max(months)
    shown = [last]
    while shown[0] > first and len(shown) < MONTHS_MAX:
        shown.insert(0, format_month(date.fromisoformat(f"{shown[0]}-01") - timedelta(days=1)))
    return shown


def _caption(say: Say, key: str, title: Saying) -> Caption:
    return Caption(
        f"chart-{key}",
        say(title),
        say(Saying("数字在下面的表中。", "The figures are in the tables below.")),
        say(Saying("没有可以画出的数字。", "Nothing to draw.")),
    )


def _side_by_side(caption: Caption, rows: list[Row], report: SimulationReport, say: Say) -> str:
    bars = [
        BarRow(name, [Bar(before, "grey"), Bar(after, "blue")] if report.compares else [Bar(after, "blue")])
        for name, before, after in rows
    ]
    return bar_rows(caption, _ten_thousands(say), bars)


def _months(caption: Caption, rows: list[Row], report: SimulationReport, say: Say) -> str:
    before, after = Series("grey", [row[1] for row in rows]), Series("blue", [row[2] for row in rows])
    series = [before, after] if report.compares else [after]
    return time_lines(caption, _ten_thousands(say), [row[0] for row in rows], series)


def _changes(caption: Caption, rows: list[Row], report: SimulationReport, say: Say) -> str:
    changes = [(name, after - before) for name, before, after in rows]
    bars = [BarRow(name, [Bar(change, "green" if change > 0 else "red")]) for name, change in changes]
    return bar_rows(caption, _ten_thousands(say), bars)


def _persons(caption: Caption, report: SimulationReport, say: Say) -> str:
    lowest = -len(EDGES) - 1 if report.compares else 1
    persons = Measure(say(Saying("人", "persons")), 0)
    nothing = Class()
    bars = []
    for number in range(lowest, len(EDGES) + 2):
        count = report.tally.persons_by_change.get(number, nothing).count
        if number:  # the unchanged would dwarf all others; the table has them
            name = class_name(number)
            if not report.compares:
                name = Saying(name.zh[2:], name.en[2:])
            bars.append(BarRow(say(name), [Bar(count, "green" if number > 0 else "red", persons.text(count))]))
    return bar_rows(caption, persons, bars)


def _ten_thousands(say: Say) -> Measure:
    return Measure(say(Saying("万元", "10,000 yuan")), 6)
