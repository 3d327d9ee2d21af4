"""What an event costs on its way through the pure core, from its bytes to all that leaves, without Kafka or PostgreSQL.

    python -m tests.bench.taking                               # this tree
    python -m tests.bench.taking --beside ../before --runs 9   # this tree and another one, in turns
    python -m tests.bench.taking --ledger                      # into a PostgreSQL of its own, whose work is beside it

A step that is to make the worker faster is measured here against the tree before it (`git worktree add
../before BEFORE`): one process after the other, A B A B, so that whatever else the machine does meets both alike.
Microseconds of the processor for an event.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median

import psutil
from sqlalchemy import make_url, text

from handlers.claims.read import read, recall
from infra.ledger.schema import bind, connect
from infra.ledger.upgrading import upgrade
from infra.servers.resolve import resolve_postgres
from schemas.policy.policy_file import read_policies
from schemas.records import Delivery
from tests.bench import fill as filling
from tests.bench.messages import POLICY, ROOT, backlog
from tests.support.acts import publish
from tests.support.builders import SHARDS, empty_world
from tests.support.databases import fresh_name
from tests.support.servers import execute

BATCH = 500
RECORDED_AT = datetime(2040, 1, 1, tzinfo=UTC)
"""Later than every event of a population: none of them lies in the future."""
PARTS = ("read", "recalled", "decided and written", "both")
"""Both are reading and deciding; recalling, as it is done with the facts of the persons in a batch, is beside them."""
LEDGER = "taken into a ledger"
BACKEND = "PostgreSQL's session"
LEDGER_BATCH = 50
"""About as many events as come together while a worker keeps up."""


def measure(persons: int) -> dict[str, float]:
    """Microseconds of the processor for an event of a population: to read it, to recall it, and to decide and write."""
    messages = backlog(persons)
    world, spent = empty_world(read_policies([POLICY])), dict.fromkeys(PARTS, 0.0)
    gc.freeze()
    gc.set_threshold(100_000)  # as a worker does
    offset, remaining = 0, iter(messages)
    while batch := list(islice(remaining, BATCH)):
        started = time.process_time()
        readings = [read(message) for message in batch]
        read_at = time.process_time()
        for message in batch:
            recall(message)
        recalled_at = time.process_time()
        processor = world.batch(RECORDED_AT)
        for message, reading in zip(batch, readings, strict=True):
            processor.take(Delivery("bench", offset % SHARDS, offset, None, message), reading)
            offset += 1
        spent["read"] += read_at - started
        spent["recalled"] += recalled_at - read_at
        spent["decided and written"] += time.process_time() - recalled_at
        assert not processor.outcome.refusals
    spent["both"] = spent["read"] + spent["decided and written"]
    return {part: seconds / len(messages) * 1e6 for part, seconds in spent.items()}


def measure_in_ledger(persons: int) -> dict[str, float]:
    """Microseconds of the processor for an event taken into a ledger, in order of arrival: here, and in PostgreSQL."""
    messages = backlog(persons)
    with resolve_postgres() as part:
        name = fresh_name("taking")
        execute(part.url, f"CREATE DATABASE {name}", alone=True)
        engine = connect(make_url(part.url).set(database=name).render_as_string(hide_password=False))
        upgrade(engine)
        bind(engine, SHARDS, "no-cluster")
        publish(engine, POLICY.read_text("utf-8"), "bench", SHARDS, lambda: RECORDED_AT)
        gc.freeze()
        gc.set_threshold(100_000)
        started = time.process_time()
        filling.BATCH = LEDGER_BATCH
        filling.fill(engine, messages)
        spent = time.process_time() - started
        with engine.connect() as connection:  # the pool's newest, which has done the work
            backend = psutil.Process(connection.scalar(text("SELECT pg_backend_pid()"))).cpu_times()
        engine.dispose()
        execute(part.url, f"DROP DATABASE {name}", alone=True)
    in_postgres = backend.user + backend.system
    return {LEDGER: spent / len(messages) * 1e6, BACKEND: in_postgres / len(messages) * 1e6}


def compare(trees: list[Path], persons: int, runs: int, ledger: bool) -> None:
    """Measures each tree ``runs`` times in a process of its own, in turns, and says the medians."""
    figures: dict[Path, dict[str, list[float]]] = {tree: defaultdict(list) for tree in trees}
    for _ in range(runs):
        for tree in trees:
            for part, figure in _alone(tree, persons, ledger).items():
                figures[tree][part].append(figure)
    for part in figures[trees[0]]:
        medians = [median(figures[tree][part]) for tree in trees]
        for tree, middle in zip(trees, medians, strict=True):
            low, high = min(figures[tree][part]), max(figures[tree][part])
            share = middle / medians[-1]
            sys.stdout.write(f"{part:20} {middle:7.1f} us ({low:.1f} to {high:.1f}) {share:5.2f}  {tree}\n")


def _alone(tree: Path, persons: int, ledger: bool) -> dict[str, float]:
    """The figures of one tree: its own code, measured by this file."""
    command = [sys.executable, __file__, "--persons", str(persons), "--json", *(["--ledger"] if ledger else [])]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    ran = subprocess.run(command, cwd=tree, env=environment, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(ran.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.taking", description=__doc__)
    parser.add_argument("--persons", type=int, default=800, help="persons of the population (800)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each tree (5)")
    parser.add_argument("--beside", type=Path, help="another tree of the repository, to which this one is compared")
    parser.add_argument("--ledger", action="store_true", help="into a ledger, with all that a transaction takes")
    parser.add_argument("--json", action="store_true", help="one run in this process, for programs")
    options = parser.parse_args()
    if options.json:
        sys.stdout.write(json.dumps((measure_in_ledger if options.ledger else measure)(options.persons)))
    else:
        trees = [ROOT] if options.beside is None else [ROOT, options.beside.resolve()]
        compare(trees, options.persons, options.runs, options.ledger)


if __name__ == "__main__":
    main()
