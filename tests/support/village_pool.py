"""A ledger with the pool policy, to which events of villages are posted batch by batch."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from tests.support.acts import publish
from tests.support.builders import RECORDED_AT, SHARDS, Json, contribution, pool
from tests.support.ledgers import held, in_order, ranges
from tests.support.pools import POOL_POLICY, villager


class VillagePool:
    """Takes events in at a moment that can be set; ``posted`` are those of before."""

    def __init__(self, ledger: Engine) -> None:
        self.ledger, self.at = ledger, RECORDED_AT
        self._posted: list[Json] = []
        publish(ledger, POOL_POLICY, "li.na", SHARDS, self.now)

    def now(self) -> datetime:
        return self.at

    def take(self, *events: Json) -> None:
        """The next batch, with the pool's step after it."""
        deliveries = in_order([*self._posted, *events])[len(self._posted) :]
        self._posted += events
        taken = take_in(self.ledger, ranges(deliveries), held(self.ledger), SHARDS, self.now)
        recompute_groups(self.ledger, taken.groups_wait, SHARDS, self.now, RememberedPersons())


def short_village(ledger: Engine) -> VillagePool:
    """A queue with 700 yuan, 100 of them from the government: P1 got 500 yuan, P2 and P3 wait for 300 and 100."""
    made = VillagePool(ledger)
    made.take(
        pool(),
        contribution("G1", yuan=600, heads=120, payer="Qian Duoduo"),
        contribution("G2", yuan=100, kind="government", restricted_to=["village_mutual_aid"]),
        *villager("P1", "2024-03-01", 500),
        *villager("P2", "2024-03-02", 300),
        *villager("P3", "2024-03-03", 100),
    )
    return made


def sharing_village(ledger: Engine) -> VillagePool:
    """A pool that pays pro rata, with 450 yuan, for which 500, 300 and 100 yuan of 2024 wait."""
    made = VillagePool(ledger)
    made.take(
        pool(on_shortage="pro_rata"),
        contribution("G1", yuan=450),
        *villager("P1", "2024-03-01", 500),
        *villager("P2", "2024-03-02", 300),
        *villager("P3", "2024-03-03", 100),
    )
    return made
