"""Two hospitals post one invoice for two persons at the same moment: one of the two is paid, never both."""

from __future__ import annotations

from functools import partial
from threading import Barrier

from sqlalchemy import Engine

from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from infra.ledger.schema import connect
from schemas.records import Delivery
from tests.ledger.held_stays import POLICY_THAT_HOLDS, stay
from tests.support.builders import SHARDS
from tests.support.deadlocks import deadlocks
from tests.support.ledgers import at_once, held, in_order, patiently, person_of_shard, ranges
from tests.support.replayed import assert_replays
from tests.support.village import Village

INVOICES = 12


def test_of_two_at_the_same_moment_one_is_paid(ledger: Engine, ledger_url: str) -> None:
    """Each worker holds the shard of one of the two persons, and begins each batch when the other one does."""
    village = Village(ledger, POLICY_THAT_HOLDS)
    epochs, engine, together = held(ledger), connect(ledger_url, pool=4), Barrier(2)
    posted = [
        _posted(person_of_shard(shard), [f"X{number}" for number in range(INVOICES)][:: -1 if shard else 1])
        for shard in (0, 1)
    ]

    def taking(batches: list[list[Delivery]]) -> None:
        worker = RememberedPersons()
        for batch in batches:
            together.wait(timeout=60)
            taken = patiently(partial(take_in, engine, ranges(batch), epochs, SHARDS, village.clock, worker))
            if taken.groups_wait:
                patiently(partial(recompute_groups, engine, taken.groups_wait, SHARDS, village.clock, worker))

    at_once(*(partial(taking, batches) for batches in posted))
    recompute_groups(engine, range(SHARDS), SHARDS, village.clock)
    engine.dispose()
    paid = village.released()
    for number in range(INVOICES):
        assert [0, 30_000] == sorted(paid[f"{person_of_shard(shard)}-X{number}"] for shard in (0, 1))
    assert 0 == deadlocks(ledger, ledger_url)
    assert_replays(ledger, at_once=True)


def _posted(person: str, invoices: list[str]) -> list[list[Delivery]]:
    """A person's stays with these invoices, each a batch; two invoices at a time, in the order given."""
    events = [
        event
        for number, invoice in enumerate(invoices)
        for event in stay(
            person,
            f"2024-{1 + number % 12:02}-01",
            f"2024-{1 + number % 12:02}-05",
            f"{person}-{invoice}",
            invoice_no=invoice,
        )[0 if number == 0 else 1 :]
    ]
    deliveries = in_order(events)
    size = 2 * 2
    first = deliveries[: size + 1]
    rest = deliveries[size + 1 :]
    return [first, *(rest[at : at + size] for at in range(0, len(rest), size))]
