"""The faults of a storm: short, at any moment, also while what they meet is still starting."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from random import Random
from typing import LiteralString

import psycopg
from confluent_kafka import KafkaException, Producer

from infra.servers.local.errors import PartFailed
from tests.faults.cluster import Cluster
from tests.faults.waiting import await_true, pause

HOSPITAL_TRANSACTION_MS = 10_000
WAITING_S_MAX = 3.0
WAITING = "SELECT FROM group_work LIMIT 1"
UNSERVED = "SELECT FROM pool_work LIMIT 1"


def kill_one(cluster: Cluster, rng: Random) -> None:
    """kill -9 of a worker or relay."""
    _kill(cluster, rng.choice(cluster.supervisor.running()))


def kill_while_starting(cluster: Cluster, rng: Random) -> None:
    """kill -9 of one process several times, each time a moment into its start."""
    name = rng.choice(cluster.supervisor.running())
    for _ in range(rng.randrange(2, 5)):
        _kill(cluster, name)
        pause(rng.uniform(0.2, 3.0))


def stop_one(cluster: Cluster, rng: Random) -> None:
    """SIGSTOP of one process for a few seconds."""
    _stop(cluster, [rng.choice(cluster.supervisor.running())], rng.uniform(0.3, 4.0))


def stop_while_starting(cluster: Cluster, rng: Random) -> None:
    """A process is killed, and its successor stopped a moment into its start."""
    name = rng.choice(cluster.supervisor.running())
    _kill(cluster, name)
    pause(rng.uniform(0.3, 3.0))
    _stop(cluster, [name], rng.uniform(1.0, 9.0))


def kill_all(cluster: Cluster, rng: Random) -> None:
    """kill -9 of every worker and relay at once."""
    del rng
    for name in cluster.supervisor.running():
        _kill(cluster, name)


def kill_postgres(cluster: Cluster, rng: Random) -> None:
    """The postmaster is killed, and started again."""
    _kill_postgres(cluster)
    pause(rng.uniform(0.0, 2.0))
    _start_postgres(cluster)


def kill_broker(cluster: Cluster, rng: Random) -> None:
    """The broker is killed, and started again."""
    _kill_broker(cluster)
    pause(rng.uniform(0.0, 1.0))
    _start_broker(cluster)


def kill_both(cluster: Cluster, rng: Random) -> None:
    """Broker and PostgreSQL are killed together."""
    _kill_broker(cluster)
    _kill_postgres(cluster)
    pause(rng.uniform(0.0, 2.0))
    for start in rng.sample((_start_broker, _start_postgres), 2):
        start(cluster)


def terminate_backends(cluster: Cluster, rng: Random) -> None:
    """The database connections of workers and relays end."""
    with contextlib.suppress(psycopg.OperationalError), cluster.sql() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^huzhu (worker|relay) '"
            " AND random() < %s",
            [rng.choice((0.5, 1.0))],
        )


def kill_relays_in_a_commit(cluster: Cluster, rng: Random) -> None:
    """The broker is silent, so relays are inside a commit, or inside `init_transactions`; there they are killed."""
    pid = cluster.kafka.pids[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        pause(rng.uniform(0.5, 2.0))
        for name in ("relay-1", "relay-2"):
            _kill(cluster, name)
        pause(rng.uniform(0.0, 4.0))
        _kill(cluster, rng.choice(("relay-1", "relay-2")))
    finally:
        os.kill(pid, signal.SIGCONT)


def kill_before_a_group_step(cluster: Cluster, rng: Random) -> bool:
    """kill -9 of all workers at a moment at which persons who share a household wait for the second transaction.

    False when nobody came to wait in time.
    """
    del rng
    return _kill_workers_when(cluster, WAITING)


def kill_before_a_pool_step(cluster: Cluster, rng: Random) -> bool:
    """The same when a pool waits for its step."""
    del rng
    return _kill_workers_when(cluster, UNSERVED)


def _kill_workers_when(cluster: Cluster, waiting: LiteralString) -> bool:
    try:
        with cluster.sql() as connection:
            if not await_true(lambda: bool(connection.execute(waiting).fetchall()), WAITING_S_MAX, poll_s=0.002):
                return False
            for name in ("worker-1", "worker-2"):
                _kill(cluster, name)
    except psycopg.OperationalError:
        return False
    return True


def leave_a_transaction(cluster: Cluster, rng: Random) -> None:
    """A hospital's producer dies in a transaction: what follows it stays hidden until Kafka ends it."""
    producer = Producer(
        {
            "bootstrap.servers": cluster.kafka.bootstrap,
            "transactional.id": f"a-hospital-{rng.randrange(3)}",
            "transaction.timeout.ms": HOSPITAL_TRANSACTION_MS,
            "partitioner": "murmur2_random",
            "log_level": 0,
        }
    )
    with contextlib.suppress(KafkaException):
        producer.init_transactions(10)
        producer.begin_transaction()
        producer.produce("hospital.expenses", key=b"P-nobody", value=b"{}", partition=rng.randrange(4))
        producer.flush(5)


Fault = Callable[[Cluster, Random], bool | None]
"""Makes one fault happen and ends it; False if it could not be made."""

KINDS: dict[str, Fault] = {
    "process killed": kill_one,
    "process killed while it starts": kill_while_starting,
    "process stopped": stop_one,
    "process stopped while it starts": stop_while_starting,
    "all processes killed": kill_all,
    "PostgreSQL killed": kill_postgres,
    "broker killed": kill_broker,
    "broker and PostgreSQL killed": kill_both,
    "database connections terminated": terminate_backends,
    "relays killed inside a commit": kill_relays_in_a_commit,
    "workers killed before a group step": kill_before_a_group_step,
    "workers killed before a pool's step": kill_before_a_pool_step,
    "a sender's transaction left open": leave_a_transaction,
}


def calm(cluster: Cluster) -> None:
    """Nothing is stopped any more, and both servers answer."""
    for name in cluster.supervisor.running():
        cluster.supervisor.signal(name, signal.SIGCONT)


def _kill(cluster: Cluster, name: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        cluster.supervisor.kill(name)


def _stop(cluster: Cluster, names: list[str], seconds: float) -> None:
    for name in names:
        cluster.supervisor.signal(name, signal.SIGSTOP)
    pause(seconds)
    for name in names:
        cluster.supervisor.signal(name, signal.SIGCONT)


def _kill_postgres(cluster: Cluster) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(cluster.postgres.pid, signal.SIGKILL)


def _start_postgres(cluster: Cluster) -> None:
    for _ in range(20):
        try:
            return cluster.postgres.restart("immediate")
        except PartFailed:
            pause(0.5)
    raise PartFailed("PostgreSQL does not start")


def _kill_broker(cluster: Cluster) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(cluster.kafka.pids[0], signal.SIGKILL)


def _start_broker(cluster: Cluster) -> None:
    cluster.kafka.restart_node(0)
