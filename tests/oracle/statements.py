"""The oracle of statements: what a treaty's insurers are told of a month, from payers.md, section 3, alone.

A treaty is what `tomllib` makes of its file. Money is whole fen, a share an exact fraction, an instant a datetime with
its offset. It shares no code with the program it checks.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Literal, NamedTuple

from .treaties import Treaty, alloc, ceded

INSTRUCTED, BOOK = "instructed", "book"
STATUSES = ("paid", "failed", "returned")
MAY_FOLLOW = {INSTRUCTED: STATUSES, "paid": ("returned",), "failed": (), "returned": ()}
"""What a payout may be told to have become, in each state (docs/integrating.md)."""


class Instruction(NamedTuple):
    """One payout instruction: its amount is over zero, whoever pays it."""

    payout_id: str
    treaty_id: str | None
    kind: Literal["payment", "recovery"]
    amount: int
    recorded_at: datetime
    reversal_of: str | None = None
    reissue_of: str | None = None
    set_off_of: str | None = None
    of: tuple[str, str, str] = ("", "", "")
    """Claim, scheme and payee: a facility's id, or empty."""


class Report(NamedTuple):
    """One accepted report of the payout's own person; it counts by ``reported_at``, whenever it was recorded."""

    payout_id: str
    status: str
    recorded_at: datetime
    reported_at: datetime


class Line(NamedTuple):
    """A payout in a statement: fen, below zero where money is taken back, and its state when the month ended."""

    payout_id: str
    amount: int
    state: str
    corrects: str | None = None


class Part(NamedTuple):
    """What one insurer bears of a month (fen): by its share, and as the reinsurer."""

    share: int
    cession: int


class Statement(NamedTuple):
    """A month of a treaty, the same for all insurers but for the parts. ``before`` is the net of all earlier months."""

    lines: list[Line]
    later: list[Line]
    """What reports of the month made of payouts of earlier months; they are in no sum (docs/treaties.md)."""
    before: int
    net: int
    cession: int
    parts: dict[str, Part]

    @property
    def after(self) -> int:
        return self.before + self.net


def statement(treaty: Treaty, instructions: Sequence[Instruction], reports: Sequence[Report], month: date) -> Statement:
    """What is told of a month, which is any day of it; lines in the order in which they were recorded."""
    own = [each for each in instructions if each.treaty_id == treaty["treaty"]["id"]]
    earlier = [each for each in own if month_of(each.recorded_at) < month.replace(day=1)]
    in_month = [each for each in own if month_of(each.recorded_at) == month.replace(day=1)]
    before, net = sum(map(signed, earlier)), sum(map(signed, in_month))
    known = [report for report in reports if month_of(report.recorded_at) <= month.replace(day=1)]
    lines = [Line(each.payout_id, signed(each), state_of(each, known), corrected_by(each, own)) for each in in_month]
    known_before = [report for report in known if month_of(report.recorded_at) < month.replace(day=1)]
    later = [
        Line(each.payout_id, signed(each), state_of(each, known), corrected_by(each, own))
        for each in earlier
        if state_of(each, known) != state_of(each, known_before)
    ]
    borne_before, borne_after = borne(treaty, before), borne(treaty, before + net)
    parts = {
        insurer: Part(
            borne_after[insurer].share - borne_before[insurer].share,
            borne_after[insurer].cession - borne_before[insurer].cession,
        )
        for insurer in borne_after
    }
    return Statement(lines, later, before, net, sum(part.cession for part in parts.values()), parts)


def corrected_by(instruction: Instruction, own: Sequence[Instruction]) -> str | None:
    """Which earlier line an instruction corrects: one that it takes off, is kept back for or orders again.

    Else the one before it, of the same claim, scheme and payee; ``own`` are all instructions of the treaty in order.
    """
    named = instruction.reversal_of or instruction.set_off_of or instruction.reissue_of
    if named:
        return named
    before = None
    for each in own:
        if each.payout_id == instruction.payout_id:
            break
        if each.of == instruction.of:
            before = each.payout_id
    return before


def borne(treaty: Treaty, cum: int) -> dict[str, Part]:
    """What each insurer bears of all months together, in the file's order; a reinsurer without a share comes last."""
    table = treaty["treaty"]
    stop_loss = table.get("stop_loss")
    shares = [Fraction(each["share"]) for each in table["share"]]
    cession = ceded(cum, stop_loss)
    relief = alloc(cession, shares)
    parts = {}
    for each, whole, less in zip(table["share"], alloc(cum, shares), relief, strict=True):
        parts[each["insurer"]] = Part(whole - less, 0)
    if stop_loss is not None:
        held = parts.get(stop_loss["insurer"], Part(0, 0))
        parts[stop_loss["insurer"]] = Part(held.share, cession)
    return parts


def state_of(instruction: Instruction, reports: Iterable[Report]) -> str:
    """Reports in the order in which they say it happened, those of one instant as in `STATUSES`.

    What takes a payout off the books, or is set off, moves no money.
    """
    if instruction.reversal_of is not None or instruction.set_off_of is not None:
        return BOOK
    state = INSTRUCTED
    own = [report for report in reports if report.payout_id == instruction.payout_id]
    for report in sorted(own, key=lambda report: (report.reported_at, STATUSES.index(report.status))):
        state = may_become(state, report.status)
    return state


def may_become(state: str, status: str) -> str:
    """The state of a payout after one more report; what may not follow changes nothing."""
    return status if status in MAY_FOLLOW[state] else state


def signed(instruction: Instruction) -> int:
    return {"payment": 1, "recovery": -1}[instruction.kind] * instruction.amount


def month_of(instant: datetime) -> date:
    """The first day of the month in Shanghai, which is eight hours ahead the whole year."""
    return shanghai_day(instant).replace(day=1)


def shanghai_day(instant: datetime) -> date:
    return (instant.astimezone(UTC) + timedelta(hours=8)).date()
