"""What a run left behind: the simulated topics and the ledger, and how a law that does not hold is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.simulation.simulated_kafka import SimulatedKafka

OUTBOUND = (
    "claims.decisions",
    "payouts.instructions",
    "audit.events",
    "claims.deadletter",
    "alerts",
    "insurance.statements",
)


class Broken(Exception):
    """A law does not hold; ``law`` is its name."""

    def __init__(self, law: str, detail: str) -> None:
        super().__init__(f"{law}: {detail}")
        self.law = law


@dataclass
class Evidence:
    """The simulated topics and a plain connection to the ledger."""

    kafka: SimulatedKafka
    ledger: psycopg.Connection[Any]
    shards: int
    topics: dict[tuple[str, int], list[tuple[bytes | None, bytes]]] = field(init=False)

    def __post_init__(self) -> None:
        self.topics = {
            (topic, shard): [(stored.key, stored.value or b"") for _, stored in self.kafka.committed((topic, shard))]
            for topic in OUTBOUND
            for shard in range(self.shards)
        }

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.ledger.execute(sql.encode()).fetchall()

    def values(self, topic: str) -> list[dict[str, Any]]:
        """A topic's messages as JSON, shard after shard."""
        return [json.loads(value) for shard in range(self.shards) for _, value in self.topics[topic, shard]]


def expect(law: str, expected: object, actual: object) -> None:
    """Raises Broken with the first place at which the two differ."""
    if expected == actual:
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        names = sorted(expected.keys() ^ actual.keys(), key=repr) or [k for k in expected if expected[k] != actual[k]]
        expected, actual = ({name: each.get(name) for name in names[:3]} for each in (expected, actual))
    elif isinstance(expected, list) and isinstance(actual, list):
        at = next((i for i, (a, b) in enumerate(zip(expected, actual, strict=False)) if a != b), -1)
        expected, actual = ((len(each), at, each[at:][:1]) for each in (expected, actual))
    raise Broken(law, f"expected {str(expected)[:600]}, found {str(actual)[:600]}")
