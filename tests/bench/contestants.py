"""Who takes part: Huzhu with one and two workers, and its peers, as commands to start on the same messages."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.servers.local.jars import java
from schemas.topics import INSTRUCTIONS
from tests.bench.peers import build
from tests.bench.stage import SHARDS, Stage

HUZHU, HUZHU_TWO = "Huzhu, one worker", "Huzhu, two workers"
FAUST, QUIX, QUIX_ONCE = "Faust with a Table", "quixstreams", "quixstreams, exactly once"
STREAMS = "Kafka Streams"
FLOOR, FLOOR_ONCE = "confluent-kafka echo", "confluent-kafka echo, transactions"


@dataclass(frozen=True, slots=True)
class Contestant:
    """``decides`` is false for a floor, which sends back what it read. ``workers`` is 0 for a peer.

    With a ``gateway_port`` Huzhu's API runs too.
    """

    name: str
    guarantee: str
    workers: int = 0
    module: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    decides: bool = True
    gateway_port: int = 0

    @property
    def is_huzhu(self) -> bool:
        return self.workers > 0

    def group(self, run: str) -> str:
        return "huzhu-worker" if self.is_huzhu else f"bench-{run}"

    def out(self, run: str) -> str:
        return INSTRUCTIONS.name if self.is_huzhu else f"bench-{run}-out"

    def commands(self) -> dict[str, list[str]]:
        """The processes by name."""
        if self.is_huzhu:
            huzhu = [sys.executable, "-m", "cli.main"]
            workers = {f"worker-{n}": [*huzhu, "worker", "--log-level", "warning"] for n in range(self.workers)}
            gateway = {"gateway": [*huzhu, "gateway", "--log-level", "warning"]} if self.gateway_port else {}
            return {"relay": [*huzhu, "relay", "--log-level", "warning"], **workers, **gateway}
        if self.name == STREAMS:
            # As much heap as the broker, and the collector that suits two cores.
            heap = ["-Xmx512m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
            return {"peer": [java(), *heap, "-cp", build.kafka_streams_classpath(), "Peer"]}
        python = build.quix_python() if "quix" in self.module else sys.executable
        worker = ["worker", "--without-web"] if "faust" in self.module else []
        return {"peer": [python, "-m", self.module, *worker]}

    def surroundings(self, stage: Stage, run: str, ledger: str, folder: Path) -> dict[str, str]:
        """The environment of its processes."""
        here = {**os.environ, "PYTHONPATH": str(build.ROOT)}  # the guard starts them in the root folder
        if self.is_huzhu:
            given = {"HUZHU_KAFKA_BOOTSTRAP": stage.bootstrap, "HUZHU_DATABASE_URL": ledger}
            api = {"HUZHU_GATEWAY_PORT": str(self.gateway_port)} if self.gateway_port else {}
            return {**here, **given, **api, "HUZHU_SHARDS": str(SHARDS)}
        given = {
            "BENCH_BOOTSTRAP": stage.bootstrap,
            "BENCH_APP": self.group(run),
            "BENCH_OUT": self.out(run),
            "BENCH_STATE": str(folder),
            "BENCH_PARTITIONS": str(SHARDS),
        }
        return {**here, **given, **self.environment}


ONCE = {"BENCH_EXACTLY_ONCE": "1"}
PEERS = "tests.bench.peers"
CONTESTANTS = (
    Contestant(HUZHU, "exactly once", workers=1),
    Contestant(HUZHU_TWO, "exactly once", workers=2),
    Contestant(FAUST, "at least once", module=f"{PEERS}.faust_table"),
    Contestant(QUIX, "at least once", module=f"{PEERS}.quix.program"),
    Contestant(QUIX_ONCE, "exactly once", module=f"{PEERS}.quix.program", environment=ONCE),
    Contestant(STREAMS, "exactly once"),
    Contestant(FLOOR, "at least once", module=f"{PEERS}.kafka_floor", decides=False),
    Contestant(FLOOR_ONCE, "exactly once", module=f"{PEERS}.kafka_floor", environment=ONCE, decides=False),
)


MAIN = (HUZHU, HUZHU_TWO, FAUST, QUIX_ONCE, STREAMS)
"""Who takes the long backlog: those with an aim."""


def chosen(wanted: Sequence[str]) -> list[Contestant]:
    """Those whose name holds one of the words; all without a word."""
    return [each for each in CONTESTANTS if not wanted or any(word.lower() in each.name.lower() for word in wanted)]
