"""`huzhu worker`, `relay`, `topics apply` and `topics check`: what an operator runs."""

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

topics = typer.Typer(no_args_is_help=True, help="Make and check the Kafka topics.")


def settings() -> Settings:
    try:
        return KafkaSecurity.from_environment().settings
    except SettingsError as error:
        fail(str(error))


def kafka_address(known: Settings) -> str:
    return known.kafka_bootstrap or fail("set HUZHU_KAFKA_BOOTSTRAP to the address of Kafka, such as 127.0.0.1:9092")


def ledger(known: Settings) -> Engine:
    """The ledger, at its newest schema."""
    url = known.database_url or fail("set HUZHU_DATABASE_URL, such as postgresql+psycopg://huzhu@127.0.0.1/huzhu")
    engine = connect(url, known.ledger_lease)
    try:
        upgrade(engine)
    except DBAPIError as error:
        fail(f"the ledger cannot be reached or upgraded: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    return engine


def bound_ledger(known: Settings) -> tuple[Engine, str]:
    """The ledger and Kafka's address, after checking that the two belong together and that the topics are there."""
    bootstrap, engine = kafka_address(known), ledger(known)
    try:
        differences = topic_setup.check(bootstrap, known)
        if differences:
            fail("\n".join(map(str, differences)) + "\nrun `huzhu topics apply`, or correct the topics")
        bind(engine, known.shards, topic_setup.cluster_id(bootstrap))
    except LedgerMismatch as error:
        fail(str(error))
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    except DBAPIError as error:
        fail(f"the ledger cannot be reached: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    return engine, bootstrap


def log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("kafka", "aiokafka", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error.")]


def worker(log_level: LogLevel = "info") -> None:
    """Take events from Kafka into the ledger, until a signal ends it.

    Start as many as there are partitions at most; Kafka shares the partitions among them. Exit status 75 means that
    Kafka or the ledger was gone: start it again.
    """
    from stream.inbound import worker as process
    from stream.inbound.intake import Intake
    from stream.inbound.partition_reader import RangeReader

    known = settings()
    log_to_stderr(log_level)
    engine, bootstrap = bound_ledger(known)
    with RangeReader(bootstrap) as reader, tempfile.TemporaryDirectory(prefix="huzhu-faust-") as folder:
        app = process.create_app(Intake(engine, reader, known), bootstrap, known, folder)
        process.run(app, log_level)


def relay(log_level: LogLevel = "info") -> None:
    """Send what the ledger has decided to the outbound topics, until a signal ends it.

    One relay serves all shards; a second one takes over from the first. Exit status 75: start it again.
    """
    from stream.outbound.relay import CursorLost
    from stream.outbound.relay_process import RelayProcess

    known = settings()
    log_to_stderr(log_level)
    engine, bootstrap = bound_ledger(known)
    process = RelayProcess(engine, bootstrap, range(known.shards), known)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: process.stop())
    try:
        process.run()
    except CursorLost as error:
        fail(str(error), 1)
    except (KafkaException, DBAPIError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        fail(f"relay ends: {str(reason).splitlines()[0]}", INFRASTRUCTURE_GONE)


@topics.command("apply", epilog="Example: HUZHU_KAFKA_BOOTSTRAP=127.0.0.1:9092 huzhu topics apply")
def apply() -> None:
    """Create the topics that are missing. What exists is left as it is."""
    known = settings()
    try:
        made = topic_setup.apply(kafka_address(known), known)
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    for name in made:
        out.print(f"created {name} with {known.shards} partitions")
    if not made:
        out.print("all topics exist")


@topics.command("acl", epilog="Example: huzhu topics acl --role insurer --user picc-wuxi --apply")
def acl(
    role: Annotated[KafkaRole | None, typer.Option(help="Only this role; without it all.")] = None,
    user: Annotated[str | None, typer.Option(help="The Kafka user, with --role; without it the role's name.")] = None,
    put: Annotated[bool, typer.Option("--apply", help="Allow it in the cluster, beside printing it.")] = False,
) -> None:
    """Print what each kind of program may do in Kafka: the least that it needs, from the topic declarations.

    With --apply the cluster is told. Nothing is taken away, and what is allowed already stays so.
    """
    known = settings()
    if user and role is None:
        fail("--user needs --role: say which kind of program it is")
    found = [rule for each in ([role] if role else KafkaRole) for rule in rules(each, user or each.value)]
    for rule in found:
        out.print(str(rule), soft_wrap=True)
    if not put:
        return
    try:
        acls.apply(kafka_address(known), found)
    except acls.NotApplied as error:
        fail(str(error), 1)
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    err.print(f"{len(found)} rules are in force")


@topics.command("check", epilog="Example: huzhu topics check && echo as declared")
def check() -> None:
    """Say in what the cluster's topics differ from the declaration. Exit status 1 if they do."""
    known = settings()
    try:
        differences = topic_setup.check(kafka_address(known), known)
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    for difference in differences:
        err.print(str(difference))
    if differences:
        raise typer.Exit(1)
    out.print("all topics are as declared")
