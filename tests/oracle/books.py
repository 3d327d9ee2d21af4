"""The oracle of the books: what each account holds, from what was published, by payers.md, section 4, alone.

Of pools (groups.md, section 3) it knows that their balance is what they received, less what was paid, plus what was
recovered: money that a pool holds for others, so a credit.

It takes everything in the order in which it was recorded. Money is whole fen, debits above and credits below zero; an
instant is a datetime with its offset. It shares no code with the program it checks.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple

from .payees import Json, fen
from .statements import INSTRUCTED, STATUSES, may_become, shanghai_day

PERSONS = "person"
"""All persons and their estates: no account names one."""


class Instructed(NamedTuple):
    """One payout instruction; ``payee_id`` is a facility's, or empty.

    A payment that is set off names the recovery in ``reversal_of`` too, as no money moves. ``pool_id`` is the pool
    whose money it is.
    """

    payout_id: str
    person_id: str
    scheme_id: str
    kind: Literal["payment", "recovery"]
    amount: int
    payer: str
    payee_id: str
    recorded_at: datetime
    reversal_of: str | None = None
    set_off_of: str | None = None
    pool_id: str | None = None


class Reported(NamedTuple):
    """One accepted report, of whatever payout and person it names."""

    payout_id: str
    person_id: str
    status: str
    reported_at: datetime
    recorded_at: datetime


class Stated(NamedTuple):
    """An issued statement: what an insurer bears of a month, its share and its cession together."""

    statement_id: str
    treaty_id: str
    lead: str
    insurer: str
    amount: int
    recorded_at: datetime


class Waived(NamedTuple):
    """A recovery, or what is left of one, that nobody collects any more."""

    payout_id: str
    amount: int
    recorded_at: datetime


class SetOff(NamedTuple):
    """A recovery that is kept back from the person's next payments: nothing moves by it but by those payments."""

    payout_id: str
    recorded_at: datetime


class Contributed(NamedTuple):
    """An accepted version of a contribution; of nothing if it is voided."""

    contribution_id: str
    pool_id: str
    amount: int
    recorded_at: datetime


Movement = Instructed | Reported | Stated | Waived | SetOff | Contributed


class Leg(NamedTuple):
    """An amount in an account: of the two legs of a movement the debit comes first; they sum to nothing."""

    account: str
    amount: int
    booked_on: date
    reference: str


class Row(NamedTuple):
    """A month of an account. ``debit`` and ``credit`` are over zero, or zero."""

    opening: int
    debit: int
    credit: int
    closing: int


def journal(movements: Iterable[Movement]) -> list[Leg]:
    """Every leg, in order; who has nothing to do with a movement has none, and no leg is of nothing.

    Nobody collects a recovery that was set off or waived: what is reported of it contradicts that and moves nothing.
    """
    legs: list[Leg] = []
    instructed: dict[str, Instructed] = {}
    reports: list[Reported] = []
    settled: set[str] = set()
    given: dict[str, int] = {}
    for movement in movements:
        day = shanghai_day(movement.recorded_at)

        def moves(amount: int, debit: str, credit: str, reference: str, day: date = day) -> list[Leg]:
            if amount < 0:
                debit, credit, amount = credit, debit, -amount
            both = [Leg(debit, amount, day, reference), Leg(credit, -amount, day, reference)]
            return both if amount else []

        match movement:
            case Instructed():
                instructed[movement.payout_id] = movement
                legs += moves(movement.amount, *accounts_of(movement), movement.payout_id)
                if movement.set_off_of is not None:
                    legs += moves(movement.amount, payable(movement), receivable(movement), movement.payout_id)
                if movement.pool_id is not None:
                    sign = 1 if movement.kind == "payment" else -1
                    pool, funded = f"pool:{movement.pool_id}", f"funded:{movement.scheme_id}"
                    legs += moves(sign * movement.amount, pool, funded, movement.payout_id)
                if is_paid(movement, reports):  # it had been reported before it was known
                    legs += moves(movement.amount, *accounts_of_paid(movement), movement.payout_id)
            case Reported():
                payout = None if movement.payout_id in settled else instructed.get(movement.payout_id)
                before = payout is not None and is_paid(payout, reports)
                reports.append(movement)
                if payout is not None and is_paid(payout, reports) != before:
                    sign = -1 if before else 1
                    legs += moves(sign * payout.amount, *accounts_of_paid(payout), movement.payout_id)
            case Stated():
                if movement.insurer != movement.lead:  # the lead has paid all: what it bears itself it owes nobody
                    owes = f"insurer:{movement.lead}:{movement.insurer}"
                    bears = f"borne:{movement.insurer}:{movement.treaty_id}"
                    legs += moves(movement.amount, owes, bears, movement.statement_id)
            case Waived():
                settled.add(movement.payout_id)
                payout = instructed[movement.payout_id]
                loss = f"waived:{payout.scheme_id}"
                legs += moves(movement.amount, loss, receivable(payout), movement.payout_id)
            case SetOff():
                settled.add(movement.payout_id)
            case Contributed():
                more = movement.amount - given.get(movement.contribution_id, 0)
                given[movement.contribution_id] = movement.amount
                legs += moves(more, "cash:fund", f"pool:{movement.pool_id}", movement.contribution_id)
    return legs


def accounts_of(payout: Instructed) -> tuple[str, str]:
    """Which account an instruction debits and which it credits.

    What takes a payment off the books takes it off payable, what takes a recovery off, off receivable.
    """
    expense = f"expense:{payout.scheme_id}"
    off = payout.reversal_of is not None and payout.set_off_of is None
    if payout.kind == "payment":
        return expense, receivable(payout) if off else payable(payout)
    return payable(payout) if off else receivable(payout), expense


def accounts_of_paid(payout: Instructed) -> tuple[str, str]:
    """Which account is debited and which credited when the money has moved."""
    cash = f"cash:{payout.payer}"
    return (payable(payout), cash) if payout.kind == "payment" else (cash, receivable(payout))


def is_paid(payout: Instructed, reports: Iterable[Reported]) -> bool:
    """Whether its own person's reports say so, all taken together; no money moves by a book entry or a set-off."""
    if payout.reversal_of is not None or payout.set_off_of is not None:
        return False
    own = [each for each in reports if (each.payout_id, each.person_id) == payout[:2]]
    state = INSTRUCTED
    for report in sorted(own, key=lambda each: (each.reported_at, STATUSES.index(each.status))):
        state = may_become(state, report.status)
    return state == "paid"


def payable(payout: Instructed) -> str:
    return f"payable:{payout.payer}:{payee(payout)}"


def receivable(payout: Instructed) -> str:
    return f"receivable:{payout.payer}:{payee(payout)}"


def payee(payout: Instructed) -> str:
    return f"facility:{payout.payee_id}" if payout.payee_id else PERSONS


def balances(legs: Iterable[Leg]) -> dict[str, int]:
    """What each account holds, where it is not nothing."""
    found: dict[str, int] = {}
    for leg in legs:
        found[leg.account] = found.get(leg.account, 0) + leg.amount
    return {account: amount for account, amount in found.items() if amount}


def trial_balance(legs: Sequence[Leg], month: date) -> dict[str, Row]:
    """A month of every account that held something before it or moved in it, by the days of booking."""
    first = month.replace(day=1)
    found = {}
    for account in sorted({leg.account for leg in legs}):
        own = [leg for leg in legs if leg.account == account]
        opening = sum(leg.amount for leg in own if leg.booked_on < first)
        moved = [leg.amount for leg in own if leg.booked_on.replace(day=1) == first]
        debit, credit = sum(each for each in moved if each > 0), -sum(each for each in moved if each < 0)
        if opening or moved:
            found[account] = Row(opening, debit, credit, opening + debit - credit)
    return found


def instructed_by(message: Json) -> Instructed:
    """A published `payout.instructed`; those of releases before payers had a name are the fund's."""
    return Instructed(
        message["payout_id"],
        message["person_id"],
        message["scheme_id"],
        message["kind"],
        fen(message["amount"]),
        message.get("payer", "fund"),
        message.get("payee_id", ""),
        datetime.fromisoformat(message["occurred_at"]),
        message.get("reversal_of"),
        message.get("set_off_of"),
        message.get("pool_id"),
    )


def stated_by(message: Json) -> Stated:
    """A published `statement.issued`."""
    amount = fen(message["part"]) + fen(message["part_of_cession"])
    issued = datetime.fromisoformat(message["occurred_at"])
    return Stated(message["statement_id"], message["treaty_id"], message["lead"], message["insurer"], amount, issued)


def contributed_by(message: Json, recorded_at: datetime) -> Contributed:
    """A `contribution.received` or `contribution.voided` that was accepted at that instant."""
    amount = fen(message["amount"]) if message["event_type"] == "contribution.received" else 0
    return Contributed(message["contribution_id"], message["pool_id"], amount, recorded_at)


def reported_by(message: Json, recorded_at: datetime) -> Reported:
    """A `payout.reported` that was accepted at that instant."""
    when = datetime.fromisoformat(message["reported_at"])
    return Reported(message["payout_id"], message["person_id"], message["status"], when, recorded_at)
