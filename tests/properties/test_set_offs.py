"""Recoveries that are set off or waived, among corrections, reports and reissues in any order."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.payout_reports import NotReissuable, states_of
from handlers.claims.recoveries import NotSettleable, settle_recovery
from handlers.claims.reissue import reissue
from schemas import accounts
from schemas.ids import PayoutId
from schemas.records import InstructionRow, Manner, Outcome, Posting, Reissue, SettleRecovery
from schemas.treaty.treaty_file import parse_treaty
from schemas.treaty.treaty_model import Treaties
from tests.properties.strategies import tried
from tests.support.builders import (
    POLICY,
    RECORDED_AT,
    Json,
    bill,
    coverage,
    delivery,
    discharge,
    empty_world,
    policies,
    report,
    take,
)
from tests.support.treaties import treaty_text

STAYS = {"E1": "2023-02-10", "E2": "2023-07-10", "E3": "2024-03-10", "E4": "2024-05-10"}
COPAYS = [0, 2500, 3000, 5000, 9000]
Payer = tuple[str, str | None]

bills = st.tuples(st.just("bill"), st.integers(0, 39))
orders = st.tuples(
    st.sampled_from(["paid", "failed", "returned", "reissue", "set_off", "set_off", "set_off", "waived"]),
    st.integers(0, 30),
)
steps = st.lists(st.one_of(bills, orders), min_size=6, max_size=40)


class Story:
    """One person with four stays, who pays what of them, the insurers, and an operator; in memory."""

    def __init__(self) -> None:
        self.world = empty_world(policies(POLICY))
        self.world.treaties = Treaties([parse_treaty(treaty_text())])
        self.postings: list[Posting] = []
        self.acts: list[str] = []
        self._offsets, self._versions, self._days = count(), count(1), count(1)
        self._take(coverage(), coverage("C2", "ordinary"))
        for claim_id, day in STAYS.items():
            self._take(discharge(claim_id, day, admitted_on=f"{day[:-2]}01"))

    def _take(self, *events: Json) -> Outcome:
        outcome = take(self.world, [delivery(each, next(self._offsets)) for each in events])
        self.postings += outcome.postings
        return outcome

    @property
    def rows(self) -> list[InstructionRow]:
        return list(self.world.instructed.values())

    @property
    def moving(self) -> list[InstructionRow]:
        """The instructions by which money moves, or should."""
        return [row for row in self.rows if row.moves_money and row.payout_id not in self.world.settled]

    def left(self) -> Counter[str]:
        """What each recovery that was set off has left."""
        return Counter({each.payout_id: each.left for waiting in self.world.set_offs.values() for each in waiting})

    def bill(self, number: int) -> None:
        """A bill comes or is corrected; in one of eight the hospital has advanced a part."""
        claim_id, copay = list(STAYS)[number % 4], COPAYS[number % 5]
        taken = [{"scheme_id": "village_mutual_aid", "amount": "100.00"}] if number // 5 == 7 and copay else []
        more: Json = {"advances": taken} if taken else {}
        before = self.left()
        made = self._take(bill(f"S-{claim_id}", claim_id, copay, version=next(self._versions), **more)).instructions
        after = self.left()
        for row in made:
            payer = (row.payer, row.treaty_id)
            if row.kind == "payment" and row.moves_money and not row.payee_id:
                assert not any(after[name] for name in self.acts if self._payer(name) == payer), "owed, and paid"
            if row.set_off_of is not None:
                older = self.acts[: self.acts.index(row.set_off_of)]
                assert not any(after[name] for name in older if self._payer(name) == payer), "the oldest comes first"
        kept = Counter[str]()
        for row in made:
            if row.set_off_of is not None:
                kept[row.set_off_of] += row.amount
        assert +before == after + kept

    def _payer(self, payout_id: str) -> Payer:
        row = next(row for row in self.rows if row.payout_id == payout_id)
        return row.payer, row.treaty_id

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
        processor = self.world.batch()
        try:
            reissue(processor, Reissue(row.payout_id, row.person_id, "li.na", "again"))
        except NotReissuable:
            return False
        self.postings += processor.outcome.postings
        return True

    def settle(self, row: InstructionRow, manner: Manner) -> None:
        processor = self.world.batch()
        try:
            settle_recovery(processor, SettleRecovery(row.payout_id, row.person_id, manner, "li.na", "agreed"))
        except NotSettleable:
            assert Outcome() == processor.outcome
            return
        assert (row.kind, self.state(row) == "paid") == ("recovery", False)
        assert not (manner is Manner.SET_OFF and row.payee_id)
        self.postings += processor.outcome.postings
        self.acts += [row.payout_id] if manner is Manner.SET_OFF else []

    def owed(self) -> Counter[Payer]:
        """What people still have of each payer that nobody collects: not yet kept back, or waived."""
        left, found = self.left(), Counter[Payer]()
        for name, row in self.world.settled.items():
            found[row.payer, row.treaty_id] += row.amount if row.manner == Manner.WAIVED else left[name]
        return found

    def check(self) -> None:
        """Laws that hold at every step."""
        due, net, by_payer, moving = Counter[str](), Counter[str](), Counter[Payer](), Counter[Payer]()
        for rows in self.world.benefits.values():
            due.update({f"{row.claim_id} {row.scheme_id}": row.benefit for row in rows.values()})
        for row in self.rows:
            net[f"{row.claim_id} {row.scheme_id}"] += _signed(row)
            by_payer[row.payer, row.treaty_id] += _signed(row)
            if row.set_off_of is None and row.payout_id not in self.world.settled:
                moving[row.payer, row.treaty_id] += _signed(row)
        assert +due == +net, "law 3"
        assert min(by_payer.values(), default=0) >= 0
        assert moving == by_payer + self.owed(), "as much money is ordered as is due, less what is kept back"
        kept, left = Counter[str](), self.left()
        for row in self.rows:
            if row.set_off_of is not None:
                settled = self.world.settled[PayoutId(row.set_off_of)]
                assert (settled.payer, settled.treaty_id, settled.person_id) == (
                    row.payer,
                    row.treaty_id,
                    row.person_id,
                )
                assert (row.kind, row.payee_id) == ("payment", "")
                kept[row.set_off_of] += row.amount
        for name, settled in self.world.settled.items():
            assert kept[name] + left[name] == (settled.amount if settled.manner == Manner.SET_OFF else 0)
        self._check_books()

    def _check_books(self) -> None:
        """Nobody owes what was settled; what was waived is a loss."""
        held, expected, left = Counter[str](), Counter[str](), self.left()
        for leg in self.postings:
            held[leg.account] += leg.amount
        reversed_ = {row.reversal_of: row.amount for row in self.rows if row.reversal_of}
        for row in self.rows:
            if row.kind == "recovery" and row.moves_money:
                account = accounts.receivable(row.payer, accounts.payee_of(row.payee_id))
                open_ = row.amount - reversed_.get(row.payout_id, 0) if self.state(row) != "paid" else 0
                expected[account] += left[row.payout_id] if row.payout_id in self.world.settled else open_
        for settled in self.world.settled.values():
            scheme_id = self.world.instructed[settled.payout_id].scheme_id
            expected[accounts.waived(scheme_id)] += settled.amount if settled.manner == Manner.WAIVED else 0
        found = {name: amount for name, amount in held.items() if name.startswith(("receivable", "waived")) and amount}
        assert 0 == held.total()
        assert +expected == found


def _signed(row: InstructionRow) -> int:
    return row.amount if row.kind == "payment" else -row.amount


@tried
@given(steps)
def test_each_gets_what_is_due_less_what_they_owe(script: list[tuple[str, int]]) -> None:
    """At every step the books are what is due and debts are kept back once; in the end the money is that too."""
    story = Story()
    for what, number in script:
        rows = story.moving
        if what == "bill":
            story.bill(number)
        elif rows:
            row = rows[number % len(rows)]
            recoveries = [each for each in rows if each.kind == "recovery"]
            if what in ("set_off", "waived") and recoveries:
                story.settle(recoveries[number % len(recoveries)], Manner(what))
            elif what == "reissue":
                story.reissue(row)
            elif what not in ("set_off", "waived"):
                story.report(row, what)
        story.check()
    while any(story.reissue(row) for row in story.moving):
        story.check()
    for row in story.moving:
        if story.state(row) == "instructed":
            story.report(row, "paid")
    story.check()
    due = sum(row.benefit for rows in story.world.benefits.values() for row in rows.values())
    cash = sum(_signed(row) for row in story.moving if story.state(row) == "paid")
    assert cash == due + story.owed().total()
