"""What the tests of the real parts do to servers and processes, with plain clients."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import psutil
import psycopg
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient

ENDED_S_MAX = 20.0

# kafka-python has no types: what is called through these names is not checked.
Admin: Any = KafkaAdminClient
Consumer: Any = KafkaConsumer
Producer: Any = KafkaProducer


def make_topic(bootstrap: str, name: str, replicas: int = 1, record_bytes_max: int = 1024 * 1024) -> None:
    """Create a topic of one partition."""
    settings = {"max.message.bytes": str(record_bytes_max)}
    with Admin(bootstrap_servers=bootstrap) as admin:
        admin.create_topics({name: {"num_partitions": 1, "replication_factor": replicas, "configs": settings}})


def topics(bootstrap: str) -> set[str]:
    """The names of the topics."""
    with Admin(bootstrap_servers=bootstrap) as admin:
        return set(admin.list_topics())


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    """Send one message and wait until all replicas in sync have it."""
    size = 9 * 1024 * 1024
    with Producer(bootstrap_servers=bootstrap, acks="all", max_request_size=size) as producer:
        producer.send(topic, value).get(timeout=60)


def consume(bootstrap: str, topic: str) -> bytes:
    """The first message of a topic, read as a member of a group, so that the group coordinator works too."""
    consumer = Consumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"reader-of-{topic}",
        auto_offset_reset="earliest",
        consumer_timeout_ms=60_000,
    )
    try:
        value: bytes = next(consumer).value
        consumer.commit()
        return value
    finally:
        consumer.close()


def query(url: str, sql: str) -> object:
    """The first value that the database answers."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute(sql).fetchone()
        return row and row[0]


def execute(url: str, sql: str, *, alone: bool = False) -> None:
    """Have the database do something, and commit; ``alone`` is for what cannot be done in a transaction."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=alone) as connection:
        connection.execute(sql)


def listening_addresses(pid: int) -> set[str]:
    """Every address that the process or a child of it listens on."""
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    addresses: set[str] = set()
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # a session that has ended since
            connections = member.net_connections(kind="inet")
            addresses |= {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}
    return addresses


def await_true(condition: Callable[[], bool], within_s: float = ENDED_S_MAX) -> bool:
    """Whether the condition comes true within the time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def family_of(pid: int) -> list[psutil.Process]:
    """The process, its guard and all the guard's descendants."""
    guard = psutil.Process(pid).parent()
    assert guard is not None
    assert "guard.py" in " ".join(guard.cmdline())
    return [guard, *guard.children(recursive=True)]


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether none of the processes runs (neither a reused pid counts nor a zombie)."""
    return not any(_runs(each) for each in processes)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False
