"""What a simulation found, as tables of numbers: for the terminal, for CSV files, and for the page."""

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

from cli.terminal.language import Language, said_in
from cli.terminal.prose import Prose
from handlers.offline.what_if import EDGES, Class, Cost, Tally
from handlers.words.claim_sentences import STATUS_NAMES, yuan
from schemas.bilingual import Saying
from schemas.decisions import Status
from schemas.money import format_yuan
from schemas.policy.model import Policies


@dataclass(frozen=True, slots=True)
class Report:
    """A tally, the policies that were compared (``before`` is None when there were none), and what was read."""

    tally: Tally
    before: Policies | None
    after: Policies
    facts: int
    refused: int

    @property
    def compares(self) -> bool:
        return self.before is not None


class Fen(int):
    """A cell that is money."""


class Change(Fen):
    """A cell that is a difference of money: its sign is shown."""


class Share(float):
    """A cell that is a part of a whole, 0.1 for 10 %; its sign is shown."""


Cell = str | int | Fen | Change | Share | Saying | None


class Sheet(NamedTuple):
    """One table. ``name`` is the CSV file's; ``columns`` are each a machine's and people's name."""

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


def sheets(report: Report) -> list[Sheet]:
    """All tables of a report, the most telling first."""
    tally = report.tally
    schemes: dict[tuple[str, ...], Cost] = {}
    for (scheme, _), cost in tally.by_tier.items():
        schemes.setdefault((scheme,), Cost()).merge(cost)
    scheme_column = ("scheme_id", Saying("保障层", "scheme"))
    found = [
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
    return found


def _cost_sheet(
    name: str,
    title: Saying,
    keys: list[tuple[str, Saying]],
    costs: dict[tuple[str, ...], Cost],
    report: Report,
    total: bool = True,
) -> Sheet:
    columns = [*keys, CLAIMS_BEFORE, BEFORE, CLAIMS_AFTER, AFTER, CHANGE, PERCENT]
    if not report.compares:
        columns = [*keys, CLAIMS, COST]

    def cells(cost: Cost) -> list[Cell]:
        if not report.compares:
            return [cost.claims_after, Fen(cost.after)]
        change = cost.after - cost.before
        share = Share(change / cost.before) if cost.before else None
        return [cost.claims_before, Fen(cost.before), cost.claims_after, Fen(cost.after), Change(change), share]

    rows: list[list[Cell]] = [
        [*((part or UNKNOWN) for part in key), *cells(cost)] for key, cost in sorted(costs.items())
    ]
    # The schemes of one claim are several payments: only the money adds up over schemes, so no total is shown there.
    last: list[Cell] | None = None
    if total:
        last = [Saying("合计", "total"), *([""] * (len(keys) - 1)), *cells(report.tally.total)]
    return Sheet(name, title, columns, rows, last)


def class_name(number: int, signed: bool = True) -> Saying:
    """A class of changes (``signed``) or of amounts in words, in yuan: the larger end belongs to it."""
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


def _distribution(report: Report) -> Sheet:
    tally = report.tally
    numbers = range(-len(EDGES) - 1, len(EDGES) + 2) if report.compares else range(len(EDGES) + 2)
    title = Saying("增减分布", "Winners and losers") if report.compares else Saying("金额分布", "Distribution")
    nothing = Class()
    rows: list[list[Cell]] = []
    for number in numbers:
        claims, persons = (
            counted.get(number, nothing) for counted in (tally.claims_by_change, tally.persons_by_change)
        )
        name = class_name(number, report.compares)
        rows.append([name, claims.count, Change(claims.sum), persons.count, Change(persons.sum)])
    columns = [
        ("class", Saying("增减", "change") if report.compares else Saying("金额", "amount")),
        ("claims", Saying("理赔笔数", "claims")),
        ("claims_sum", Saying("合计(元)", "sum (yuan)")),
        ("persons", Saying("人数", "persons")),
        ("persons_sum", Saying("合计(元)", "sum (yuan)")),
    ]
    return Sheet("distribution", title, columns, rows)


def _largest(report: Report) -> Sheet:
    columns = [
        ("claim_id", Saying("理赔编号", "claim")),
        AREA,
        ("discharged_on", Saying("出院日", "discharged on")),
        ("personal_burden", Saying("个人负担(元)", "personal burden (yuan)")),
    ]
    money = [BEFORE, AFTER, CHANGE] if report.compares else [COST]
    rows: list[list[Cell]] = []
    for each in report.tally.largest:
        head: list[Cell] = [each.claim_id, each.area, each.discharged_on, Fen(each.burden)]
        paid: list[Cell] = [Fen(each.before), Fen(each.after), Change(each.change)]
        rows.append([*head, *(paid if report.compares else [Fen(each.after)])])
    title = Saying("变化最大的一百笔", "The hundred claims that change most")
    if not report.compares:
        title = Saying("金额最高的一百笔", "The hundred largest claims")
    return Sheet("largest", title, [*columns, *money], rows)


def _statuses(report: Report) -> Sheet:
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


def _timeline(report: Report) -> Sheet:
    """Which policy is in force from when to when, on both sides."""
    columns = [
        ("side", Saying("哪一边", "side")),
        ("policy_id", Saying("方案编号", "policy")),
        ("effective_from", Saying("从", "from")),
        ("effective_to", Saying("到(不含)", "until (exclusive)")),
    ]
    rows: list[list[Cell]] = []
    for side, policies in ((Saying("原方案", "before"), report.before), (Saying("新方案", "after"), report.after)):
        for policy in policies.releases if policies is not None else ():
            rows.append([side, policy.id, str(policy.effective_from), str(policy.effective_to or "")])
    return Sheet("policies", Saying("哪天用哪个方案", "Which policy on which day"), columns, rows)


def headline(report: Report) -> list[tuple[Saying, str, Saying]]:
    """The few numbers that say it all: name, number, and what stands below it."""
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
        *(
            (name, f"{sum(each.count for each in classes):,}", Saying(said.zh, said.en))
            for name, classes, said in _sides(report)
        ),
    ]


def _sides(report: Report) -> Iterator[tuple[Saying, list[Class], Saying]]:
    persons, claims = report.tally.persons_by_change, report.tally.claims_by_change
    tests: list[tuple[Saying, Callable[[int], bool]]] = [
        (Saying("多得的人数", "Persons who gain"), lambda number: number > 0),
        (Saying("少得的人数", "Persons who lose"), lambda number: number < 0),
    ]
    for name, of in tests:
        found = [each for number, each in persons.items() if of(number)]
        count = sum(each.count for number, each in claims.items() if of(number))
        money = _signed(sum(each.sum for each in found))
        yield name, found, Saying(f"{count:,} 笔理赔,合计 {money} 元", f"{count:,} claims, {money} yuan together")


def _signed(fen: int) -> str:
    return f"+{yuan(fen)}" if fen > 0 else yuan(fen)


def text_of(cell: Cell, say: Callable[[Saying], str]) -> str:
    """A cell for people."""
    if cell is None:
        return ""
    if isinstance(cell, Saying):
        return say(cell)
    if isinstance(cell, Change):
        return _signed(int(cell))
    if isinstance(cell, Fen):
        return yuan(int(cell))
    if isinstance(cell, Share):
        return f"{float(cell):+.1%}" if cell else "0.0%"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _plain(cell: Cell) -> str:
    """A cell for programs: yuan with two decimals and no separators, words in English."""
    if cell is None:
        return ""
    if isinstance(cell, Saying):
        return cell.en
    if isinstance(cell, Fen):
        return format_yuan(int(cell))
    return f"{float(cell):.6f}" if isinstance(cell, Share) else str(cell)


def write_csv(report: Report, folder: Path) -> list[Path]:
    """A CSV file for each table. The mark before the text tells Excel that it is UTF-8."""
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
"""Columns that a terminal of 80 has no room for."""

ROWS_MAX = 20
"""So many rows of a long table are shown on a terminal: the CSV files hold all."""


def show(report: Report, language: Language, console: Console) -> None:
    """Prints the report."""
    say, label = said_in(language), said_in(language, " ")
    for name, number, below in headline(report):
        console.print(Prose(f"{label(name)}  {number}  {label(below)}", "bold"))
    for sheet in sheets(report):
        if not sheet.rows:
            continue
        console.print()
        console.rule(Text(label(sheet.title), style="bold"), align="left")
        left_out = LEFT_OUT.get(sheet.name, ())
        shown = [index for index, (name, _) in enumerate(sheet.columns) if name not in left_out]
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_footer=sheet.total is not None)
        for index in shown:
            footer = "" if sheet.total is None else text_of(sheet.total[index], label)
            numeric = isinstance(sheet.rows[0][index], int | float | None)
            side: Literal["left", "right"] = "right" if numeric else "left"
            table.add_column(say(sheet.columns[index][1]), footer, justify=side, no_wrap=numeric, overflow="fold")
        for row in sheet.rows[:ROWS_MAX]:
            table.add_row(*(text_of(row[index], label) for index in shown))
        console.print(table)
        left = len(sheet.rows) - ROWS_MAX
        if left > 0:
            more = Saying(
                f"还有 {left} 行,见 --out 的 {sheet.name}.csv", f"{left} more rows: {sheet.name}.csv of --out"
            )
            console.print(Prose(label(more)))
