"""`huzhu worker`, `relay` and `topics`: the programs and checks of an operator."""

from __future__ import annotations

import logging
import signal
import tempfile
from typing import Annotated

import typer
from confluent_kafka import KafkaException
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from cli.terminal.output import err, fail, out
from infra.kafka import acls, topic_setup
from infra.kafka.client_security import KafkaSecurity
from infra.ledger.schema import LedgerMismatch, bind, connect, upgrade
from infra.settings import Settings, SettingsError
from schemas.access.kafka_rights import KafkaRole, rules
from stream.deadline import INFRASTRUCTURE_GONE

WORKER_EXAMPLE = "Example: huzhu worker --log-level warning"
RELAY_EXAMPLE = "Example: huzhu relay"

topics = typer.Typer(no_args_is_help=True, help="Create and check the Kafka topics.")


def read_settings() -> Settings:
    try:
        return KafkaSecurity.from_environment().settings
    except SettingsError as error:
        fail(str(error))


def kafka_address(settings: Settings) -> str:
    return settings.kafka_bootstrap or fail("set HUZHU_KAFKA_BOOTSTRAP to the address of Kafka, such as 127.0.0.1:9092")


def ledger(settings: Settings) -> Engine:
    """The ledger, upgraded to the newest schema."""
    url = settings.database_url or fail("set HUZHU_DATABASE_URL, such as postgresql+psycopg://huzhu@127.0.0.1/huzhu")
    engine = connect(url, settings.ledger_lease)
    try:
        upgrade(engine)
    except DBAPIError as error:
        fail(f"cannot reach or upgrade the ledger: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    return engine


def bound_ledger(settings: Settings) -> tuple[Engine, str]:
    """The ledger and Kafka's address, after checking that they belong together and that the topics are correct."""
    bootstrap, engine = kafka_address(settings), ledger(settings)
    try:
        differences = topic_setup.check(bootstrap, settings)
        if differences:
            fail("\n".join(map(str, differences)) + "\nrun `huzhu topics apply`, or fix the topics")
        bind(engine, settings.shards, topic_setup.cluster_id(bootstrap))
    except LedgerMismatch as error:
        fail(str(error))
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    except DBAPIError as error:
        fail(f"cannot reach the ledger: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    return engine, bootstrap


def log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("kafka", "aiokafka", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error.")]


def worker(log_level: LogLevel = "info") -> None:
    """Process events from Kafka into the ledger until stopped by a signal.

    Run any number of workers up to the number of partitions, which Kafka distributes among them. Exit status 75 means
    that Kafka or the ledger could not be reached: start the worker again.
    """
    from stream.inbound import worker as process
    from stream.inbound.intake import Intake
    from stream.inbound.partition_reader import RangeReader

    settings = read_settings()
    log_to_stderr(log_level)
    engine, bootstrap = bound_ledger(settings)
    with RangeReader(bootstrap) as reader, tempfile.TemporaryDirectory(prefix="huzhu-faust-") as folder:
        app = process.create_app(Intake(engine, reader, settings), bootstrap, settings, folder)
        process.run(app, log_level)


def relay(log_level: LogLevel = "info") -> None:
    """Send the ledger's decisions and payouts to the outbound topics until stopped by a signal.

    One relay serves all shards; a second relay takes over from the first. Exit status 75 means that Kafka or the ledger
    could not be reached: start the relay again.
    """
    from stream.outbound.relay import CursorLost
    from stream.outbound.relay_process import RelayProcess

    settings = read_settings()
    log_to_stderr(log_level)
    engine, bootstrap = bound_ledger(settings)
    process = RelayProcess(engine, bootstrap, range(settings.shards), settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: process.stop())
    try:
        process.run()
    except CursorLost as error:
        fail(str(error), 1)
    except (KafkaException, DBAPIError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        fail(f"the relay stopped: {str(reason).splitlines()[0]}", INFRASTRUCTURE_GONE)


@topics.command("apply", epilog="Example: HUZHU_KAFKA_BOOTSTRAP=127.0.0.1:9092 huzhu topics apply")
def apply() -> None:
    """Create missing topics. Existing topics are not changed."""
    settings = read_settings()
    try:
        created = topic_setup.apply(kafka_address(settings), settings)
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    for name in created:
        out.print(f"created {name} with {settings.shards} partitions")
    if not created:
        out.print("all topics exist")


@topics.command("acl", epilog="Example: huzhu topics acl --role insurer --user picc-wuxi --apply")
def acl(
    role: Annotated[KafkaRole | None, typer.Option(help="Only this role. Default: all roles.")] = None,
    user: Annotated[str | None, typer.Option(help="The Kafka user, with --role. Default: the role's name.")] = None,
    put: Annotated[bool, typer.Option("--apply", help="Also apply the rules to the cluster.")] = False,
) -> None:
    """Print the Kafka rules for each kind of program: the minimum it needs, derived from the topic declarations.

    With --apply the rules are added to the cluster. Rules that exist already are never removed.
    """
    settings = read_settings()
    if user and role is None:
        fail("--user needs --role")
    wanted_rules = [rule for one in ([role] if role else KafkaRole) for rule in rules(one, user or one.value)]
    for rule in wanted_rules:
        out.print(str(rule), soft_wrap=True)
    if not put:
        return
    try:
        acls.apply(kafka_address(settings), wanted_rules)
    except acls.NotApplied as error:
        fail(str(error), 1)
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    err.print(f"{len(wanted_rules)} rules are in force")


@topics.command("check", epilog="Example: huzhu topics check && echo as declared")
def check() -> None:
    """Show how the cluster's topics differ from the declarations. Exit status 1 if they do."""
    settings = read_settings()
    try:
        differences = topic_setup.check(kafka_address(settings), settings)
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    for difference in differences:
        err.print(str(difference))
    if differences:
        raise typer.Exit(1)
    out.print("all topics are as declared")
