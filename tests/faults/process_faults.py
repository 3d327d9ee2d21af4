"""Faults of workers and relays: killed, stopped beyond every lease and woken, added and removed in a storm."""

from __future__ import annotations

import signal
from random import Random

import psutil
import psycopg

from tests.faults.cluster import Cluster
from tests.faults.waiting import await_true, pause

BEYOND_THE_LEASE_S = 2.5
"""How much longer than the session timeout a zombie sleeps; also longer than the ledger's lease of the cluster."""

ATTEMPTS = 40
IN_TRANSACTION = """
    SELECT pid, xact_start FROM pg_stat_activity
    WHERE application_name LIKE %s AND xact_start IS NOT NULL AND state IN ('active', 'idle in transaction')
      AND backend_type = 'client backend' AND (backend_xid IS NOT NULL OR query ~* 'for update')
"""


def kill_worker(cluster: Cluster, rng: Random) -> bool:
    """kill -9 of one worker or both."""
    for name in rng.choice((["worker-1"], ["worker-2"], ["worker-1", "worker-2"])):
        _kill_and_await_the_next(cluster, name)
    return True


def kill_relay(cluster: Cluster, rng: Random) -> bool:
    """kill -9 of the relay, some moment after it began to work."""
    pause(rng.random())
    _kill_and_await_the_next(cluster, "relay-1")
    return True


def pause_worker(cluster: Cluster, rng: Random) -> bool:
    """SIGSTOP of a worker until Kafka has given its partitions to the other, then SIGCONT."""
    return _sleep_and_wake(cluster, rng.choice(("worker-1", "worker-2")))


def pause_worker_in_transaction(cluster: Cluster, rng: Random) -> bool:
    """SIGSTOP of a worker that is inside a database transaction, holding the locks of its shards."""
    cluster.postgres_proxy.slow(0.01)  # so that a transaction takes long enough to be met
    try:
        for attempt in range(ATTEMPTS):
            name = ("worker-1", "worker-2")[attempt % 2]
            if _stopped_inside(cluster, name):
                cluster.postgres_proxy.slow(0.0)
                pause(cluster.settings.session_timeout + BEYOND_THE_LEASE_S)
                cluster.supervisor.signal(name, signal.SIGCONT)
                return True
    finally:
        cluster.postgres_proxy.slow(0.0)
    return False


def pause_relay(cluster: Cluster, rng: Random) -> bool:
    """SIGSTOP of the relay while a second one takes over and fences it; then the first wakes as a zombie."""
    del rng
    relay = cluster.supervisor
    slept = _log_size(cluster, "relay-1")
    relay.signal("relay-1", signal.SIGSTOP)
    try:
        known = _log_size(cluster, "relay-2")
        relay.start("relay-2")
        took_over = await_true(lambda: b"relaying from" in _log_after(cluster, "relay-2", known), 60.0)
        pause(1.0)  # the second relay works alone
    finally:
        relay.signal("relay-1", signal.SIGCONT)
    await_true(lambda: b"standing by" in _log_after(cluster, "relay-1", slept), 8.0)
    relay.dismiss("relay-2")
    return took_over


def rebalance_storm(cluster: Cluster, rng: Random) -> bool:
    """Workers come and go faster than the group can settle."""
    for _ in range(2):
        cluster.supervisor.start("worker-3")
        cluster.supervisor.start("worker-4")
        pause(rng.uniform(2.0, 4.0))
        for name in ("worker-3", "worker-4"):
            cluster.supervisor.dismiss(name, rng.choice((signal.SIGTERM, signal.SIGKILL)))
    return True


def _kill_and_await_the_next(cluster: Cluster, name: str) -> None:
    before = cluster.supervisor.pid(name)
    cluster.supervisor.kill(name)
    await_true(lambda: cluster.supervisor.pid(name) != before, 10.0)


def _sleep_and_wake(cluster: Cluster, name: str) -> bool:
    sleeper = psutil.Process(cluster.supervisor.pid(name))
    cluster.supervisor.signal(name, signal.SIGSTOP)
    stopped = await_true(lambda: sleeper.status() == psutil.STATUS_STOPPED, 5.0)
    pause(cluster.settings.session_timeout + BEYOND_THE_LEASE_S)
    cluster.supervisor.signal(name, signal.SIGCONT)
    return stopped


def _stopped_inside(cluster: Cluster, name: str) -> bool:
    """Stops the worker when it is seen in a transaction, and looks again: True if it is still in that one."""
    try:
        with cluster.sql() as connection:
            seen: list[tuple[int, object]] = []
            its_sessions = f"huzhu worker %/{cluster.supervisor.pid(name)}"

            def inside() -> bool:
                seen[:] = connection.execute(IN_TRANSACTION, [its_sessions]).fetchall()
                return bool(seen)

            if not await_true(inside, 0.5, poll_s=0.002):
                return False
            cluster.supervisor.signal(name, signal.SIGSTOP)
            sleeper = psutil.Process(cluster.supervisor.pid(name))
            await_true(lambda: sleeper.status() == psutil.STATUS_STOPPED, 5.0, poll_s=0.002)
            pause(0.1)  # what was on its way has arrived
            if seen == connection.execute(IN_TRANSACTION, [its_sessions]).fetchall():
                return True
    except (psycopg.OperationalError, psutil.NoSuchProcess):
        pass
    cluster.supervisor.signal(name, signal.SIGCONT)
    return False


def _log_size(cluster: Cluster, name: str) -> int:
    log = cluster.supervisor.log(name)
    return log.stat().st_size if log.exists() else 0


def _log_after(cluster: Cluster, name: str, start: int) -> bytes:
    return cluster.supervisor.log(name).read_bytes()[start:]
