"""Two hospitals post one invoice for two persons at the same moment: one of the two is paid, never both."""

from __future__ import annotations

from functools import partial
from threading import Barrier, local
from typing import Any

import pytest
from sqlalchemy import Engine

from acts.load_world import load_world
from acts.recompute_groups import recompute_groups
from acts.take_in import take_in
from handlers.claims.world import World
from infra.ledger.schema import connect
from tests.ledger.held_stays import POLICY_THAT_HOLDS, stay
from tests.support.builders import SHARDS
from tests.support.deadlocks import deadlocks
from tests.support.ledgers import at_once, held, in_order, patiently, person_of_shard, ranges
from tests.support.replayed import assert_replays
from tests.support.village import Village

PERSONS = (person_of_shard(0), person_of_shard(1))


def test_of_two_at_the_same_moment_one_is_paid(
    ledger: Engine, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked who names their two invoices before either writes; each names them in another order."""
    village = Village(ledger, POLICY_THAT_HOLDS)
    for person in PERSONS:
        village.take(stay(person)[0])
    epochs, engine = held(ledger), connect(ledger_url, pool=4)
    both, thread = Barrier(2), local()

    def loading(*given: Any) -> World:
        world = load_world(*given)
        if not getattr(thread, "met", False):
            thread.met = True
            both.wait(timeout=60)
        return world

    def taking(person: str, invoices: str) -> None:
        events = [
            event
            for number, invoice in enumerate(invoices, start=1)
            for event in stay(
                person, f"2024-0{number}-01", f"2024-0{number}-05", f"{person}-{invoice}", invoice_no=invoice
            )
        ]
        batch = ranges(in_order([each for each in events if each["event_type"] != "coverage.recorded"]))
        taken = patiently(partial(take_in, engine, batch, epochs, SHARDS, village.clock))
        patiently(partial(recompute_groups, engine, taken.groups_wait, SHARDS, village.clock))

    with monkeypatch.context() as patched:
        patched.setattr("acts.take_in.load_world", loading)
        at_once(partial(taking, PERSONS[0], "XY"), partial(taking, PERSONS[1], "YX"))
    engine.dispose()
    paid = village.released()
    for invoice in "XY":
        assert [0, 30_000] == sorted(paid[f"{person}-{invoice}"] for person in PERSONS)
    assert 0 == deadlocks(ledger, ledger_url)
    assert_replays(ledger, at_once=True)
