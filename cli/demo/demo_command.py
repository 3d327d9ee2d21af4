"""`huzhu demo`: the whole system on this machine, from hospital events to payouts, with a real Kafka and PostgreSQL."""

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
from acts.publish_treaty import publish_treaty
from acts.published_treaties import topics_of
from cli.demo.demo_console import open_console, reports
from cli.demo.found import Discovered, decide, not_asked_for, publish_sample, show_discovered
from cli.demo.household import home, second_stay, show_household
from cli.demo.month_end import MonthEnd, end_month, show_month_end
from cli.demo.own_servers import require_unused
from cli.demo.village_pool import later_stays, money_arrives, show_village, village
from cli.terminal.connect import read_settings
from cli.terminal.given_files import by_start, folder_for, lines_of, load_policies, load_treaties
from cli.terminal.output import UNUSABLE, err, fail, out, progress
from cli.terminal.run_summary import summarise
from infra.clock import utc_now
from infra.kafka import topic_setup
from infra.ledger.schema import LedgerMismatch, bind, connect
from infra.ledger.upgrading import upgrade
from infra.population import generate, with_advances
from infra.servers.local.guard_client import Guarded
from infra.servers.resolve import PartFailed, PartUnavailable, resolve_kafka, resolve_postgres
from infra.settings import Settings
from infra.settings_in_force import SETTINGS_FILE, settings_file
from schemas.months import month_at
from schemas.policy.policy_file import read_text
from schemas.topics import AUDIT, DEADLETTER, DECISIONS, INSTRUCTIONS, STATEMENTS
from stream.inbound.partition_reader import RangeReader
from stream.inbound.post import post
from stream.lag import lag
from stream.outbound.cursors import LEDGER_REFUSED
from stream.outbound.read_topic import read_topic

EXAMPLE = "Example: huzhu demo --facts facts.jsonl --policy wuxi-sample.toml --out huzhu-demo"
SAMPLES = Path(__file__).parents[2] / "infra" / "samples"
SAMPLE_POLICY = SAMPLES / "wuxi-sample.toml"
HOUSEHOLD_POLICY = SAMPLES / "household-sample.toml"
SAMPLE_WATCHES = SAMPLES / "watches-sample.toml"
SAMPLE_TREATIES = [SAMPLES / "treaty-self-pay-sample.toml", SAMPLES / "treaty-village-sample.toml"]
FILES = {
    "decisions.jsonl": DECISIONS,
    "payouts.jsonl": INSTRUCTIONS,
    "statements.jsonl": STATEMENTS,
    "audit.jsonl": AUDIT,
    "deadletter.jsonl": DEADLETTER,
}
ADVANCED_SHARE = 0.3
"""Of how many bills of the made-up city the hospital takes the benefits off."""
RESTARTS_MAX = 20
LASTING = (UNUSABLE, LEDGER_REFUSED)
"""Exit statuses after which a process is not started again."""
STALLED_SECONDS_MAX = 180.0
"""Kafka drops a killed worker after its session timeout; no progress for several times that long is a failure."""


def demo(
    facts: Annotated[Path | None, typer.Option(help="Facts to post. Default: a made-up population.")] = None,
    policy: Annotated[list[Path] | None, typer.Option(help="Policy file; can be repeated. Default: samples.")] = None,
    treaty: Annotated[
        list[Path] | None,
        typer.Option(help="Treaty file; can be repeated. Default: two samples, if the policy is the sample."),
    ] = None,
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("huzhu-demo"),
    persons: Annotated[int, typer.Option(min=1, help="Size of the made-up population.")] = 500,
    seed: Annotated[int, typer.Option(help="Random seed of the made-up population.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Keep running, with the console, until Ctrl-C.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before filling an empty ledger and Kafka that the settings name.")
    ] = False,
) -> None:
    """Run the whole system here: start Kafka and PostgreSQL, post facts, decide, pay, show who is paid what and why.

    Without facts and policies of yours it adds a household of two who share one yearly cap to its population, and a
    village whose pool runs out of money; then it looks for people who pay much, grants one of them aid, and releases a
    claim that was held.
    A ledger or Kafka that the settings name is filled only if it is empty, and after a question.
    When all claims are decided, it reports the payouts as insurers would, ends the month as if the next one had begun,
    with statements to the insurers and a trial balance, writes the outbound topics to files in the folder, and stops
    everything it started. With --keep it keeps the console open, with a user for each role.
    """
    added = not (facts or policy)
    files = policy or [SAMPLE_POLICY, *([HOUSEHOLD_POLICY] if added else [])]
    load_policies(files)
    treaties = treaty or ([] if policy else SAMPLE_TREATIES)
    load_treaties(treaties)
    before = [*home(), *village()] if added else []
    events = [value for _, value in lines_of(facts)] if facts else _city(seed, persons)
    events += [*second_stay(), *later_stays()] if added else []
    after = [*money_arrives(), *not_asked_for()] if added else []
    settings = read_settings()
    folder_for(out_dir)
    require_unused(settings, yes)
    started = time.monotonic()
    with ExitStack() as stack:
        try:
            with err.status("starting Kafka and PostgreSQL"):
                kafka = stack.enter_context(resolve_kafka(settings.kafka_bootstrap))
                postgres = stack.enter_context(resolve_postgres(settings.database_url))
            servers = f"Kafka ({kafka.origin}) at {kafka.bootstrap}, PostgreSQL ({postgres.origin})"
            err.print(f"{servers}, after {time.monotonic() - started:.1f} s")
            engine = connect(postgres.url)
            stack.callback(engine.dispose)
            _prepare(engine, kafka.bootstrap, settings, files)
            _publish_treaties(engine, kafka.bootstrap, settings, treaties)
            os.environ |= {"HUZHU_KAFKA_BOOTSTRAP": kafka.bootstrap, "HUZHU_DATABASE_URL": postgres.url}
            if (file := settings_file()) is not None:
                os.environ[SETTINGS_FILE] = str(file)  # the processes run in another folder
            processes = stack.enter_context(_Processes(out_dir))
            posted_at = time.monotonic()
            for part in filter(None, (before, events)):
                _post(kafka.bootstrap, part)
                _await_idle(engine, kafka.bootstrap, settings, processes)
            if added:
                publish_sample(engine, SAMPLE_WATCHES, settings.shards)
                _post(kafka.bootstrap, after)
                _await_idle(engine, kafka.bootstrap, settings, processes)
            seconds = time.monotonic() - posted_at
            discovered = decide(engine, settings.shards) if added else None
            _await_idle(engine, kafka.bootstrap, settings, processes)
            _write(out_dir / "payouts.jsonl", read_topic(kafka.bootstrap, INSTRUCTIONS))
            _post(kafka.bootstrap, list(reports(out_dir / "payouts.jsonl")))
            _await_idle(engine, kafka.bootstrap, settings, processes)
            ended = end_month(engine, month_at(utc_now()), settings.shards)
            _await_idle(engine, kafka.bootstrap, settings, processes)
            for name, topic in FILES.items():
                _write(out_dir / name, read_topic(kafka.bootstrap, topic))
            if keep:
                _summarise(out_dir, len(before + events + after), seconds, ended, discovered)
                secret = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="huzhu-demo-")))
                open_console(engine, secret, processes.start)
                _until_interrupted(processes)
                return
        except (PartUnavailable, PartFailed, LedgerMismatch, topic_setup.KafkaUnreachable, _Unusable) as error:
            fail(str(error))
        except (KafkaException, TimeoutError) as error:
            fail(f"the demo stopped: {error}. See the logs in {out_dir}", 1)
    _summarise(out_dir, len(before + events + after), seconds, ended, discovered)
    for name in FILES:
        out.print(str(out_dir / name))


def _summarise(folder: Path, events: int, seconds: float, ended: MonthEnd, discovered: Discovered | None) -> None:
    summarise(folder, events, seconds)
    if discovered is not None:
        show_household(folder / "decisions.jsonl")
        show_village(folder)
    show_month_end(ended)
    if discovered is not None:
        show_discovered(discovered, folder / "payouts.jsonl")


class _Unusable(Exception):
    """A process will end the same way however often it is started."""


def _last_line(log: Path) -> str:
    return (log.read_text("utf-8", "replace").strip() or "it said nothing").splitlines()[-1]


class _Processes:
    """Worker, relay and other commands as processes: restarted when they die, stopped at the end of the demo."""

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

    def restart_dead(self) -> None:
        """Restarts processes that have died. Raises TimeoutError when that happens too often.

        Raises _Unusable where starting again would not help.
        """
        for name in self._settings:
            code = self._guarded.exit_code(name)
            if code is None:
                continue
            if code in LASTING:
                raise _Unusable(f"the {name} cannot run (exit status {code}): {_last_line(self._log(name))}")
            self._restarts += 1
            if self._restarts > RESTARTS_MAX:
                raise TimeoutError(f"the {name} keeps stopping (exit status {code})")
            err.print(f"the {name} ended with status {code}; restarting it")
            self._start(name)

    def start(self, command: str, **settings: str) -> None:
        """Starts `huzhu COMMAND` with extra environment variables, and restarts it when it dies."""
        self._log(command).unlink(missing_ok=True)
        self._settings[command] = settings
        self._start(command)

    def _start(self, command: str) -> None:
        variables = [f"{name}={value}" for name, value in self._settings[command].items()]
        argv = ["env", *variables, sys.executable, "-m", "cli.main", *command.split()]
        self._guarded.start(command, argv, self._log(command))

    def _log(self, command: str) -> Path:
        return self._folder / f"{command.replace(' ', '-')}.log"


def _city(seed: int, persons: int) -> list[bytes]:
    return list(with_advances(generate(seed, persons), ADVANCED_SHARE))


def _prepare(engine: Engine, bootstrap: str, settings: Settings, files: list[Path]) -> None:
    upgrade(engine)
    topic_setup.apply(bootstrap, settings)
    bind(engine, settings.shards, topic_setup.cluster_id(bootstrap))
    for file, text in by_start(files):
        with engine.begin() as connection:
            publish_policy(connection, text, "demo", settings.shards, utc_now, str(file))


def _publish_treaties(engine: Engine, bootstrap: str, settings: Settings, files: list[Path]) -> None:
    for treaty in load_treaties(files).releases:
        topic_setup.apply(bootstrap, settings, topics_of(treaty))
    for file in files:
        with engine.begin() as connection:
            publish_treaty(connection, read_text(file), "demo", settings.shards, utc_now, str(file))


def _post(bootstrap: str, events: list[bytes]) -> None:
    with progress() as bar:
        task = bar.add_task("posting events", total=len(events))
        post(bootstrap, events, lambda number: bar.update(task, completed=number))


def _await_idle(engine: Engine, bootstrap: str, settings: Settings, processes: _Processes) -> None:
    """Waits until everything posted is decided and every decision is sent."""
    with progress() as bar, RangeReader(bootstrap) as reader:
        task = bar.add_task("deciding and paying", total=None)
        left_before, since = sys.maxsize, time.monotonic()
        while not (now := lag(engine, reader, settings.shards)).idle:
            processes.restart_dead()
            left = now.inbound + now.households + now.pools + now.outbound
            bar.update(task, description=f"deciding and paying, {now.inbound} in, {now.outbound} out")
            if left != left_before:
                left_before, since = left, time.monotonic()
            if time.monotonic() - since > STALLED_SECONDS_MAX:
                raise TimeoutError(
                    f"no progress with {now.inbound} events to process and {now.outbound} messages to send"
                )
            time.sleep(0.1)


def _until_interrupted(processes: _Processes) -> None:
    with suppress(KeyboardInterrupt):
        while True:
            processes.restart_dead()
            time.sleep(0.5)


def _write(path: Path, values: Iterator[bytes]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.writelines(value + b"\n" for value in values)
    shutil.move(partial, path)
