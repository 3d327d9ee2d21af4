"""The results of a simulation as tables: for the terminal, for CSV files and for the page."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.terminal.language import OutputLanguage, translator
from cli.terminal.prose import Prose
from handlers.offline.what_if import EDGES, Class, Cost, Tally
from handlers.words.claim_sentences import STATUS_NAMES, yuan
from infra.files.csv_cells import harmless
from schemas.bilingual import Saying
from schemas.decisions import Status
from schemas.money import format_yuan
from schemas.policy.model import Policies


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """A tally, the policies (``before`` is None when there is nothing to compare with), and how much was read."""

    tally: Tally
    before: Policies | None
    after: Policies
    facts: int
    refused: int

    @property
    def compares(self) -> bool:
        return self.before is not None


class Fen(int):
    """A cell with an amount of money in fen."""


class MoneyChange(Fen):
    """A cell with a difference in fen, shown with its sign."""


class ShareChange(float):
    """A cell with a share, 0.1 for 10 %, shown with its sign."""


Cell = str | int | Fen | MoneyChange | ShareChange | Saying | None


class Sheet(NamedTuple):
    """One table. ``name`` is that of the CSV file; each column has a name for programs and one for people."""

    name: str
    title: Saying
    columns: list[tuple[str, Saying]]
    rows: list[list[Cell]]
    total: list[Cell] | None = None


BEFORE = ("before", Saying("原方案(元)", "before (yuan)"))
AFTER = ("after", Saying("新方案(元)", "after (yuan)"))
CHANGE = ("change", Saying("增减(元)", "change (yuan)"))
PERCENT = ("change_share", Saying("增减比例", "change"))
CLAIMS_BEFORE = ("claims_before", Saying("原受助笔数", "claims paid before"))
CLAIMS_AFTER = ("claims_after", Saying("新受助笔数", "claims paid after"))
COST = ("cost", Saying("金额(元)", "cost (yuan)"))
AREA = ("area", Saying("地区", "area"))
UNKNOWN = Saying("(没有登记)", "(none recorded)")
CLAIMS = ("claims", Saying("受助笔数", "claims paid"))


def sheets(report: SimulationReport) -> list[Sheet]:
    """All tables of a report, the most important first."""
    tally = report.tally
    schemes: dict[tuple[str, ...], Cost] = {}
    for (scheme, _), cost in tally.by_tier.items():
        schemes.setdefault((scheme,), Cost()).merge(cost)
    scheme_column = ("scheme_id", Saying("保障层", "scheme"))
    return [
        _cost_sheet("by-scheme", Saying("各保障层", "By scheme"), [scheme_column], schemes, report, total=False),
        _cost_sheet(
            "by-tier",
            Saying("各档次", "By tier"),
            [scheme_column, ("tier", Saying("档次", "tier"))],
            tally.by_tier,
            report,
            total=False,
        ),
        _cost_sheet(
            "by-area",
            Saying("各村(登记地区)", "By village (area)"),
            [("area", Saying("地区", "area"))],
            tally.by_area,
            report,
        ),
        _cost_sheet(
            "by-month",
            Saying("各出院月份", "By month of discharge"),
            [("month", Saying("月份", "month"))],
            tally.by_month,
            report,
        ),
        _distribution(report),
        _largest(report),
        _statuses(report),
        _timeline(report),
    ]


def _cost_sheet(
    name: str,
    title: Saying,
    keys: list[tuple[str, Saying]],
    costs: dict[tuple[str, ...], Cost],
    report: SimulationReport,
    total: bool = True,
) -> Sheet:
    columns = [*keys, CLAIMS_BEFORE, BEFORE, CLAIMS_AFTER, AFTER, CHANGE, PERCENT]
    if not report.compares:
        columns = [*keys, CLAIMS, COST]

    def cells(cost: Cost) -> list[Cell]:
        if not report.compares:
            return [cost.claims_after, Fen(cost.after)]
        change = cost.after - cost.before
        share = ShareChange(change / cost.before) if cost.before else None
        return [cost.claims_before, Fen(cost.before), cost.claims_after, Fen(cost.after), MoneyChange(change), share]

    rows: list[list[Cell]] = [
        [*((part or UNKNOWN) for part in key), *cells(cost)] for key, cost in sorted(costs.items())
    ]
    # A claim paid by two schemes counts in both, so only the money adds up over schemes: no total is shown there.
    last: list[Cell] | None = None
    if total:
        last = [Saying("合计", "total"), *([""] * (len(keys) - 1)), *cells(report.tally.total)]
    return Sheet(name, title, columns, rows, last)


def class_name(number: int, signed: bool = True) -> Saying:
    """The name of a class of changes (``signed``) or of amounts, in yuan; the class includes its upper limit."""
    if number == 0:
        return Saying("不变", "unchanged") if signed else Saying("无救助", "nothing paid")
    rank = abs(number)
    low = 0 if rank == 1 else EDGES[rank - 2] // 100
    high = None if rank > len(EDGES) else EDGES[rank - 1] // 100
    span = f"{low:,}–{high:,}" if high is not None else f"> {low:,}"
    if not signed:
        return Saying(f"{span} 元", f"{span} yuan")
    more = number > 0
    return Saying(f"{'增' if more else '减'} {span} 元", f"{'more' if more else 'less'}: {span} yuan")


def _distribution(report: SimulationReport) -> Sheet:
    tally = report.tally
    numbers = range(-len(EDGES) - 1, len(EDGES) + 2) if report.compares else range(len(EDGES) + 2)
    title = Saying("增减分布", "Gains and losses") if report.compares else Saying("金额分布", "Distribution")
    nothing = Class()
    rows: list[list[Cell]] = []
    for number in numbers:
        claims, persons = (
            counted.get(number, nothing) for counted in (tally.claims_by_change, tally.persons_by_change)
        )
        name = class_name(number, report.compares)
        rows.append([name, claims.count, MoneyChange(claims.sum), persons.count, MoneyChange(persons.sum)])
    columns = [
        ("class", Saying("增减", "change") if report.compares else Saying("金额", "amount")),
        ("claims", Saying("理赔笔数", "claims")),
        ("claims_sum", Saying("合计(元)", "sum (yuan)")),
        ("persons", Saying("人数", "persons")),
        ("persons_sum", Saying("合计(元)", "sum (yuan)")),
    ]
    return Sheet("distribution", title, columns, rows)


def _largest(report: SimulationReport) -> Sheet:
    columns = [
        ("claim_id", Saying("理赔编号", "claim")),
        AREA,
        ("discharged_on", Saying("出院日", "discharged on")),
        ("personal_burden", Saying("个人负担(元)", "personal burden (yuan)")),
    ]
    money = [BEFORE, AFTER, CHANGE] if report.compares else [COST]
    rows: list[list[Cell]] = []
    for claim in report.tally.largest:
        head: list[Cell] = [claim.claim_id, claim.area, claim.discharged_on, Fen(claim.burden)]
        paid: list[Cell] = [Fen(claim.before), Fen(claim.after), MoneyChange(claim.change)]
        rows.append([*head, *(paid if report.compares else [Fen(claim.after)])])
    title = Saying("变化最大的一百笔", "The hundred claims with the largest changes")
    if not report.compares:
        title = Saying("金额最高的一百笔", "The hundred largest claims")
    return Sheet("largest", title, [*columns, *money], rows)


def _statuses(report: SimulationReport) -> Sheet:
    counted = report.tally.statuses
    columns = [("status", Saying("状态", "status"))]
    sides = ["before", "after"] if report.compares else ["after"]
    names = {"before": Saying("原方案笔数", "claims before"), "after": Saying("新方案笔数", "claims after")}
    columns += [(f"claims_{side}", names[side]) for side in sides]
    rows: list[list[Cell]] = []
    for status in reversed(Status):
        counts = [counted[side, status] for side in sides]
        if any(counts):
            rows.append([STATUS_NAMES[status], *counts])
    return Sheet("statuses", Saying("理赔状态", "Claims by status"), columns, rows)


def _timeline(report: SimulationReport) -> Sheet:
    """When each policy is in force, on both sides."""
    columns = [
        ("side", Saying("方案", "side")),
        ("policy_id", Saying("方案编号", "policy")),
        ("effective_from", Saying("从", "from")),
        ("effective_to", Saying("到(不含)", "until (exclusive)")),
    ]
    rows: list[list[Cell]] = []
    for side, policies in ((Saying("原方案", "before"), report.before), (Saying("新方案", "after"), report.after)):
        if policies is not None:
            terms = [(policy.id, policies.term(policy)) for policy in policies.releases]
            rows += [[side, policy_id, str(term.first), str(term.end or "")] for policy_id, term in terms]
    return Sheet("policies", Saying("方案适用时间", "When each policy is in force"), columns, rows)


def headline(report: SimulationReport) -> list[tuple[Saying, str, Saying]]:
    """The key figures: name, number, and the text below it."""
    tally, total = report.tally, report.tally.total
    claims, persons, facts, refused = (f"{n:,}" for n in (tally.claims, tally.persons, report.facts, report.refused))
    read = Saying(
        f"{claims} 笔理赔,{persons} 人;读入 {facts} 条数据,拒收 {refused} 条",
        f"{claims} claims of {persons} persons; {facts} facts read, {refused} refused",
    )
    if not report.compares:
        paid = Saying(f"{total.claims_after:,} 笔受助;{read.zh}", f"{total.claims_after:,} claims paid; {read.en}")
        return [(Saying("总金额(元)", "Cost (yuan)"), yuan(total.after), paid)]
    change = total.after - total.before
    share = f"{change / total.before:+.1%}" if total.before else ""
    return [
        (Saying("原方案(元)", "Before (yuan)"), yuan(total.before), read),
        (Saying("新方案(元)", "After (yuan)"), yuan(total.after), Saying("同样的数据", "the same facts")),
        (Saying("增减(元)", "Change (yuan)"), _signed(change), Saying(share, share)),
        *((name, f"{sum(group.count for group in classes):,}", below) for name, classes, below in _sides(report)),
    ]


def _sides(report: SimulationReport) -> Iterator[tuple[Saying, list[Class], Saying]]:
    persons, claims = report.tally.persons_by_change, report.tally.claims_by_change
    tests: list[tuple[Saying, Callable[[int], bool]]] = [
        (Saying("补助增加的人数", "Persons who gain"), lambda number: number > 0),
        (Saying("补助减少的人数", "Persons who lose"), lambda number: number < 0),
    ]
    for name, belongs in tests:
        classes = [group for number, group in persons.items() if belongs(number)]
        count = sum(group.count for number, group in claims.items() if belongs(number))
        money = _signed(sum(group.sum for group in classes))
        yield name, classes, Saying(f"{count:,} 笔理赔,合计 {money} 元", f"{count:,} claims, {money} yuan in total")


def _signed(fen: int) -> str:
    return f"+{yuan(fen)}" if fen > 0 else yuan(fen)


def text_of(cell: Cell, say: Callable[[Saying], str]) -> str:
    """The text of a cell for people."""
    if cell is None:
        return ""
    if isinstance(cell, Saying):
        return say(cell)
    if isinstance(cell, MoneyChange):
        return _signed(int(cell))
    if isinstance(cell, Fen):
        return yuan(int(cell))
    if isinstance(cell, ShareChange):
        return f"{float(cell):+.1%}" if cell else "0.0%"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _plain(cell: Cell) -> str:
    """The text of a cell for programs: yuan with two decimals, no separators, words in English."""
    if cell is None:
        return ""
    if isinstance(cell, Saying):
        return cell.en
    if isinstance(cell, Fen):
        return format_yuan(int(cell))
    return f"{float(cell):.6f}" if isinstance(cell, ShareChange) else harmless(str(cell))


def write_csv(report: SimulationReport, folder: Path) -> list[Path]:
    """Writes a CSV file per table. The byte order mark tells Excel that it is UTF-8."""
    written = []
    for sheet in sheets(report):
        path = folder / f"{sheet.name}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([name for name, _ in sheet.columns])
            writer.writerows([[_plain(cell) for cell in row] for row in sheet.rows])
        written.append(path)
    return written


_COUNTS = ("claims_before", "claims_after")
LEFT_OUT = {
    "by-scheme": _COUNTS,
    "by-tier": (*_COUNTS, "change_share"),
    "by-area": _COUNTS,
    "by-month": _COUNTS,
    "largest": ("personal_burden",),
}
"""Columns that do not fit on a terminal 80 characters wide."""

ROWS_MAX = 20
"""At most this many rows of a table are shown on a terminal; a pipe and the CSV files get all."""


def show(report: SimulationReport, language: OutputLanguage, console: Console) -> None:
    """Prints the report; to anything but a terminal with every row and column."""
    say, label = translator(language), translator(language, " ")
    for name, number, below in headline(report):
        console.print(Prose(f"{label(name)}  {number}  {label(below)}", "bold"))
    for sheet in sheets(report):
        if not sheet.rows:
            continue
        console.print()
        console.rule(Text(label(sheet.title), style="bold"), align="left")
        left_out = LEFT_OUT.get(sheet.name, ()) if console.is_terminal else ()
        rows = sheet.rows[:ROWS_MAX] if console.is_terminal else sheet.rows
        shown = [index for index, (name, _) in enumerate(sheet.columns) if name not in left_out]
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_footer=sheet.total is not None)
        for index in shown:
            footer = "" if sheet.total is None else text_of(sheet.total[index], label)
            numeric = isinstance(sheet.rows[0][index], int | float | None)
            side: Literal["left", "right"] = "right" if numeric else "left"
            table.add_column(say(sheet.columns[index][1]), footer, justify=side, no_wrap=numeric, overflow="fold")
        for row in rows:
            table.add_row(*(text_of(row[index], label) for index in shown))
        console.print(table)
        left = len(sheet.rows) - len(rows)
        if left > 0:
            more = Saying(
                f"还有 {left} 行,见 --out 文件夹中的 {sheet.name}.csv",
                f"{left} more rows: see {sheet.name}.csv in the --out folder",
            )
            console.print(Prose(label(more)))
