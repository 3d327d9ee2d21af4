"""Pools that run short in a fault run: their policy makes them pay much, the load leaves out most of their money."""

from __future__ import annotations

import json
from random import Random
from typing import NamedTuple

SENT = 0.2
"""So much of what a population's pools receive is sent: most queues are short, and more arrives among the faults."""

BY_POOL = {
    'accumulates = "stay"': 'accumulates = "stay"\nfunded_by = "pool"',
    'threshold = "2000.00"': 'threshold = "500.00"',
    'brackets = [{ over = "2000.00", rate = "0.30" }]': 'brackets = [{ over = "0.00", rate = "0.90" }]',
}
"""What makes pools pay for the sample policy's villagers, for more of their stays and more for each."""


def by_pool(policy: str) -> str:
    """The sample policy, with the village's mutual aid funded by pools."""
    for written, instead in BY_POOL.items():
        if written not in policy:
            raise ValueError(f"the sample policy no longer says {written}")
        policy = policy.replace(written, instead)
    return policy


def is_sent(seed: int, value: bytes | None) -> bool:
    """Whether the load sends a message: of most contributions no version is sent, of everything else all."""
    try:
        contribution_id = json.loads(value or b"")["contribution_id"]
    except (ValueError, KeyError, TypeError):
        return True
    return Random(f"{seed}:{contribution_id}").random() < SENT


class Held(NamedTuple):
    """A benefit in the ledger, in fen; the pool is empty if no coverage names one, None if the scheme needs none."""

    benefit: int
    released: int
    pool_id: str | None

    @property
    def waiting(self) -> int:
        return self.benefit - self.released if self.pool_id else 0


HELD = "SELECT claim_id, scheme_id, benefit, released, pool_id FROM benefits"

BALANCES = """
    SELECT pool_id, sum(amount)::bigint FROM (
        SELECT pool_id, CASE side WHEN 'received' THEN amount ELSE -amount END AS amount FROM pool_sums
        UNION ALL SELECT pool_id, CASE side WHEN 'received' THEN amount ELSE -amount END FROM pool_work
    ) AS each GROUP BY 1
"""
"""What the ledger says that each pool has, in fen."""
