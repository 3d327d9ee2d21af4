"""What most commands need first: the settings, the ledger, Kafka's address, a log on standard error."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from acts.published_treaties import insurer_topics
from cli.terminal.output import UNUSABLE, fail
from infra.kafka import topic_setup
from infra.kafka.client_security import KafkaSecurity
from infra.keys.personal_data import Keyring, KeyringUnusable, read_keyring
from infra.ledger.identity import require_replica
from infra.ledger.schema import LedgerMismatch, bind, connect, is_bound, require_current
from infra.settings import Settings, SettingsError
from schemas.health import PROGRAM
from schemas.metrics import Process
from schemas.topics import TOPICS, Topic
from stream.deadline import INFRASTRUCTURE_GONE

log = logging.getLogger(__name__)

STATEMENT_SECONDS_MAX = 10.0
"""The longest that a statement can take in programs that answer people and hospitals."""

WITHOUT_TRACES = (
    "HUZHU_TRACES=otlp needs OpenTelemetry's SDK and its exporter for OTLP, which are not installed: "
    "pip install 'huzhu[traces]', or unset it"
)

Result = TypeVar("Result")


class Attempts(Protocol):
    """Runs an act, perhaps several times, and returns its result or raises its last error."""

    def __call__(self, act: Callable[[], Result], what: str, /) -> Result: ...


def at_once(act: Callable[[], Result], _what: str, /) -> Result:
    """A person waits: what fails is told at once."""
    return act()


LEVELS = ("debug", "info", "warning", "error")


def _level(given: str) -> str:
    if given.lower() not in LEVELS:
        raise typer.BadParameter(f"{given!r} is not one of {', '.join(LEVELS)}")
    return given.lower()


LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error.", callback=_level)]


def read_settings() -> Settings:
    """The settings in force; ends the command if one is unusable, or is none."""
    try:
        return KafkaSecurity.in_force().settings
    except SettingsError as error:
        fail(str(error))


def settings_of_process(process: Process, log_level: str) -> Settings:
    """The same for a process that runs until it is stopped, which from now on logs and sends spans as they say."""
    settings = read_settings()
    if settings.log_format == "json":
        from infra.json_lines_log import log_as_json  # importing structlog takes 50 ms: not for every command

        log_as_json(log_level, process.value)
    else:
        log_to_stderr(log_level)
    if settings.traces == "otlp":
        try:
            from infra.sent_spans import send_spans
        except ModuleNotFoundError:
            fail(WITHOUT_TRACES)
        send_spans(process.value)
    for noisy in ("kafka", "aiokafka", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return settings


def log_to_stderr(log_level: str) -> None:
    """From now on this command logs to standard error, in lines for people."""
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def kafka_address(settings: Settings) -> str:
    return settings.kafka_bootstrap or fail("set HUZHU_KAFKA_BOOTSTRAP to the address of Kafka, such as 127.0.0.1:9092")


def ledger_address(settings: Settings) -> str:
    return settings.database_url or fail("set HUZHU_DATABASE_URL, such as postgresql://huzhu@127.0.0.1/huzhu")


def ledger(settings: Settings, patiently: Attempts = at_once, name: str = PROGRAM) -> Engine:
    """The ledger, if it has the schema of this program. ``patiently`` decides how often opening it is tried.

    ``name`` is that of the sessions.
    """
    engine = connect(ledger_address(settings), settings.ledger_lease, name=name)
    with explained_failure("used"):
        patiently(lambda: require_current(engine), "open the ledger")
    return engine


def replica(settings: Settings, original: Engine | None = None, name: str = PROGRAM) -> Engine:
    """What is read at length: the replica at HUZHU_DATABASE_READ_URL, or else the ledger.

    It may be some seconds behind. Ends the command unless it has the schema of this program, and if it is no replica of
    the ``original``.
    """
    engine = connect(settings.database_read_url or ledger_address(settings), settings.ledger_lease, name=name)
    with explained_failure("read"):
        require_current(engine)
        if original is not None:
            require_replica(engine, original)
    return engine


@contextmanager
def explained_failure(done: str) -> Iterator[None]:
    """Ends the command with a sentence if the ledger is another one, or cannot be reached or ``done`` something to."""
    try:
        yield
    except LedgerMismatch as error:
        fail(str(error))
    except DBAPIError as error:
        away = isinstance(error, OperationalError | InterfaceError)
        reason = f"the ledger cannot be reached or {done}: {str(error.orig).splitlines()[0]}"
        fail(reason, INFRASTRUCTURE_GONE if away else UNUSABLE)


def bound_ledger(settings: Settings, patiently: Attempts = at_once, name: str = PROGRAM) -> tuple[Engine, str]:
    """The ledger and Kafka's address, after checking that they belong together and that the topics are correct."""
    bootstrap, engine = kafka_address(settings), ledger(settings, patiently, name)
    cluster = "compare the cluster with the ledger's"
    try:
        home = patiently(lambda: topic_setup.cluster_id(bootstrap), cluster)
        # Before the topics: nobody should make those of another city because they are missing there.
        patiently(lambda: is_bound(engine, settings.shards, home), cluster)
        topics = patiently(lambda: [*TOPICS, *_of_insurers(engine)], "read the treaties")
        differences = patiently(lambda: topic_setup.check(bootstrap, settings, topics), "compare the topics")
        wrong = [str(each) for each in differences if not each.harmless]
        if wrong:
            fail(
                "\n".join(wrong)
                + "\nrun `huzhu topics apply`, with HUZHU_DATABASE_URL for those of insurers, or fix the topics"
            )
        for each in differences:
            log.warning("%s; going on", each)
        patiently(lambda: bind(engine, settings.shards, home), cluster)
    except LedgerMismatch as error:
        fail(str(error))
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    except DBAPIError as error:
        fail(f"the ledger cannot be reached: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    return engine, bootstrap


def _of_insurers(engine: Engine) -> list[Topic]:
    with engine.connect() as connection:
        return insurer_topics(connection)


def keyring(settings: Settings) -> Keyring:
    """The keys for personal data; ends the command if there are none."""
    if settings.console_key_file is None:
        fail("set HUZHU_CONSOLE_KEY_FILE to a key file; `huzhu people newkey FILE` makes one")
    try:
        return read_keyring(Path(settings.console_key_file))
    except KeyringUnusable as error:
        fail(str(error))
