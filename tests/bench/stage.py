"""One Kafka and one PostgreSQL for a part of the benchmark, and how they are made clean between two contestants."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from sqlalchemy import create_engine, make_url, text

from infra.kafka import topic_setup
from infra.ledger.schema import bind, connect
from infra.ledger.upgrading import upgrade
from infra.servers.resolve import DATABASE_URL, KAFKA_BOOTSTRAP, resolve_kafka, resolve_postgres
from infra.settings import Settings
from schemas.topics import OUTBOUND, RELAY_CURSORS, TOPICS, Topic
from tests.bench.beside import Beside
from tests.bench.messages import POLICY
from tests.support.acts import publish

SHARDS = 4
SETTINGS = Settings(shards=SHARDS)
WITHOUT_POLICY = "bench_without_policy"
"""A ledger to copy, before a policy is published."""

WAIT_SECONDS_MAX = 30.0


@dataclass(slots=True)
class Stage:
    """The servers' addresses. ``postgres`` is an SQLAlchemy URL."""

    bootstrap: str
    postgres: str
    kafka: AdminClient
    beside: Beside
    _numbers: Iterator[int]

    def ledger(self, template: str = "bench_template") -> str:
        """The URL of a new ledger, a copy of one that is ready and has the sample policy."""
        name = f"bench_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop_ledger(self, url: str) -> None:
        self.sql(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def url(self, database: str) -> str:
        return make_url(self.postgres).set(database=database).render_as_string(hide_password=False)

    def sql(self, *statements: str, database: str = "postgres") -> None:
        engine = create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def topic(self, name: str) -> None:
        """A new topic as plain as a user would make it."""
        _settled(self.kafka.create_topics([NewTopic(name, num_partitions=SHARDS, replication_factor=1)]))

    def drop_topics(self, prefix: str) -> None:
        """Deletes the topics of a peer's run, with those it made for itself."""
        names = [name for name in self.kafka.list_topics(timeout=WAIT_SECONDS_MAX).topics if name.startswith(prefix)]
        if names:
            _settled(self.kafka.delete_topics(names))

    def renew(self, topics: Iterable[Topic]) -> None:
        """Makes topics of the product anew."""
        existing = self.kafka.list_topics(timeout=WAIT_SECONDS_MAX).topics
        names = [topic.name for topic in topics if topic.name in existing]
        if names:
            _settled(self.kafka.delete_topics(names))
        _await(lambda: not set(names) & set(self.kafka.list_topics(timeout=WAIT_SECONDS_MAX).topics))
        topic_setup.apply(self.bootstrap, SETTINGS)

    def renew_outbound(self) -> None:
        self.renew((*OUTBOUND, RELAY_CURSORS))

    def renew_all(self) -> None:
        self.renew(TOPICS)

    def forget(self, group: str) -> None:
        """Deletes a consumer group as soon as its last member is gone."""

        def gone() -> bool:
            try:
                _settled(self.kafka.delete_consumer_groups([group]))
            except KafkaException as error:
                return "GROUP_ID_NOT_FOUND" in str(error)
            return True

        _await(gone)

    def is_stable(self, group: str) -> bool:
        """Whether the group's members have their partitions."""
        try:
            (described,) = (f.result() for f in self.kafka.describe_consumer_groups([group]).values())
        except KafkaException:
            return False
        assigned = sum(len(each.assignment.topic_partitions) for each in described.members if each.assignment)
        return described.state.name == "STABLE" and assigned > 0


@contextmanager
def stage() -> Iterator[Stage]:
    """Fresh servers for the length of the block, with the product's topics and a ledger to copy."""
    given = [name for name in (KAFKA_BOOTSTRAP, DATABASE_URL) if name in os.environ]
    if given:
        raise SystemExit(f"the benchmark deletes topics and databases: unset {' and '.join(given)}")
    with ExitStack() as stack:
        kafka, postgres = stack.enter_context(resolve_kafka()), stack.enter_context(resolve_postgres())
        made = Stage(
            bootstrap=kafka.bootstrap,
            postgres=postgres.url,
            kafka=AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 2}),
            beside=Beside(kafka.bootstrap.split(","), _address(postgres.url)),
            _numbers=count(1),
        )
        stack.callback(made.__delattr__, "kafka")  # while the broker lives: afterwards librdkafka waits for it for ever
        topic_setup.apply(kafka.bootstrap, SETTINGS)
        made.sql(f"CREATE DATABASE {WITHOUT_POLICY}")
        engine = connect(made.url(WITHOUT_POLICY))
        upgrade(engine)
        bind(engine, SHARDS, topic_setup.cluster_id(kafka.bootstrap))
        engine.dispose()
        made.sql(f"CREATE DATABASE bench_template TEMPLATE {WITHOUT_POLICY}")
        engine = connect(made.url("bench_template"))
        publish(engine, POLICY.read_text("utf-8"), "bench", SHARDS, lambda: datetime.now(UTC))
        engine.dispose()
        yield made


def _address(url: str) -> str:
    parts = make_url(url)
    return f"{parts.host}:{parts.port}"


def _settled(futures: dict[str, Any]) -> None:
    for future in futures.values():
        future.result()


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Kafka did not settle within {WAIT_SECONDS_MAX:.0f} s")
        time.sleep(0.05)
