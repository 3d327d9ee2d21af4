"""The fault schedule: every kind in an order that the seed gives, and the count of those that really happened."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

from tests.faults import network_faults, process_faults, server_faults
from tests.faults.cluster import Cluster

Fault = Callable[[Cluster, Random], bool]
"""Makes one fault happen, ends it, and says whether it was seen to happen."""

KINDS: dict[str, Fault] = {
    "worker killed (kill -9)": process_faults.kill_worker,
    "worker stopped beyond its session, woken": process_faults.pause_worker,
    "worker stopped inside a database transaction, woken": process_faults.pause_worker_in_transaction,
    "rebalance storm": process_faults.rebalance_storm,
    "relay killed (kill -9)": process_faults.kill_relay,
    "relay stopped, fenced by a second one, woken": process_faults.pause_relay,
    "broker killed (kill -9)": server_faults.kill_broker,
    "broker stopped beyond its session, woken": server_faults.pause_broker,
    "database connections terminated": server_faults.terminate_backends,
    "PostgreSQL stopped at once": server_faults.stop_postgres_at_once,
    "disk of the ledger full": server_faults.fill_the_disk,
    "network to PostgreSQL slow": network_faults.slow_postgres,
    "network to PostgreSQL reset": network_faults.reset_postgres,
    "network to PostgreSQL cut inside a message": network_faults.cut_postgres,
    "network to PostgreSQL half-open": network_faults.half_open_postgres,
    "network to a broker slow": network_faults.slow_broker,
    "network to a broker reset": network_faults.reset_broker,
    "network to a broker cut inside a frame": network_faults.cut_broker,
    "network to a broker half-open": network_faults.half_open_broker,
}


class Chaos:
    """Fires faults and keeps count."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self._cluster = cluster
        self._rng = Random(f"{seed}:chaos")
        self._start = time.monotonic()
        self.fired: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.diary: list[str] = []

    def schedule(self, rounds: int) -> Iterator[str]:
        """The kinds of so many rounds: in each round every kind once, shuffled."""
        for _ in range(rounds):
            kinds = list(KINDS)
            self._rng.shuffle(kinds)
            yield from kinds

    def fire(self, kind: str) -> None:
        """One fault. A kind that could not be made to happen is counted as missed."""
        began = time.monotonic()
        happened = KINDS[kind](self._cluster, self._rng)
        (self.fired if happened else self.missed)[kind] += 1
        took = time.monotonic() - began
        said = "" if happened else " DID NOT HAPPEN"
        self.diary.append(f"{began - self._start:7.1f} s  {kind}: {took:.1f} s{said}")
