"""What a ledger is behind with: a pool that waits for its step counts, so that nobody stops a system too early."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from sqlalchemy import Engine

from acts.reader import Reader
from infra.sharding import shard_of
from stream.lag import Lag, lag
from tests.support.acts import publish
from tests.support.builders import RECORDED_AT, SHARDS, contribution, pool
from tests.support.ledgers import do_steps, give, held, in_order, offsets, person_of_shard
from tests.support.pools import POOL_POLICY, villager


class KafkaThatWasRead:
    """A Kafka of which the ledger has read everything."""

    def __init__(self, ledger: Engine) -> None:
        self.ledger = ledger

    def ends(self, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
        reached = offsets(self.ledger)
        return {place: (0, reached.get(place, 0)) for place in places}


def behind(ledger: Engine) -> Lag:
    """As if every message had been sent."""
    return replace(lag(ledger, cast("Reader", KafkaThatWasRead(ledger)), SHARDS), outbound=0)


def test_a_pool_whose_money_can_pay_somebody_is_work(ledger: Engine) -> None:
    """It is, until its step is done, which a batch without the person's shard leaves to the next one."""
    publish(ledger, POOL_POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    held(ledger)
    person = person_of_shard((shard_of("V1", SHARDS) + 1) % SHARDS)
    events = [pool(), *villager(person, "2024-03-01", 500), contribution()]
    give(ledger, in_order(events)[:-1])
    do_steps(ledger)
    assert behind(ledger).idle
    give(ledger, in_order(events)[-1:])
    assert (Lag(0, 0, 1, 0), False) == (behind(ledger), behind(ledger).idle)
    do_steps(ledger)
    assert behind(ledger).idle
