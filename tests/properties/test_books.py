"""What the core posts (payers.md, section 4) against an oracle of the books that shares no code.

The oracle (tests/oracle/books.py) was written by somebody who had not read the implementation. It is given what is
published and what insurers report, and nothing else.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.payout_reports import NotReissuable
from handlers.claims.process import Processor
from handlers.claims.reissue import reissue
from schemas.ids import PayoutId
from schemas.records import InstructionRow, Posting, Reissue
from schemas.topics import INSTRUCTIONS
from schemas.treaty.treaty_file import parse_treaty
from tests.oracle import books as oracle
from tests.properties.strategies import (
    Body,
    History,
    Ledger,
    busy_years,
    deliveries,
    histories,
    tried,
    with_advances,
)
from tests.support.builders import RECORDED_AT, report
from tests.support.treaties import treaty_text

TREATIES = (
    treaty_text("t1", "insurer-a", "2020-01-01", "2020-07-01", ("mutual", "relief")),
    treaty_text("t2", "insurer-b", "2020-01-01", "2022-01-01", ("self_pay",)),
    treaty_text("t3", "insurer-a", "2020-07-01", "2022-01-01", ("mutual",)),
)
MOVES = (*("report",) * 6, "early", "stranger", "reissue", "treaty", "wait")
chances = st.randoms(use_true_random=True)


class Desk(Ledger):
    """A ledger in memory over weeks, in which each event is a batch of its own, and all that the oracle may know."""

    def __init__(self, *texts: str) -> None:
        super().__init__(*texts, one_batch=False)
        self.now: datetime = RECORDED_AT - timedelta(days=20)
        self.movements: list[oracle.Movement] = []
        self.days: list[dict[str, str]] = [{}]
        """After each batch the day of discharge of each claim."""
        self.treaties = list(TREATIES)
        """Those that are not yet published."""
        self.foreseen: list[str] = []
        """Payouts that are instructed now or later, as a restored ledger may hear of them before."""

    def _batch(self) -> Processor:
        self.batches.append(self.world.batch(self.now))
        self.days.append(dict(self.days[-1]))
        return self.batches[-1]

    def post(self, body: Body) -> None:
        """Takes in a fact, which may be an old version or come again."""
        self.take(body)
        accepted = self.batches[-1].outcome.events[-1].disposition == "accepted"
        if accepted and body["event_type"] == "encounter.discharged":
            self.days[-1][str(body["encounter_id"])] = str(body["discharged_on"])
        if accepted and body["event_type"] == "payout.reported":
            self.movements.append(oracle.reported_by(body, self.now))
        self._published()

    def move(self, random: Random) -> None:
        """Something that is no fact about a claim: a report, an operator's act, or time that goes by."""
        rows, what = self.instructions, random.choice(MOVES)
        if what == "wait":
            self.now += timedelta(days=random.randrange(20), hours=random.randrange(24))
        elif what == "treaty" and self.treaties:
            self.world.treaties = self.world.treaties.joined(parse_treaty(self.treaties.pop()))
        elif what == "reissue":
            for failed in random.sample(rows, len(rows)):
                self.reissue(failed)
        elif what == "early" and self.foreseen:
            self.report(random.choice(self.foreseen), random)
        elif rows:
            newer = random.choice(rows[-random.randint(1, len(rows)) :])
            self.report(newer.payout_id, random, "P2" if what == "stranger" else "P1")

    def reissue(self, failed: InstructionRow) -> None:
        """Orders a payout again, if it may be."""
        with suppress(NotReissuable):
            reissue(self._batch(), Reissue(failed.payout_id, failed.person_id, "li.na", "again"))
        self._published()

    def report(self, payout_id: str, random: Random, person: str = "P1") -> None:
        when = f"2025-01-{random.randint(1, 5):02d}T10:00:00+08:00"
        status = random.choice(("paid", "paid", "failed", "returned"))
        self.post(report(payout_id, status=status, reported_at=when, person_id=person))

    def _published(self) -> None:
        for message in self.batches[-1].outcome.outbox:
            if message.topic == INSTRUCTIONS.name:
                self.movements.append(oracle.instructed_by(json.loads(message.value)))

    @property
    def postings(self) -> list[Posting]:
        return [posting for batch in self.batches for posting in batch.outcome.postings]


def legs(postings: Iterable[Posting]) -> list[oracle.Leg]:
    return [oracle.Leg(each.account, each.amount, each.booked_on, each.reference) for each in postings]


def told(history: History, order: list[Body], random: Random) -> Desk:
    """A history with all that insurers and operators do in between and afterwards."""
    desk, before = Desk(*history.policies), Ledger(*history.policies)
    desk.foreseen = [row.payout_id for row in before.take(*order)]
    for body in order:
        desk.post(body)
        for _ in range(random.randrange(5)):
            desk.move(random)
    return desk


@tried
@given(with_advances(histories() | busy_years()), chances, st.data())
def test_the_core_posts_what_the_oracle_does(history: History, random: Random, data: st.DataObject) -> None:
    """Whatever is corrected, advanced, reported late, early or twice, or ordered again, by whoever pays."""
    desk = told(history, data.draw(deliveries(history.facts)), random)
    assert oracle.journal(desk.movements) == legs(desk.postings)


@tried
@given(with_advances(histories() | busy_years()), chances, st.data())
def test_every_entry_sums_to_zero_and_is_of_the_day_of_discharge(
    history: History, random: Random, data: st.DataObject
) -> None:
    """The day is the one that is known by then; the entries of an event are counted from 1, and so are their legs."""
    desk = told(history, data.draw(deliveries(history.facts)), random)
    for batch, days in zip(desk.batches, desk.days, strict=True):
        entries = Counter[int]()
        for each in batch.outcome.postings:
            entries[each.entry] += each.amount
            claim_id = desk.world.instructed[PayoutId(each.reference)].claim_id
            assert days[claim_id] == each.effective_on.isoformat()
        assert list(entries) == list(range(1, len(entries) + 1))
        assert not any(entries.values())
        counted = [(each.entry, each.leg) for each in batch.outcome.postings]
        assert counted == [(entry, leg) for entry in entries for leg in (1, 2)]
