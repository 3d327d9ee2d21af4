"""Contradicting reports: which payouts, what was reported about each, and how that compares with what is due."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from handlers.claims.payout_reports import PayoutReport, Verdict, report_of, transfers, verdicts
from handlers.claims.read import recall
from infra.ledger import contradictions, payout_states
from infra.ledger.contradictions import ContradictedPayout, Place
from schemas.access.console_rights import Right
from schemas.facts import PayoutReported
from schemas.outbound import InstructionKind
from schemas.records import PayoutState
from web.console.visit import Pages, Visit, page_number

PAGE_ROWS = 25
UNMATCHED_ROWS = 100


@dataclass(frozen=True, slots=True)
class PayoutCompared:
    """A payout with each report and what it did to the payout's state, in order of time."""

    payout: ContradictedPayout
    reports: list[tuple[PayoutReport, Verdict]]

    @property
    def signed(self) -> int:
        """In fen; negative for a recovery."""
        return self.payout.amount if self.payout.kind == InstructionKind.PAYMENT else -self.payout.amount

    @property
    def reported(self) -> int:
        """How many fen moved by this payout if every report is true."""
        return self.signed * transfers([report for report, _ in self.reports])


@dataclass(frozen=True, slots=True)
class PlaceCompared:
    """What one scheme owes for a claim, beside what insurers say was paid."""

    place: Place
    payouts: list[PayoutCompared]

    @property
    def reported(self) -> int:
        return sum(each.reported for each in self.payouts)


def show(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    number = page_number(visit)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        count, places = contradictions.places(connection, PAGE_ROWS, (number - 1) * PAGE_ROWS)
        compared = _compared(connection, places)
        unmatched = payout_states.unmatched(connection, limit=UNMATCHED_ROWS)
    return visit.page(
        "contradictions.html",
        places=compared,
        pages=Pages(count, PAGE_ROWS, number),
        unmatched=[(stray, PayoutState(stray.state)) for stray in unmatched],
        unmatched_rows=UNMATCHED_ROWS,
    )


def _compared(connection: Connection, places: list[Place]) -> list[PlaceCompared]:
    payouts = [PayoutCompared(payout, _judged(payout)) for payout in contradictions.payouts_of(connection, places)]
    return [
        PlaceCompared(place, [each for each in payouts if (each.payout.claim_id, each.payout.scheme_id) == place[:2]])
        for place in places
    ]


def _judged(payout: ContradictedPayout) -> list[tuple[PayoutReport, Verdict]]:
    """A report of a book reversal contradicts it, whatever it says."""
    facts = [(mark, recall(value)) for mark, value in payout.reports]
    judged = verdicts(report_of(fact, mark) for mark, fact in facts if isinstance(fact, PayoutReported))
    if payout.reversal_of is None and payout.set_off_of is None:
        return judged
    return [(report, Verdict.CONTRADICTS) for report, _ in judged]
