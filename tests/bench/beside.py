"""What runs beside a contestant, and what it costs: broker, database, and the watcher, which is this process.

A contestant that does little itself may let the broker do it, so that only all of it together can be compared.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable, Mapping

import psutil

KAFKA, POSTGRES, WATCHER = "Kafka", "PostgreSQL", "the watcher"

Spent = Mapping[str, float]
"""Processor seconds so far, by what used them."""


class Beside:
    """The servers' processes. One that is not a process of this machine (in Docker, for instance) is left out."""

    def __init__(self, kafka: Iterable[str], postgres: str) -> None:
        """``kafka`` are the brokers' addresses, ``postgres`` is that of the database: ``host:port``."""
        listening = _listening()
        self._pids = {
            KAFKA: [pid for address in kafka if (pid := listening.get(_port(address)))],
            POSTGRES: [pid for pid in (listening.get(_port(postgres)),) if pid],
        }

    def spent(self) -> Spent:
        """What they have used of the processors so far, with all their processes that have ended."""
        used = {name: sum(map(processor_seconds, pids)) for name, pids in self._pids.items() if pids}
        return used | {WATCHER: time.process_time()}


def processor_seconds(pid: int) -> float:
    """What a process, its children and those of its children that it has waited for used; 0 once it is gone."""
    used = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                used += times.user + times.system + times.children_user + times.children_system
    return used


def since(before: Spent, after: Spent) -> dict[str, float]:
    """What was used between two moments."""
    return {name: seconds - before[name] for name, seconds in after.items() if name in before}


def _listening() -> dict[int, int]:
    """The processes of this user that listen, by port."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            for each in process.net_connections(kind="tcp"):
                if each.status == psutil.CONN_LISTEN and process.name() in ("java", "postgres"):
                    found[each.laddr.port] = process.pid
    return found


def _port(address: str) -> int:
    found = re.search(r":(\d+)$", address)
    return int(found[1]) if found else 0
