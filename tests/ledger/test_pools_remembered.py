"""A worker that remembers persons is not misled by a pool's step that another process has done."""

from __future__ import annotations

from sqlalchemy import Engine

from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from infra.sharding import shard_of
from tests.support.builders import SHARDS, bill, contribution, pool
from tests.support.ledgers import person_of_shard
from tests.support.pools import villager
from tests.support.village import PoolOrder, Village


def test_what_another_process_released_is_not_missed(ledger: Engine) -> None:
    """The worker remembers that all of it waits; then its bill is lowered."""
    village, mine = Village(ledger), RememberedPersons()
    village.remembered = mine
    village.take(pool(), *villager("P1", "2024-03-01", 500))
    village.remembered = RememberedPersons()
    village.take(contribution(yuan=500))
    village.remembered = mine
    village.take(bill("S-P1", "E-P1", 2400, version=2, person_id="P1"))
    assert [
        PoolOrder("E-P1", "payment", 50_000, "V1"),
        PoolOrder("E-P1", "recovery", 30_000, "V1"),
    ] == village.orders()
    village.check()


def test_what_another_process_told_is_not_missed(ledger: Engine) -> None:
    """A step that only revises a decision makes what is remembered stale too: no revision comes twice."""
    village, mine = Village(ledger), RememberedPersons()
    village.remembered = mine
    village.take(*villager("P1", "2024-03-01", 500))
    village.remembered = RememberedPersons()
    village.take(pool(on_shortage="owe"))
    village.remembered = mine
    village.take(bill("S-P1", "E-P1", 3200, version=2, person_id="P1"))
    assert [1, 2, 3, 4, 5] == [each["revision"] for each in village.decisions("E-P1")]
    village.check()


def test_a_worker_remembers_what_its_own_step_released(ledger: Engine) -> None:
    """Of persons on other shards than the pool's too."""
    village = Village(ledger)
    village.take(pool(), *(each for n in range(8) for each in villager(f"P{n}", f"2024-03-0{n + 1}", 100)))
    village.take(contribution(yuan=800))
    assert 0 == recompute_groups(ledger, range(SHARDS), SHARDS, village.clock, village.remembered)
    village.take(*(bill(f"S-P{n}", f"E-P{n}", 2100, version=2, person_id=f"P{n}") for n in range(8)))
    assert 40_000 == village.balance()
    village.check()


def test_a_step_does_not_go_by_what_is_remembered_of_a_changed_person(ledger: Engine) -> None:
    """Their shard is locked for the step alone: the batch was about the pool."""
    person = person_of_shard((shard_of("V1", SHARDS) + 1) % SHARDS)
    village, mine = Village(ledger), RememberedPersons()
    village.remembered = mine
    village.take(pool(), *villager(person, "2024-03-01", 500))
    village.remembered = RememberedPersons()
    village.take(bill(f"S-{person}", f"E-{person}", 2400, version=2, person_id=person))
    village.remembered = mine
    village.take(contribution(yuan=500))
    assert 30_000 == village.balance()
    village.check()
