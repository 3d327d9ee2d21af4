"""The page of a simulation: one HTML file including its charts, for screen or paper, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import vl_convert
from rich.cells import cell_len

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
from handlers.offline.what_if import EDGES, Class
from schemas.bilingual import Saying

GREY, BLUE, GREEN, RED = "#b4b4ac", "#2b5c8a", "#3f7f4f", "#a8442f"
"""Before, after, more, less. Words and sides say the same, for black-and-white print and colour-blind readers."""

FONT = "'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', 'Source Han Sans SC', sans-serif"
BARS_MAX = 20
"""A chart shows this many villages: those with the largest changes."""

Say = Callable[[Saying], str]
Spec = dict[str, Any]


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
        charts=[(say(title), vl_convert.vegalite_to_svg(spec)) for title, spec in _charts(report, say)],
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
    """The meaning of the colours in the charts."""
    sides = [(GREY, Saying("原方案", "before")), (BLUE, Saying("新方案", "after"))]
    changes = [(GREEN, Saying("增", "more")), (RED, Saying("减", "less"))]
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


def _charts(report: SimulationReport, say: Say) -> list[tuple[Saying, Spec]]:
    tally = report.tally
    if not tally.total.before and not tally.total.after:
        return []
    months = [(key[0], cost.before, cost.after) for key, cost in sorted(tally.by_month.items())]
    schemes: dict[str, list[int]] = {}
    for (scheme, _), cost in sorted(tally.by_tier.items()):
        sums = schemes.setdefault(scheme, [0, 0])
        sums[0] += cost.before
        sums[1] += cost.after
    areas = [(key[0] or say(UNKNOWN), cost.before, cost.after) for key, cost in tally.by_area.items()]
    areas.sort(key=lambda row: (-abs(row[2] - row[1]), row[0]))
    charts = [
        (
            Saying("各保障层(万元)", "By scheme (10,000 yuan)"),
            _side_by_side([(name, before, after) for name, (before, after) in schemes.items()], report, say),
        ),
        (Saying("各出院月份(万元)", "By month of discharge (10,000 yuan)"), _months(months, report, say)),
    ]
    if report.compares:
        charts.append((Saying("各村增减(万元)", "Change by village (10,000 yuan)"), _changes(areas[:BARS_MAX], say)))
    else:
        charts.append((Saying("各村(万元)", "By village (10,000 yuan)"), _side_by_side(areas[:BARS_MAX], report, say)))
    name = Saying("增减人数分布", "Number of persons by gain or loss")
    if not report.compares:
        name = Saying("受助人数分布", "Number of persons by amount")
    return [*charts, (name, _persons(report, say))]


def _long(rows: list[tuple[str, int, int]], report: SimulationReport, say: Say) -> list[Spec]:
    """One value per side and name, in 10,000 yuan."""
    sides = [(Saying("原方案", "before"), 0), (Saying("新方案", "after"), 1)]
    return [
        {"name": name, "side": say(side), "value": sums[index] / 1_000_000}
        for name, *sums in rows
        for side, index in (sides if report.compares else sides[1:])
    ]


def _base(data: list[Spec], height: int | Spec) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": data},
        "width": 760,
        "height": height,
        "background": None,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {"labelFontSize": 12, "titleFontSize": 12, "gridColor": "#e4e4de", "domainColor": "#999"},
            "legend": {"disable": True},  # the page has one: a legend in the chart would depend on the reader's fonts
        },
    }


def _names(names: list[str]) -> Spec:
    """An axis of names, wide enough for the longest: without a Chinese font the renderer measures too short."""
    room = min(300, 7 * max(map(cell_len, names), default=0) + 8)
    axis = {"labelLimit": 300, "minExtent": room}
    return {"field": "name", "type": "nominal", "title": None, "sort": None, "axis": axis}


def _sides_colour(report: SimulationReport, say: Say) -> Spec:
    names = [say(Saying("原方案", "before")), say(Saying("新方案", "after"))]
    if not report.compares:
        return {"value": BLUE}
    return {"field": "side", "type": "nominal", "scale": {"domain": names, "range": [GREY, BLUE]}}


def _side_by_side(rows: list[tuple[str, int, int]], report: SimulationReport, say: Say) -> Spec:
    names = [say(Saying("原方案", "before")), say(Saying("新方案", "after"))]
    return _base(_long(rows, report, say), {"step": 18}) | {
        "mark": {"type": "bar"},
        "encoding": {
            "y": _names([name for name, *_ in rows]),
            "yOffset": {"field": "side", "type": "nominal", "sort": names},
            "x": {"field": "value", "type": "quantitative", "title": None},
            "color": _sides_colour(report, say),
        },
    }


def _months(rows: list[tuple[str, int, int]], report: SimulationReport, say: Say) -> Spec:
    data = [value | {"name": f"{value['name']}-01"} for value in _long(rows, report, say)]
    return _base(data, 200) | {
        "mark": {"type": "line", "point": {"size": 18}, "strokeWidth": 2},
        "encoding": {
            "x": {
                "field": "name",
                "type": "temporal",
                "title": None,
                "axis": {"format": "%Y-%m", "labelOverlap": True, "grid": False},
            },
            "y": {"field": "value", "type": "quantitative", "title": None},
            "color": _sides_colour(report, say),
            "strokeDash": {"field": "side", "type": "nominal", "legend": None, "sort": "descending"},
        },
    }


def _changes(rows: list[tuple[str, int, int]], say: Say) -> Spec:
    data = [{"name": name, "value": (after - before) / 1_000_000} for name, before, after in rows]
    return _base(data, {"step": 18}) | {
        "mark": {"type": "bar"},
        "encoding": {
            "y": _names([name for name, *_ in rows]),
            "x": {"field": "value", "type": "quantitative", "title": None},
            "color": {"condition": {"test": "datum.value < 0", "value": RED}, "value": GREEN},
        },
    }


def _persons(report: SimulationReport, say: Say) -> Spec:
    lowest = -len(EDGES) - 1 if report.compares else 1
    nothing = Class()
    data: list[Spec] = []
    for number in range(lowest, len(EDGES) + 2):
        count = report.tally.persons_by_change.get(number, nothing).count
        if number:  # the unchanged would dwarf all others; the table has them
            name = (
                class_name(number) if report.compares else Saying(class_name(number).zh[2:], class_name(number).en[2:])
            )
            data.append({"name": say(name), "value": count, "more": number > 0})
    base = _base(data, {"step": 18})
    place = _names([value["name"] for value in data])
    amount = {"field": "value", "type": "quantitative", "title": None}
    return base | {
        "encoding": {"y": place, "x": amount},
        "layer": [
            {
                "mark": {"type": "bar"},
                "encoding": {"color": {"condition": {"test": "!datum.more", "value": RED}, "value": GREEN}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 11},
                "encoding": {"text": {"field": "value", "type": "quantitative", "format": ","}},
            },
        ],
    }
