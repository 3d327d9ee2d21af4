"""Pools and their oracle, two programs that share no code, agree after every moment of random lives.

A moment is one fact; after most of them the pools do their steps, after some an operator closes the year of one.
"""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from schemas.facts import OnShortage
from tests.oracle.pool_cases import PoolCase, random_pool_case
from tests.oracle.pools import State, replay
from tests.properties.pool_ledger import PoolLedger
from tests.properties.strategies import fen
from tests.support.length import times

LIVES = times(100, 5_000, "HUZHU_TEST_EXAMPLES")
LIVES_AT_ONCE = 50


def unserved(case: PoolCase) -> set[int]:
    """The moments after which no pool does a step; a close begins with the steps that wait."""
    rng, closed = Random(f"unserved {case.seed}"), {close.moment for close in case.closes}
    often = rng.choice((0.0, 0.2, 0.6))
    return {moment for moment in range(len(case.facts)) if rng.random() < often} - closed


def by_product(ledger: PoolLedger) -> dict[str, Any]:
    """The ledger's rows and instructions in the words of the oracle."""
    rows = {(row.claim_id, row.scheme_id): row for held in ledger.world.benefits.values() for row in held.values()}
    paid: Counter[tuple[str, str, str | None]] = Counter()
    for each in ledger.instructions:
        paid[each.claim_id, each.scheme_id, each.pool_id] += each.amount if each.kind == "payment" else -each.amount
    positions: dict[tuple[str, str], int] = {}
    for pool_id, standing in ledger.pools.items():
        if standing.on_shortage is OnShortage.QUEUE:
            queue = ledger.pool(pool_id).queue
            positions |= {(each.claim_id, each.scheme_id): place for place, each in enumerate(queue, start=1)}
    return {
        "due": {line: row.benefit for line, row in rows.items() if row.benefit},
        "released": {line: row.released for line, row in rows.items() if row.released},
        "waiting": {line: row.waiting for line, row in rows.items() if row.waiting},
        "positions": positions,
        "balances": {pool_id: standing.money.balance for pool_id, standing in ledger.pools.items()},
        "paid": {who: amount for who, amount in paid.items() if amount},
    }


def by_oracle(state: State, ledger: PoolLedger) -> dict[str, Any]:
    found = {name: getattr(state, name) for name in ("due", "released", "waiting", "positions", "paid")}
    return found | {"balances": {pool_id: state.balances.get(pool_id, 0) for pool_id in ledger.pools}}


def said_to_wait(ledger: PoolLedger) -> dict[tuple[str, str], int]:
    """What the newest decisions call waiting."""
    return {
        (claim_id, line["scheme_id"]): fen(line["amount"])
        for claim_id, decision in ledger.decisions().items()
        for line in decision.get("waiting", ())
    }


def disagreement(case: PoolCase) -> str | None:
    """Where the two disagree first on a case; None when they agree."""
    skipped = unserved(case)
    states = replay([[line] for line in case.facts], [case.policy_text], case.closes, skipped)
    ledger = PoolLedger(case.policy_text, at_once=False)
    for moment, (line, state) in enumerate(zip(case.facts, states, strict=True)):
        ledger.take({**json.loads(line), "occurred_at": "2024-12-31T12:00:00+08:00"})
        if moment not in skipped:
            ledger.rest()
        for close in case.closes:
            if close.moment == moment:
                ledger.close(close.pool_id, close.year)
        ours, theirs = by_product(ledger), by_oracle(state, ledger)
        for name in theirs:
            if ours[name] != theirs[name]:
                return f"seed {case.seed}, moment {moment}: {name}\n  oracle  {theirs[name]}\n  product {ours[name]}"
        if moment not in skipped and said_to_wait(ledger) != state.waiting:
            return f"seed {case.seed}, moment {moment}: {said_to_wait(ledger)} is said to wait, not {state.waiting}"
    return None


@pytest.mark.parametrize("first", range(0, LIVES, LIVES_AT_ONCE))
def test_pools_and_their_oracle_agree_after_every_moment(first: int) -> None:
    """What is due, released and waits, where in the queue, which pool has paid what, and what each has left."""
    seeds = range(first, min(LIVES, first + LIVES_AT_ONCE))
    found = [disagreement(random_pool_case(seed)) for seed in seeds]
    assert [] == [each for each in found if each is not None]
