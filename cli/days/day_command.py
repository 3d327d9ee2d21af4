"""`huzhu day close`: tells every shard of the ledger that a day is over (日终)."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated

import typer
from confluent_kafka import KafkaException
from sqlalchemy.exc import DBAPIError

from cli.terminal.connect import kafka_address, ledger, read_settings
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.operators import require_named
from cli.terminal.output import fail, out
from handlers.days.days_to_send import days_to_send
from infra.clock import utc_now
from infra.kafka import topic_setup
from infra.ledger.day_rows import days_of_shards
from infra.ledger.schema import LedgerMismatch, bind
from infra.settings import Settings
from schemas.bilingual import SaidError, Saying
from schemas.closed_days import ClosedDays
from schemas.dates import format_instant, parse_date, shanghai_date
from schemas.topics import DAYS
from stream.deadline import INFRASTRUCTURE_GONE
from stream.inbound.post import ToPost, post_messages

app = typer.Typer(no_args_is_help=True, help="Close days: what is due on a day is due when it is closed.")


@app.callback()
def _group() -> None:
    """With a single command, Typer would leave its name out."""


@app.command(epilog="Example: huzhu day close 2027-03-01")
def close(
    day: Annotated[str, typer.Argument(metavar="DAY", help="The day, such as 2027-03-01.")],
    operator: Annotated[str, typer.Option(help="Who closes it; recorded in the audit log.")] = "timer",
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Close a day on every shard of the ledger. A timer calls this once a day.

    Days are closed in order. Those that were left out since the last one are closed first; a day that is closed
    already stays as it is. The first one may be any day that has come. Exit status 2 for a day that is ahead of
    today in Shanghai, or before the first one.
    """
    require_named(operator)
    say, settings = translator(language), read_settings()
    try:
        chosen = parse_date(day)
    except SaidError as error:
        fail(f"{day}: {error.saying.zh}\n{day}: {error.saying.en}")
    bootstrap = kafka_address(settings)
    now = utc_now()
    missing = days_to_send(chosen, shanghai_date(now), _closed(settings, bootstrap), settings.shards)
    if isinstance(missing, Saying):
        nothing = Saying(f"{missing.zh};什么都没有发送", f"{missing.en}; nothing was sent")
        fail(say(nothing))
    if not missing:
        out.print(say(Saying(f"{chosen} 已经日终,无需再做。", f"{chosen} is closed already, nothing to do.")))
        return
    occurred_at = format_instant(now)
    try:
        post_messages(bootstrap, (_message(*each, operator.strip(), occurred_at) for each in missing))
    except KafkaException as error:
        fail(
            f"Kafka 没有确认全部消息:{error}。请再执行一次,重复的不会重复计\n"
            f"Kafka did not acknowledge all messages: {error}. Run it again: what comes twice counts once",
            INFRASTRUCTURE_GONE,
        )
    first = missing[0][0]
    span = (
        Saying(str(chosen), str(chosen)) if first == chosen else Saying(f"{first} 至 {chosen}", f"{first} to {chosen}")
    )
    shards = len({shard for _, shard in missing})
    out.print(
        say(Saying(f"{span.zh} 的日终已发送到 {shards} 个分区。", f"Closed {span.en}: sent to {shards} partitions."))
    )


def _closed(settings: Settings, bootstrap: str) -> dict[int, ClosedDays]:
    """The days that the ledger of this Kafka has closed; ends the command where the two do not belong together."""
    engine = ledger(settings)
    try:
        bind(engine, settings.shards, topic_setup.cluster_id(bootstrap))
        with engine.connect() as connection:
            return days_of_shards(connection, range(settings.shards))
    except LedgerMismatch as error:
        fail(str(error))
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    except DBAPIError as error:
        fail(f"the ledger cannot be reached: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()


def _message(day: date, shard: int, source: str, occurred_at: str) -> ToPost:
    """The message that closes a day on a shard; what is sent again for it has the same id."""
    event = {"event_type": "day.closed", "event_id": f"day-{day}-{shard}", "occurred_at": occurred_at}
    value = json.dumps({**event, "source": source, "day": str(day)}, ensure_ascii=False)
    return ToPost(DAYS.name, None, value.encode(), shard)
