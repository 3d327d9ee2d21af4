"""Part c: `huzhu adjudicate` over a file of facts, its wall time and peak memory, in two orders of the same lines."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from infra.population import generate
from schemas.topics import address
from tests.bench.figures import Figure
from tests.bench.machine import load
from tests.bench.messages import POLICY, ROOT

PART = "c. replay"
SECONDS, PROCESSOR, MEMORY = "wall time", "processor time", "peak memory"
ARRIVAL, GROUPED = "in order of arrival", "grouped by person"
LOOK_SECONDS = 0.2
LINES_A_PERSON = 3.62
"""What the population gives, on average: the number of facts is met to a few per cent."""


def measure(facts: int, runs: int, say: Callable[[str], None]) -> list[Figure]:
    """Both orders in turn, ``runs`` times."""
    with files(facts) as (orders, facts):
        taken: dict[str, list[Taken]] = {name: [] for name in orders}
        loads: dict[str, list[float]] = {name: [] for name in orders}
        for run in range(runs):
            for name, file in orders.items():
                one = adjudicate(file)
                taken[name].append(one)
                loads[name].append(load())
                say(f"{facts} facts {name}, run {run + 1}: {one.seconds:.1f} s, {one.mebibytes:.0f} MiB")
    return [figure for name, found in taken.items() for figure in figures_of(PART, name, found, loads[name], facts)]


def figures_of(part: str, name: str, found: list[Taken], loads: list[float], facts: int) -> Iterator[Figure]:
    """The figures of some runs of one command."""
    for measure, unit, values in (
        (SECONDS, "s", [each.seconds for each in found]),
        (PROCESSOR, "s", [each.cpu for each in found]),
        (MEMORY, "MiB", [each.mebibytes for each in found]),
    ):
        yield Figure(part, name, measure, unit, "less", tuple(values), tuple(loads), f"{facts} facts")


@contextmanager
def files(facts: int) -> Iterator[tuple[dict[str, Path], int]]:
    """The same lines of a population in two orders, about ``facts``, and how many; the files are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="huzhu-bench-") as folder:
        arrival, grouped = Path(folder, "arrival.jsonl"), Path(folder, "grouped.jsonl")
        lines = list(generate(5, round(facts / LINES_A_PERSON), bad_share=0.0))
        _write(arrival, lines)
        lines.sort(key=lambda line: address(line)[1] or b"")  # stable: a person's, or a pool's, keep their order
        _write(grouped, lines)
        count = len(lines)
        del lines  # a child's memory is measured, but this process must leave room for it
        yield {GROUPED: grouped, ARRIVAL: arrival}, count


class Taken(NamedTuple):
    """What one command took: wall and processor seconds, and its processes' largest memory together.

    Proportional set size: what processes share counts once. Looked at five times a second.
    """

    seconds: float
    cpu: float
    mebibytes: float


def adjudicate(facts: Path) -> Taken:
    """Runs `huzhu adjudicate` on a file of facts."""
    return run_command("adjudicate", "--policy", str(POLICY), str(facts))


def run_command(*words: str) -> Taken:
    """Runs `huzhu` in a process of its own; what it prints goes nowhere."""
    command = [sys.executable, "-m", "cli.main", *words]
    started = time.monotonic()
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    memory, ended = 0, 0
    while not ended:
        memory = max(memory, _memory(child.pid))
        time.sleep(LOOK_SECONDS)
        ended, status, usage = os.wait4(child.pid, os.WNOHANG)
    took = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        said = child.stderr.read().decode() if child.stderr else ""
        raise AssertionError(f"huzhu {words[0]} ended with {child.returncode}: {said[-500:]}")
    return Taken(took, usage.ru_utime + usage.ru_stime, memory / 2**20)


def _memory(pid: int) -> int:
    """Bytes of a process and its children."""
    found = 0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                found += each.memory_full_info().pss
    return found


def _write(path: Path, lines: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)
