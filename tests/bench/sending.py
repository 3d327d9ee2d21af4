"""What an event costs from the ledger to Kafka: relay, PostgreSQL and broker, over a backlog.

    python -m tests.bench.sending                               # this tree
    python -m tests.bench.sending --beside ../before --runs 5   # this tree and another one, in turns

Events are first taken into a ledger, and then all that leaves is relayed. Microseconds of the processor for an event.
The servers, started for this, are the same for both trees; the first run of each, in which the broker warms up, is not
counted.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psutil
from confluent_kafka.admin import AdminClient
from sqlalchemy import Engine, make_url

from infra.kafka import topic_setup
from infra.ledger.schema import bind, connect
from infra.ledger.upgrading import upgrade
from infra.servers.local.kafka_server import LocalKafka
from infra.servers.local.postgres_server import LocalPostgres
from infra.settings import Settings
from schemas.topics import TOPICS
from stream.outbound.relay_process import RelayProcess
from tests.bench import fill as filling
from tests.bench.messages import POLICY, ROOT, backlog
from tests.support.acts import publish
from tests.support.builders import SHARDS
from tests.support.databases import fresh_name
from tests.support.servers import execute

SETTINGS = Settings(shards=SHARDS)
RECORDED_AT = datetime(2040, 1, 1, tzinfo=UTC)
"""Later than every event of a population: none of them lies in the future."""
POLL_SECONDS = 0.02
UNSENT = "SELECT (SELECT sum(outbox_seq) FROM shards) - (SELECT sum(relayed_seq) FROM relays)"


def measure(bootstrap: str, url: str, kafka: int, postgres: int, persons: int, batch: int) -> dict[str, float]:
    """The figures of one backlog, in a ledger of its own; ``kafka`` and ``postgres`` are the servers' pids."""
    messages = backlog(persons)
    name = fresh_name("sending")
    execute(url, f"CREATE DATABASE {name}", alone=True)
    engine = connect(make_url(url).set(database=name).render_as_string(hide_password=False))
    upgrade(engine)
    bind(engine, SHARDS, topic_setup.cluster_id(bootstrap))
    publish(engine, POLICY.read_text("utf-8"), "bench", SHARDS, lambda: RECORDED_AT)
    relays_thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000)  # as a worker does
    filling.BATCH = batch
    spent: dict[str, float] = {}
    servers = {"PostgreSQL": postgres, "Kafka": kafka}
    _count(spent, "taken in", servers, lambda: filling.fill(engine, messages))
    gc.set_threshold(*relays_thresholds)
    _count(spent, "sent", servers, lambda: _drain(engine, bootstrap))
    engine.dispose()
    execute(url, f"DROP DATABASE {name}", alone=True)
    return {part: seconds / len(messages) * 1e6 for part, seconds in spent.items()}


def _drain(engine: Engine, bootstrap: str) -> None:
    relay = RelayProcess(engine, bootstrap, range(SHARDS), SETTINGS)
    thread = threading.Thread(target=relay.run)
    thread.start()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while thread.is_alive() and connection.exec_driver_sql(UNSENT).scalar():
            time.sleep(POLL_SECONDS)
    relay.stop()
    thread.join()


def _count(spent: dict[str, float], phase: str, servers: dict[str, int], work: Callable[[], object]) -> None:
    before = {name: _used(pid) for name, pid in servers.items()}
    own = time.process_time()
    work()
    spent[f"{phase}: own process"] = time.process_time() - own
    for name, pid in servers.items():
        spent[f"{phase}: {name}"] = _used(pid) - before[name]


def _used(pid: int) -> float:
    """Seconds that a process and its children have used, those that are gone too."""
    server = psutil.Process(pid)
    times = server.cpu_times()
    used = times.user + times.system + times.children_user + times.children_system
    for child in server.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            used += sum(child.cpu_times()[:2])
    return float(used)


def compare(trees: list[Path], persons: int, runs: int, batch: int) -> None:
    """Measures each tree ``runs`` times in a process of its own, in turns, and says the medians."""
    figures: dict[Path, dict[str, list[float]]] = {tree: defaultdict(list) for tree in trees}
    with LocalKafka.start() as kafka, LocalPostgres.start() as postgres:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 2})
        for run in range(runs + 1):
            for tree in trees:
                _renew(admin, kafka.bootstrap)
                given = [kafka.bootstrap, postgres.url, str(kafka.pids[0]), str(postgres.pid)]
                for part, figure in _alone(tree, persons, batch, given).items():
                    if run:
                        figures[tree][part].append(figure)
        del admin
    for part in figures[trees[0]]:
        medians = [median(figures[tree][part]) for tree in trees]
        for tree, middle in zip(trees, medians, strict=True):
            low, high = min(figures[tree][part]), max(figures[tree][part])
            sys.stdout.write(f"{part:25} {middle:7.1f} us ({low:.1f} to {high:.1f})  {tree}\n")


def _renew(admin: AdminClient, bootstrap: str) -> None:
    """Makes all topics anew."""
    names = {topic.name for topic in TOPICS} & set(admin.list_topics(timeout=30).topics)
    if names:
        for done in admin.delete_topics(list(names)).values():
            done.result()
    while names & set(admin.list_topics(timeout=30).topics):
        time.sleep(POLL_SECONDS)
    topic_setup.apply(bootstrap, SETTINGS)


def _alone(tree: Path, persons: int, batch: int, given: list[str]) -> dict[str, float]:
    """The figures of one tree: its own code, measured by this file."""
    command = [sys.executable, __file__, "--persons", str(persons), "--batch", str(batch), "--given", *given]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    ran = subprocess.run(command, cwd=tree, env=environment, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(ran.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sending", description=__doc__)
    parser.add_argument("--persons", type=int, default=800, help="persons of the population (800)")
    parser.add_argument("--batch", type=int, default=500, help="events of one ledger transaction (500)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each tree that count (5)")
    parser.add_argument("--beside", type=Path, help="another tree of the repository, to which this one is compared")
    parser.add_argument("--given", nargs=4, help="Kafka, PostgreSQL and their pids: one run, for programs")
    options = parser.parse_args()
    if options.given:
        bootstrap, url, kafka, postgres = options.given
        sys.stdout.write(json.dumps(measure(bootstrap, url, int(kafka), int(postgres), options.persons, options.batch)))
    else:
        trees = [ROOT] if options.beside is None else [ROOT, options.beside.resolve()]
        compare(trees, options.persons, options.runs, options.batch)


if __name__ == "__main__":
    main()
