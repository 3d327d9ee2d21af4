"""The inbox in a real ledger: what is sent first, what is known of an event, and when it may be forgotten."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from infra.ledger import inbox
from infra.sharding import shard_of
from schemas.facts import Kind
from schemas.ids import EncounterId, PersonId
from schemas.records import InboxRow
from schemas.topics import DISCHARGES, EXPENSES
from tests.support.builders import SHARDS, bill, delivery, discharge, encode
from tests.support.ledgers import give, held

P1 = shard_of("P1", SHARDS)


def waiting(ledger: Engine, *versions: int, person_id: str = "P1") -> list[int]:
    """Versions of a person's bill that were acknowledged; their numbers in the inbox."""
    shard = shard_of(person_id, SHARDS)
    rows = [
        InboxRow(
            shard=shard,
            topic=EXPENSES.name,
            person_id=PersonId(person_id),
            value=encode(bill(version=version, person_id=person_id)),
            kind=Kind.SETTLEMENT,
            subject_id="S1",
            version=version,
            content_sha256=f"content {version}",
            encounter_id=EncounterId("E1"),
        )
        for version in versions
    ]
    with ledger.begin() as connection:
        return inbox.append(connection, rows)


def sent(ledger: Engine, number: int, offset: int) -> None:
    with ledger.begin() as connection:
        inbox.mark_sent(connection, [(number, offset)])


def forgotten(ledger: Engine) -> int:
    with ledger.begin() as connection:
        return inbox.forget_taken_in(connection, timedelta(0))


def known(ledger: Engine, *numbers: int) -> dict[int, str]:
    """What became of those that are decided."""
    with ledger.connect() as connection:
        return {fate.inbox_no: fate.disposition for fate in inbox.fates(connection, numbers)}


def not_taken_in(ledger: Engine) -> list[int]:
    with ledger.connect() as connection:
        return [row.version for row in inbox.not_taken_in(connection, "E1")]


def test_the_oldest_are_sent_first_and_one_forwarder_sends_a_shard(ledger: Engine) -> None:
    """A second forwarder meanwhile gets only what came for other shards."""
    other = next(name for name in map("Q{}".format, range(100)) if shard_of(name, SHARDS) != P1)
    first, second, third = waiting(ledger, 1, 2, 3)
    with ledger.begin() as one, ledger.begin() as two:
        assert [first, second] == [row.inbox_no for row in inbox.take_unsent(one, 2)]
        (others,) = waiting(ledger, 4, person_id=other)
        assert [others] == [row.inbox_no for row in inbox.take_unsent(two, 2)]
        inbox.mark_sent(one, [(first, 0), (second, 1)])
    with ledger.begin() as again:
        assert [third, others] == [row.inbox_no for row in inbox.take_unsent(again, 2)]


def test_an_event_is_taken_in_when_its_own_topic_partition_and_offset_are(ledger: Engine) -> None:
    """Until then it is neither decided nor forgotten, whatever else the ledger has; once forgotten, it is accepted."""
    held(ledger)
    first, second = waiting(ledger, 1, 2)
    sent(ledger, first, 0)
    give(ledger, [delivery(discharge())])
    assert (DISCHARGES.name, P1, 0) == delivery(discharge())[:3]
    assert ({}, 0, [1, 2]) == (known(ledger, first, second), forgotten(ledger), not_taken_in(ledger))
    give(ledger, [delivery(bill())])
    assert ({first: "accepted"}, [2]) == (known(ledger, first, second), not_taken_in(ledger))
    assert (1, 0) == (forgotten(ledger), forgotten(ledger))
    assert ({first: "accepted"}, [2]) == (known(ledger, first, second), not_taken_in(ledger))
