"""Corrections, reports and reissues in any order: the books are always what is due, and in the end so is the money."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.payout_reports import NotReissuable, states_of
from handlers.claims.reissue import reissue
from schemas.records import InstructionRow, Reissue
from tests.support.builders import (
    POLICY,
    RECORDED_AT,
    EmptyLedger,
    Json,
    bill,
    coverage,
    delivery,
    discharge,
    empty_world,
    policies,
    report,
    take,
    unhurried,
)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("bill"), st.sampled_from([0, 2500, 3000, 5000])),
        st.tuples(st.sampled_from(["paid", "failed", "failed", "returned", "reissue"]), st.integers(0, 4)),
    ),
    min_size=4,
    max_size=25,
)


class Story:
    """One claim, its insurer and its operator, in memory."""

    def __init__(self) -> None:
        self.world: EmptyLedger = empty_world(policies(POLICY))
        self._offsets = count()
        self._versions = count(1)
        self._days = count(1)
        for event in (coverage(), discharge()):
            self._take(event)

    def _take(self, event: Json) -> None:
        take(self.world, [delivery(event, next(self._offsets))])

    def bill(self, copay: int) -> None:
        self._take(bill(copay=copay, version=next(self._versions)))

    def moving(self) -> list[InstructionRow]:
        """The instructions by which money moves, in order."""
        return [row for row in self.world.instructed.values() if row.reversal_of is None]

    def state(self, row: InstructionRow) -> str:
        told = states_of([row], self.world.reports)
        return next((each.state for each in told.values()), "instructed")

    def report(self, row: InstructionRow, status: str) -> None:
        """An honest insurer's report: one that may follow the state, or none."""
        if (self.state(row), status) == ("paid", "returned") or self.state(row) == "instructed":
            when = RECORDED_AT + next(self._days) * timedelta(days=1)
            self._take(report(row.payout_id, status=status, reported_at=when.isoformat()))

    def reissue(self, row: InstructionRow) -> bool:
        """Whether an operator may."""
        try:
            processor = self.world.batch()
            reissue(processor, Reissue(row.payout_id, row.person_id, "li.na", "again"))
        except NotReissuable:
            assert [] == processor.outcome.outbox
            return False
        on_the_way = sum(_signed(each) for each in self.moving() if self.state(each) in ("instructed", "paid"))
        assert on_the_way <= self.due() if row.kind == "payment" else on_the_way >= self.due(), "more than is missing"
        return True

    def due(self) -> int:
        return sum(row.benefit for rows in self.world.benefits.values() for row in rows.values())

    def check_books(self) -> None:
        """Law 3 at every step, and each payout reissued at most once."""
        rows = list(self.world.instructed.values())
        assert self.due() == sum(_signed(row) for row in rows)
        again = [row.reissue_of for row in rows if row.reissue_of]
        assert len(again) == len(set(again))
        assert set(again) == {row.reversal_of for row in rows if row.reversal_of}
        assert all(row.balance_after >= 0 for row in rows)


def _signed(row: InstructionRow) -> int:
    return row.amount if row.kind == "payment" else -row.amount


@unhurried
@given(steps)
def test_in_the_end_the_person_has_what_is_due(script: list[tuple[str, int]]) -> None:
    """Once every failure that may be reissued is, and all that is under way arrives, the money is the benefit."""
    story = Story()
    for what, number in script:
        rows = story.moving()
        if what == "bill":
            story.bill(number)
        elif rows and what == "reissue":
            story.reissue(rows[number % len(rows)])
        elif rows:
            story.report(rows[number % len(rows)], what)
        story.check_books()
    while any(story.reissue(row) for row in story.moving()):
        story.check_books()
    for row in story.moving():
        if story.state(row) == "instructed":
            story.report(row, "paid")
    assert story.due() == sum(_signed(row) for row in story.moving() if story.state(row) == "paid")
