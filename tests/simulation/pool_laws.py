"""What must be true of pools: their money at every commit, and at rest nobody waits whom the money covers."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import psycopg

from tests.oracle.pool_money import FREE, Money, is_covered
from tests.simulation.witness import Evidence, expect

NOT_AS_INSTRUCTED = """
    WITH paid AS (
        SELECT claim_id, scheme_id, sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END) AS net
        FROM instructions GROUP BY 1, 2
    )
    SELECT claim_id, scheme_id, benefit, released, coalesce(net, 0)
    FROM benefits LEFT JOIN paid USING (claim_id, scheme_id)
    WHERE released <> coalesce(net, 0) OR released < 0 OR released > benefit
"""
BALANCES = """
    SELECT pool_id, sum(amount) FROM (
        SELECT pool_id, CASE side WHEN 'received' THEN amount ELSE -amount END AS amount FROM pool_sums
        UNION ALL SELECT pool_id, CASE side WHEN 'received' THEN amount ELSE -amount END FROM pool_work
    ) AS each GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1
"""
MOVED = """
    SELECT pool_id, sum(amount)::bigint FROM (
        SELECT pool_id, amount FROM contributions
        UNION ALL SELECT pool_id, CASE kind WHEN 'payment' THEN -amount ELSE amount END FROM instructions
        WHERE pool_id IS NOT NULL
    ) AS each GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1
"""
NEVER_LOST_MONEY = """
    SELECT pool_id FROM pools WHERE on_shortage <> 'owe'
    AND NOT EXISTS (SELECT FROM facts WHERE kind = 'pool' AND subject_id = pool_id AND version > 1)
    AND NOT EXISTS (
        SELECT FROM contributions AS given JOIN facts ON facts.kind = 'contribution' AND subject_id = contribution_id
        WHERE given.pool_id = pools.pool_id AND facts.version > 1
    )
"""
"""Pools that may not owe, and whose money nobody has corrected or voided."""

WAITING = """
    SELECT pool_id, claim_id, scheme_id, benefit - released FROM benefits
    WHERE pool_id <> '' AND benefit > released ORDER BY discharged_on, claim_id COLLATE "C", place
"""
SPENT = """
    SELECT pool_id, scheme_id, sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END)::bigint
    FROM instructions WHERE pool_id IS NOT NULL GROUP BY 1, 2
"""


def money_of_pools(ledger: psycopg.Connection[Any]) -> None:
    """Looks whether what is released was instructed, and each balance is what was received less what was paid."""
    expect("what is released is instructed", [], ledger.execute(NOT_AS_INSTRUCTED).fetchall())
    balances = ledger.execute(BALANCES).fetchall()
    expect("a pool's balance", ledger.execute(MOVED).fetchall(), balances)
    steady = {pool_id for (pool_id,) in ledger.execute(NEVER_LOST_MONEY).fetchall()}
    expect("a pool that may not owe", [], [each for each in balances if each[0] in steady and each[1] < 0])


def waiting_by_rows(evidence: Evidence) -> dict[tuple[str, str], Decimal]:
    """What waits of each claim and scheme, in yuan."""
    return {
        place: Decimal(amount).scaleb(-2) for _, *place_, amount in evidence.rows(WAITING) for place in [(*place_,)]
    }


def pools_are_at_rest(evidence: Evidence) -> None:
    """No pool has work, and nobody waits whom the money covers: only a queue's first counts, as nobody is overtaken."""
    expect("no pool waits for its step", [(0,)], evidence.rows("SELECT count(*) FROM pool_work"))
    rules = dict(evidence.rows("SELECT pool_id, on_shortage FROM pools"))
    received: dict[str, Money] = defaultdict(dict)
    for pool_id, amount, restricted_to in evidence.rows("SELECT pool_id, amount, restricted_to FROM contributions"):
        only = frozenset(restricted_to)
        received[pool_id][only] = received[pool_id].get(only, 0) + amount
    spent: dict[str, dict[str, int]] = defaultdict(dict)
    for pool_id, scheme_id, amount in evidence.rows(SPENT):
        spent[pool_id][scheme_id] = amount
    seen = set[str]()
    for pool_id, claim_id, scheme_id, amount in evidence.rows(WAITING):
        expect("who owes pays everybody", (claim_id, True), (claim_id, rules.get(pool_id) != "owe"))
        if rules.get(pool_id) == "queue" and pool_id not in seen:
            after = {**spent[pool_id], scheme_id: spent[pool_id].get(scheme_id, 0) + amount}
            covered = is_covered({FREE: 0, **received[pool_id]}, after)
            expect("nobody waits whom the money covers", (claim_id, False), (claim_id, covered))
        seen.add(pool_id)
