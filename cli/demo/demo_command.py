"""`huzhu demo`: the whole system on this machine, from hospital events to payouts, on real Kafka and PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer
from confluent_kafka import KafkaException
from sqlalchemy import Engine

from acts.publish_policy import publish_policy
from cli.demo.demo_console import open_console, reports
from cli.offline.adjudicate_command import lines_of, load_policies
from cli.servers.operate import settings
from cli.terminal.output import err, fail, out, progress
from cli.terminal.run_summary import summarise
from infra.clock import utc_now
from infra.kafka import topic_setup
from infra.ledger.schema import LedgerMismatch, bind, connect, upgrade
from infra.population import generate
from infra.servers.local.guard_client import Guarded
from infra.servers.resolve import PartFailed, PartUnavailable, resolve_kafka, resolve_postgres
from infra.settings import Settings
from schemas.topics import AUDIT, DEADLETTER, DECISIONS, INSTRUCTIONS
from stream.inbound.partition_reader import RangeReader
from stream.inbound.post import post
from stream.lag import lag
from stream.outbound.read_topic import read_topic

EXAMPLE = "Example: huzhu demo --facts facts.jsonl --policy wuxi-sample.toml --out huzhu-demo"
SAMPLE_POLICY = Path(__file__).parents[2] / "infra" / "samples" / "wuxi-sample.toml"
FILES = {
    "decisions.jsonl": DECISIONS,
    "payouts.jsonl": INSTRUCTIONS,
    "audit.jsonl": AUDIT,
    "deadletter.jsonl": DEADLETTER,
}
RESTARTS_MAX = 20
STALLED_SECONDS_MAX = 180.0
"""Kafka gives a killed worker up after its session timeout; several times that without any progress is a failure."""


def demo(
    facts: Annotated[Path | None, typer.Option(help="Facts to post; without it a population is made.")] = None,
    policy: Annotated[list[Path] | None, typer.Option(help="Policy files; without one the sample of Wuxi.")] = None,
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for what comes out.")] = Path("huzhu-demo"),
    persons: Annotated[int, typer.Option(min=1, help="Size of the population that is made without --facts.")] = 500,
    seed: Annotated[int, typer.Option(help="Seed of that population.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Keep running, with the console open, until Ctrl-C.")] = False,
) -> None:
    """Run everything here: get Kafka and PostgreSQL, post facts, decide, pay, and show who is paid what and why.

    Ends when the ledger is idle, leaves the outbound topics as files in the folder, and stops all that it started.
    With --keep it then has an insurer report the payouts and keeps the console open, with a sign-in for each role.
    """
    files = policy or [SAMPLE_POLICY]
    load_policies(files)
    events = [value for _, value in lines_of(facts)] if facts else list(generate(seed, persons))
    known = settings()
    started = time.monotonic()
    out_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            with err.status("starting Kafka and PostgreSQL"):
                kafka = stack.enter_context(resolve_kafka(known.kafka_bootstrap))
                postgres = stack.enter_context(resolve_postgres(known.database_url))
            said = f"Kafka ({kafka.origin}) at {kafka.bootstrap}, PostgreSQL ({postgres.origin})"
            err.print(f"{said}, after {time.monotonic() - started:.1f} s")
            engine = connect(postgres.url)
            stack.callback(engine.dispose)
            _prepare(engine, kafka.bootstrap, known, files)
            os.environ |= {"HUZHU_KAFKA_BOOTSTRAP": kafka.bootstrap, "HUZHU_DATABASE_URL": postgres.url}
            processes = stack.enter_context(_Processes(out_dir))
            begun = time.monotonic()
            _post(kafka.bootstrap, events)
            _await_idle(engine, kafka.bootstrap, known, processes)
            took = time.monotonic() - begun
            for name, topic in FILES.items():
                _write(out_dir / name, read_topic(kafka.bootstrap, topic))
            if keep:
                summarise(out_dir, len(events), took)
                _post(kafka.bootstrap, list(reports(out_dir / "payouts.jsonl")))
                secret = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="huzhu-demo-")))
                open_console(engine, secret, processes.start)
                _until_interrupted(processes)
                return
        except (PartUnavailable, PartFailed, LedgerMismatch, topic_setup.KafkaUnreachable) as error:
            fail(str(error))
        except (KafkaException, TimeoutError) as error:
            fail(f"the demo stopped: {error}. See the logs in {out_dir}", 1)
    summarise(out_dir, len(events), took)
    for name in FILES:
        out.print(str(out_dir / name))


class _Processes:
    """Worker and relay as processes of their own, started again when they die, gone when the demo is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._settings: dict[str, dict[str, str]] = {}
        self._restarts = 0
        self._guarded = Guarded(self._folder, temporary=False)

    def __enter__(self) -> _Processes:
        for name in ("worker", "relay"):
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        self._guarded.close()
        (self._folder / "guard.log").unlink(missing_ok=True)

    def look_after(self) -> None:
        """Starts again what has died. Raises TimeoutError when that happened too often."""
        for name in self._settings:
            code = self._guarded.exit_code(name)
            if code is None:
                continue
            self._restarts += 1
            if self._restarts > RESTARTS_MAX:
                raise TimeoutError(f"the {name} keeps ending (exit status {code})")
            err.print(f"the {name} ended with status {code}: started again")
            self._start(name)

    def start(self, command: str, **settings: str) -> None:
        """Starts `huzhu COMMAND` with variables of its own, to be looked after."""
        self._log(command).unlink(missing_ok=True)
        self._settings[command] = settings
        self._start(command)

    def _start(self, command: str) -> None:
        given = [f"{name}={value}" for name, value in self._settings[command].items()]
        argv = ["env", *given, sys.executable, "-m", "cli.main", *command.split()]
        self._guarded.start(command, argv, self._log(command))

    def _log(self, command: str) -> Path:
        return self._folder / f"{command.replace(' ', '-')}.log"


def _prepare(engine: Engine, bootstrap: str, known: Settings, files: list[Path]) -> None:
    upgrade(engine)
    topic_setup.apply(bootstrap, known)
    bind(engine, known.shards, topic_setup.cluster_id(bootstrap))
    for file in files:
        with engine.begin() as connection:
            text = file.read_text("utf-8")
            publish_policy(connection, text, "demo", known.shards, utc_now, str(file))


def _post(bootstrap: str, events: list[bytes]) -> None:
    with progress() as bar:
        task = bar.add_task("posting events", total=len(events))
        post(bootstrap, events, lambda number: bar.update(task, completed=number))


def _await_idle(engine: Engine, bootstrap: str, known: Settings, processes: _Processes) -> None:
    """Until everything posted is decided and everything decided is sent."""
    with progress() as bar, RangeReader(bootstrap) as reader:
        task = bar.add_task("deciding and paying", total=None)
        best, since = sys.maxsize, time.monotonic()
        while not (now := lag(engine, reader, known.shards)).idle:
            processes.look_after()
            left = now.inbound + now.outbound
            bar.update(task, description=f"deciding and paying, {now.inbound} in, {now.outbound} out")
            if left != best:
                best, since = left, time.monotonic()
            if time.monotonic() - since > STALLED_SECONDS_MAX:
                raise TimeoutError(f"no progress with {now.inbound} events to take in and {now.outbound} to send")
            time.sleep(0.1)


def _until_interrupted(processes: _Processes) -> None:
    with suppress(KeyboardInterrupt):
        while True:
            processes.look_after()
            time.sleep(0.5)


def _write(path: Path, values: Iterator[bytes]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.writelines(value + b"\n" for value in values)
    shutil.move(partial, path)
