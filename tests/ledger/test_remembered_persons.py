"""What a worker remembers of persons is what the ledger holds, or it is not used."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest
from sqlalchemy import Engine, func, select

import acts.take_in
from acts.load_world import load_persons
from acts.remembered_persons import RememberedPersons
from handlers.claims import long_years
from handlers.claims.world import World
from infra.ledger import payout_states, reads, tables
from infra.sharding import shard_of
from schemas.ids import PersonId
from schemas.policy.model import Policies
from schemas.records import Manner, ShardState
from tests.support.acts import publish, reissue, settle
from tests.support.builders import (
    POLICY,
    RECORDED_AT,
    SHARDS,
    bill,
    coverage,
    delivery,
    discharge,
    empty_world,
    policies,
    report,
    take,
    void,
)
from tests.support.ledgers import Clock, for_person, give, held, in_order, person_of_shard, ticking
from tests.support.loads import posted, random_batches, sample
from tests.support.replayed import assert_replays

PERSON = PersonId("P1")


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_remembered_is_what_would_be_loaded(ledger: Engine, seed: int) -> None:
    """After each of many random batches; and what another process publishes in between is not missed."""
    rng, now, remembered, hits = Random(seed), ticking(), RememberedPersons(), 0
    held(ledger)
    publish(ledger, sample("first", "2010-01-01", "2024-07-01"), "li.na", SHARDS, now)
    for number, batch in enumerate(random_batches(posted(seed), rng)):
        give(ledger, batch, now, remembered)
        if number == 6:
            publish(ledger, sample("second", "2024-07-01", None), "li.na", SHARDS, now)
        hits += _compare(ledger, remembered)
    assert hits > 200
    assert_replays(ledger)


@pytest.mark.parametrize("seed", [6, 7])
def test_acts_on_recoveries_are_not_missed(ledger: Engine, seed: int) -> None:
    """Between random batches an operator settles recoveries: what is remembered has what is left of each."""
    rng, now, remembered = Random(seed), ticking(), RememberedPersons()
    held(ledger)
    publish(ledger, sample("only", "2010-01-01", None), "li.na", SHARDS, now)
    settled = 0
    for batch in random_batches(posted(seed), rng):
        give(ledger, batch, now, remembered)
        settled += _settle_some(ledger, rng, now)
        _compare(ledger, remembered)
    kept = select(func.count()).select_from(tables.instructions).where(tables.instructions.c.set_off_of.is_not(None))
    with ledger.connect() as connection:
        assert (settled > 5, (connection.scalar(kept) or 0) > 2) == (True, True)
    assert_replays(ledger)


def _settle_some(ledger: Engine, rng: Random, now: Clock) -> int:
    """How many of the open recoveries an operator set off or waived."""
    with ledger.connect() as connection:
        waiting = [each for each in payout_states.recoveries(connection, open_only=True) if each.manner is None]
    done = 0
    for each in waiting:
        manner = Manner.WAIVED if each.payee_id or rng.random() < 0.2 else Manner.SET_OFF
        if rng.random() < 0.7:
            settle(ledger, each.payout_id, manner, "li.na", "agreed", SHARDS, now)
            done += 1
    return done


def _compare(ledger: Engine, remembered: RememberedPersons) -> int:
    """How many persons are remembered, each as the ledger holds them."""
    with ledger.begin() as connection:
        shards = reads.lock_shards(connection, range(SHARDS), {})
        persons = set(connection.scalars(select(tables.facts.c.person_id)))
        world = World(Policies(), partial(shard_of, shard_count=SHARDS))
        remembered.compare(shards)
        known = persons - remembered.take_out(persons, world)
        loaded = load_persons(connection, known, SHARDS)
        assert loaded.accounts == world.accounts
        assert loaded.claims == world.claims
        assert loaded.set_offs == world.set_offs
        assert loaded.benefits == {claim_id: rows for claim_id, rows in world.benefits.items() if rows}
    remembered.put_back(world, shards)
    return len(known)


@pytest.mark.parametrize(("seed", "long"), [(3, long_years.LONG), (4, long_years.LONG), (5, 1)])
def test_workers_that_take_turns_decide_as_one_that_remembers_nothing(
    ledger: Engine, monkeypatch: pytest.MonkeyPatch, seed: int, long: int
) -> None:
    """A batch is one worker's or another's, as after rebalances: they remember the persons as of now or of long ago."""
    monkeypatch.setattr(long_years, "LONG", long)
    rng, now = Random(seed), ticking()
    held(ledger)
    publish(ledger, sample("only", "2010-01-01", None), "li.na", SHARDS, now)
    workers = [RememberedPersons(), RememberedPersons(facts_max=100)]
    for batch in random_batches(posted(seed), rng):
        give(ledger, batch, now, rng.choice(workers))
    monkeypatch.setattr(long_years, "LONG", 10**9)  # what decides whole years says the same
    assert_replays(ledger)


def test_a_bill_that_another_worker_took_in_is_recovered_when_it_is_voided(ledger: Engine) -> None:
    """The worker that takes the void in remembers the person from before the bill."""
    mine, theirs = RememberedPersons(), RememberedPersons()
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    held(ledger)
    messages = in_order([coverage(), discharge(), bill(), void()])
    give(ledger, messages[:2], remembered=mine)
    give(ledger, messages[2:3], remembered=theirs)
    give(ledger, messages[3:], remembered=mine)
    assert ["payment", "recovery"] == _kinds(ledger)
    assert_replays(ledger)


def test_what_a_policy_paid_is_recovered_when_the_bill_is_voided(ledger: Engine) -> None:
    """The worker remembers the claim from before an operator published the policy that paid it."""
    remembered = RememberedPersons()
    held(ledger)
    messages = in_order([coverage(), discharge(), bill(), void()])
    give(ledger, messages[:3], remembered=remembered)
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    give(ledger, messages[3:], remembered=remembered)
    assert ["payment", "recovery"] == _kinds(ledger)
    assert_replays(ledger)


def test_after_a_reissue_revisions_go_on(ledger: Engine) -> None:
    """The worker remembers the benefit from before an operator reissued its payout: no payout id is used twice."""
    remembered, now = RememberedPersons(), ticking()
    publish(ledger, POLICY, "li.na", SHARDS, now)
    held(ledger)
    (paid,) = take(empty_world(policies(POLICY)), map(delivery, (coverage(), discharge(), bill()))).instructions
    messages = in_order([coverage(), discharge(), bill(), report(paid.payout_id, status="failed"), void()])
    give(ledger, messages[:4], now, remembered)
    reissue(ledger, paid.payout_id, "li.na", "wrong account", SHARDS, now)
    give(ledger, messages[4:], now, remembered)
    assert ["payment", "recovery", "payment", "recovery"] == _kinds(ledger)
    assert_replays(ledger)


def test_a_batch_that_was_rolled_back_is_not_remembered(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is decided again from what the ledger holds, and pays."""
    remembered = RememberedPersons()
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    held(ledger)
    messages = in_order([coverage(), discharge(), bill()])
    give(ledger, messages[:2], remembered=remembered)
    with monkeypatch.context() as patch:
        patch.setattr(acts.take_in, "move_offsets", _broken)
        with pytest.raises(ConnectionError):
            give(ledger, messages[2:], remembered=remembered)
    assert [] == _kinds(ledger)
    give(ledger, messages[2:], remembered=remembered)
    assert ["payment"] == _kinds(ledger)
    assert_replays(ledger)


def _broken(*_: object) -> None:
    raise ConnectionError("the ledger went away before the commit")


def _kinds(ledger: Engine) -> list[str]:
    order = tables.instructions
    with ledger.connect() as connection:
        return list(connection.scalars(select(order.c.kind).order_by(order.c.revision)))


# In memory ----------------------------------------------------------------------------------------------------------


def _world(*persons: str) -> World:
    """A world in which each person has two facts."""
    world = empty_world(policies(POLICY))
    for number, person in enumerate(persons):
        own = for_person(person, coverage(f"C{number}"), discharge(f"E{number}"))
        take(world, map(delivery, own))
    return world


def _left(audit_seq: int, audit_hash: str) -> dict[int, ShardState]:
    return {shard: ShardState(shard, audit_seq, audit_hash) for shard in range(SHARDS)}


def _unknown(remembered: RememberedPersons, *persons: str) -> set[str]:
    empty = World(Policies(), partial(shard_of, shard_count=SHARDS))
    return set(remembered.take_out([PersonId(person) for person in persons], empty))


@pytest.mark.parametrize(
    ("found", "known"),
    [((7, "a" * 64), True), ((8, "a" * 64), False), ((6, "a" * 64), False), ((7, "b" * 64), False)],
    ids=["the same", "longer", "shorter", "another chain of the same length"],
)
def test_a_person_is_known_as_long_as_the_shard_ends_where_it_was_left(found: tuple[int, str], known: bool) -> None:
    """Length and hash: a restored ledger may have grown again to the same length."""
    remembered = RememberedPersons()
    remembered.compare(_left(7, "a" * 64))
    remembered.put_back(_world("P1"), _left(7, "a" * 64))
    remembered.compare(_left(*found))
    assert known == (set() == _unknown(remembered, "P1"))


def test_who_was_forgotten_with_a_shard_is_not_remembered_when_it_goes_on() -> None:
    """Persons from before another worker's time stay unknown when this one has the shard again."""
    remembered = RememberedPersons()
    own = [person_of_shard(0), next(name for n in range(999) if shard_of(name := f"R{n}", SHARDS) == 0)]
    remembered.compare(_left(1, "a"))
    remembered.put_back(_world(own[0]), _left(2, "b"))
    remembered.compare(_left(3, "c"))
    remembered.put_back(_world(own[1]), _left(4, "d"))
    remembered.compare(_left(4, "d"))
    assert {own[0]} == _unknown(remembered, *own)


def test_so_many_facts_are_remembered_and_no_more() -> None:
    """The persons who were met last stay."""
    remembered = RememberedPersons(facts_max=5)
    remembered.compare(_left(0, ""))
    for person in ("P1", "P2", "P3"):
        remembered.put_back(_world(person), _left(0, ""))
    assert {"P1"} == _unknown(remembered, "P1", "P2", "P3")
