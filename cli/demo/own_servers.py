"""The demo fills servers of its own; at an address that somebody gave it, it asks, and never touches what is in use."""

from __future__ import annotations

import sys

import typer

from cli.terminal.output import fail
from infra.kafka import topic_setup
from infra.ledger.schema import connect, is_untouched
from infra.settings import Settings
from stream.inbound.partition_reader import RangeReader

OWN = "unset HUZHU_DATABASE_URL and HUZHU_KAFKA_BOOTSTRAP, and the demo starts servers of its own"


def require_unused(settings: Settings, yes: bool) -> None:
    """Ends the command if a given ledger or Kafka is in use, or if nobody agrees that the demo fills it.

    Raises DBAPIError, KafkaUnreachable and KafkaException.
    """
    given = [name for name in ("database_url", "kafka_bootstrap") if getattr(settings, name)]
    if not given:
        return
    names = " and ".join(f"HUZHU_{name.upper()}" for name in given)
    if settings.database_url and _ledger_in_use(settings.database_url):
        fail(f"the ledger at HUZHU_DATABASE_URL is in use: the demo does not publish or post anything there; {OWN}")
    if settings.kafka_bootstrap and _kafka_in_use(settings.kafka_bootstrap, settings.shards):
        fail(f"the topics at HUZHU_KAFKA_BOOTSTRAP are in use: the demo does not post anything there; {OWN}")
    if yes:
        return
    question = f"The demo will publish its policies and post made-up events at {names}, for good. Go on?"
    if not sys.stdin.isatty():
        fail(f"{question} Say so with --yes, or {OWN}")
    if not typer.confirm(question, err=True):
        fail(f"nothing was done; {OWN}")


def _ledger_in_use(url: str) -> bool:
    engine = connect(url)
    try:
        return not is_untouched(engine)
    finally:
        engine.dispose()


def _kafka_in_use(bootstrap: str, shards: int) -> bool:
    places = [(topic, shard) for topic in topic_setup.existing(bootstrap) for shard in range(shards)]
    with RangeReader(bootstrap) as reader:
        return any(end for _, end in reader.ends(places).values())
