"""`huzhu worker`, `huzhu relay` and others as processes on one Kafka, with a ledger of their own."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import Any, NamedTuple, Self

from kafka import TopicPartition
from sqlalchemy import Engine, create_engine, make_url, text

from infra.kafka import topic_setup
from infra.kafka.names import KafkaNames
from infra.ledger.schema import bind, connect
from infra.servers.local.guard_client import Guarded, tail
from schemas.topics import INBOUND
from tests.support.acts import publish
from tests.support.builders import SHARDS, Json
from tests.support.databases import TEMPLATE, fresh_name
from tests.support.paths import WUXI
from tests.support.servers import Consumer, await_true

IDLE_S_MAX = 90.0
STOP_S_MAX = 30.0
MESSAGE_BYTES_MAX = 8 * 1024 * 1024


class Message(NamedTuple):
    """One message of an outbound topic."""

    partition: int
    key: bytes | None
    value: Json


class Spine:
    """Workers and relays as processes on one Kafka and a ledger of their own; `with` leaves none of them behind."""

    def __init__(self, bootstrap: str, postgres_url: str, prefix: str = "") -> None:
        """``prefix``: of the topics, groups and transactions of this one among several on the Kafka."""
        self.bootstrap = bootstrap
        self.names = KafkaNames(prefix)
        name = fresh_name("spine")
        admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
        admin.dispose()
        self.url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
        self.folder = Path(tempfile.mkdtemp(prefix="huzhu-spine-"))
        self.pids: dict[str, int] = {}
        self.environment: dict[str, str] = {}
        """Further variables of what is started."""
        self._guarded = Guarded(self.folder, temporary=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._guarded.close()
        self.engine.dispose()

    @cached_property
    def engine(self) -> Engine:
        """The ledger, bound to this Kafka."""
        engine = connect(self.url)
        bind(engine, SHARDS, self.names.home(topic_setup.cluster_id(self.bootstrap)))
        return engine

    def move(self, postgres_url: str) -> None:
        """The ledger is at another server from now on, under the same name."""
        self.engine.dispose()
        del self.engine
        name = make_url(self.url).database
        self.url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)

    def start(self, command: str, name: str | None = None, **settings: object) -> int:
        """Starts `huzhu COMMAND` under a name (the command's unless given); its pid. Settings are HUZHU_* variables."""
        known = {"kafka_bootstrap": self.bootstrap, "database_url": self.url, "shards": SHARDS, "idle_check": 2}
        known["prefix"] = self.names.prefix
        variables = [f"HUZHU_{key.upper()}={value}" for key, value in {**known, **settings}.items()]
        variables += [f"{key}={value}" for key, value in self.environment.items()]
        argv = ["env", *variables, sys.executable, "-m", "cli.main", command]
        self.pids[name or command] = self._guarded.start(name or command, argv, self._log(name or command))
        return self.pids[name or command]

    def send(self, name: str, number: Signals) -> None:
        self._guarded.send(name, number)

    def wait(self, name: str, within_s: float = STOP_S_MAX) -> int:
        """The exit status of a process that ends within the time; negative is the signal that it died of."""
        status = self._guarded.wait(name, within_s)
        assert status is not None, f"{name} did not end within {within_s} s\n{self.log(name)}"
        return status

    def kill(self, name: str) -> None:
        """As `kill -9` does."""
        self.send(name, Signals.SIGKILL)
        assert self.wait(name) == -Signals.SIGKILL

    def stop(self, name: str) -> float:
        """Ends a process with SIGTERM, which it must obey with exit status 0; the seconds that this took."""
        began = time.monotonic()
        self.send(name, Signals.SIGTERM)
        assert self.wait(name) == 0, self.log(name)
        return time.monotonic() - began

    def runs(self, name: str) -> bool:
        return self._guarded.exit_code(name) is None

    def log(self, name: str) -> str:
        """The end of what a process has said."""
        return tail(self._log(name))

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def publish(self, policy: Path = WUXI) -> None:
        """Publishes a policy file."""
        publish(self.engine, policy.read_text("utf-8"), "test", SHARDS, lambda: datetime.now(UTC))

    def rows(self, sql: str, **values: object) -> list[Any]:
        """What the ledger answers."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql), values))

    def left(self) -> int:
        """How many offsets are posted and not yet in the ledger."""
        return self._left_of(self._ends())

    def await_left(self, wanted: Callable[[int], bool], within_s: float = IDLE_S_MAX) -> None:
        """Waits until the number of offsets that are posted now and not yet in the ledger is as wanted."""
        ends = self._ends()
        assert await_true(lambda: wanted(self._left_of(ends)), within_s), self.logs()

    def await_idle(self, within_s: float = IDLE_S_MAX) -> None:
        """Waits until everything that is posted now is decided and everything decided is sent."""
        unsent = "SELECT (SELECT sum(outbox_seq) FROM shards) - (SELECT sum(relayed_seq) FROM relays)"
        self.await_left(lambda left: left == 0, within_s)
        waiting = "SELECT count(*) FROM group_work"
        assert await_true(lambda: self.rows(waiting)[0][0] == 0, within_s), self.logs()
        assert await_true(lambda: self.rows(unsent)[0][0] == 0, within_s), self.logs()

    def _ends(self) -> dict[tuple[str, int], int]:
        inbound = [self.names.in_kafka(topic.name) for topic in INBOUND]
        places = [TopicPartition(name, partition) for name in inbound for partition in range(SHARDS)]
        consumer = Consumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed")
        ends = consumer.end_offsets(places)
        consumer.close()
        return {(self.names.ours(place.topic), place.partition): end for place, end in ends.items()}

    def _left_of(self, ends: dict[tuple[str, int], int]) -> int:
        reached = {(row.topic, row.partition): row.next_offset for row in self.rows("SELECT * FROM offsets")}
        return sum(max(0, end - reached.get(place, 0)) for place, end in ends.items())

    def logs(self) -> str:
        """The end of what each process has said."""
        return "\n".join(f"{log.name}\n{tail(log)}" for log in sorted(self.folder.glob("*.log")))

    def committed(self, topic: str) -> list[Message]:
        """Every message of an outbound topic that a read_committed consumer sees, each partition in order."""
        consumer = Consumer(
            bootstrap_servers=self.bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=MESSAGE_BYTES_MAX,
        )
        messages: list[Message] = []
        places = [TopicPartition(self.names.in_kafka(topic), partition) for partition in range(SHARDS)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        deadline = time.monotonic() + 60.0
        while any(consumer.position(place) < ends[place] for place in places):
            assert time.monotonic() < deadline, f"{topic} is not read to its end"
            for records in consumer.poll(timeout_ms=1000).values():
                messages += [Message(each.partition, each.key, json.loads(each.value)) for each in records]
        consumer.close()
        return messages

    def of_claim(self, topic: str, claim_id: str) -> list[Json]:
        """The values of the messages about one claim, in order."""
        return [each.value for each in self.committed(topic) if each.value["claim_id"] == claim_id]
