"""Faults of the servers: brokers and PostgreSQL killed, stopped, cut off from their disk."""

from __future__ import annotations

import os
import signal
import subprocess
from random import Random

import psycopg

from infra.servers.local.errors import PartFailed
from tests.faults.cluster import DISK_MB, Cluster
from tests.faults.waiting import await_true, pause

BACKENDS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name ~ '^huzhu (worker|relay) ' AND random() < %s
"""

CONNECTED_S_MAX = 30.0
"""Processes that were ended by the fault before are connected again within this time."""

SHRUNK_S_MAX = 10.0
"""PostgreSQL writes nothing for the length of two system calls within this time."""

BALLAST = "CREATE TEMP TABLE ballast AS SELECT repeat(md5(n::text), 30) AS weight FROM generate_series(1, 5000) AS n"


def kill_broker(cluster: Cluster, rng: Random) -> bool:
    """kill -9 of one broker, which then comes back; the next fault of a broker waits for all replicas."""
    cluster.await_in_sync()
    index = rng.randrange(len(cluster.kafka.nodes))
    os.kill(cluster.kafka.pids[index], signal.SIGKILL)
    pause(rng.uniform(0.0, 2.0))
    cluster.kafka.restart_node(index)
    return True


def pause_broker(cluster: Cluster, rng: Random) -> bool:
    """SIGSTOP of one broker until the others have taken its partitions over, then SIGCONT."""
    cluster.await_in_sync()
    pid = cluster.kafka.pids[rng.randrange(len(cluster.kafka.nodes))]
    os.kill(pid, signal.SIGSTOP)
    try:
        pause(8.0)  # the brokers' session timeout is 6 s
    finally:
        os.kill(pid, signal.SIGCONT)
    return True


def terminate_backends(cluster: Cluster, rng: Random) -> bool:
    """The connections of workers and relay end in the middle of what they do, three times."""
    for _ in range(3):
        share = rng.choice((0.5, 1.0))
        if not await_true(lambda chosen=share: _terminated(cluster, chosen) > 0, CONNECTED_S_MAX):  # type: ignore[misc]
            return False
        pause(rng.uniform(0.2, 0.8))
    return True


def _terminated(cluster: Cluster, share: float) -> int:
    try:
        with cluster.sql() as connection:
            return len(connection.execute(BACKENDS, [share]).fetchall())
    except psycopg.OperationalError:
        return 0


def stop_postgres_at_once(cluster: Cluster, rng: Random) -> bool:
    """PostgreSQL crashes (immediate stop) and recovers from its log."""
    del rng
    cluster.postgres.restart("immediate")
    return True


def fill_the_disk(cluster: Cluster, rng: Random) -> bool:
    """The ledger's file system is full until somebody makes room; PostgreSQL may stop by itself meanwhile."""
    if cluster.disk is None:
        return False
    left_kib = rng.choice((0, 64, 256))
    if not await_true(lambda: _resized(cluster, _used_kib(cluster) + left_kib), SHRUNK_S_MAX):
        return False
    try:
        filled = await_true(lambda: _disk_is_full(cluster), 10.0, poll_s=0.1)
        pause(3.0)
    finally:
        assert _resized(cluster, DISK_MB * 1024), "the disk of the ledger stayed small"
    if not await_true(lambda: _answers(cluster), 5.0):
        _restart_until_it_answers(cluster)
    return filled


def _disk_is_full(cluster: Cluster) -> bool:
    """Whether a table that grows is told so, or PostgreSQL has ended because of it."""
    try:
        with cluster.sql() as connection:
            connection.execute(
                "CREATE TEMP TABLE ballast AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, 5000) n"
            )
    except psycopg.errors.DiskFull:
        return True
    except psycopg.OperationalError:
        return not _answers(cluster)
    return False


def _answers(cluster: Cluster) -> bool:
    try:
        with cluster.sql() as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _restart_until_it_answers(cluster: Cluster) -> None:
    def restarted() -> bool:
        try:
            cluster.postgres.restart("immediate")
        except PartFailed:
            return False
        return True

    if not await_true(restarted, 60.0):
        raise TimeoutError("PostgreSQL did not come back after there was room again")


def _used_kib(cluster: Cluster) -> int:
    assert cluster.disk is not None
    found = os.statvfs(cluster.disk)
    return (found.f_blocks - found.f_bfree) * found.f_frsize // 1024


def _resized(cluster: Cluster, kib: int) -> bool:
    """Whether the file system took the size; it does not when PostgreSQL has meanwhile written more than that."""
    said = subprocess.run(["mount", "-o", f"remount,size={kib}k", str(cluster.disk)], capture_output=True, check=False)
    return said.returncode == 0
