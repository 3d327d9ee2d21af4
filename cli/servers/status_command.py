"""`huzhu status`: what is well and what is not, in a line each, with an exit status for monitors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.terminal.connect import kafka_address, ledger_address, read_settings
from cli.terminal.language import OutputLanguage, translator
from cli.terminal.listing import JsonOption, plain, print_json
from cli.terminal.output import fail, out
from handlers.health.judgement import Limits, exit_status, judged
from handlers.health.status_line import NAMES, StatusLine
from infra.clock import utc_now
from schemas.bilingual import Saying
from schemas.health import OF_LATE
from stream.ask_health import health_reading
from stream.deadline import INFRASTRUCTURE_GONE

EXAMPLE = "Example: huzhu status --json || send-an-alarm"
NEITHER = Saying(
    "账本和 Kafka 都没有应答:请检查 HUZHU_DATABASE_URL 和 HUZHU_KAFKA_BOOTSTRAP",
    "neither the ledger nor Kafka answers: check HUZHU_DATABASE_URL and HUZHU_KAFKA_BOOTSTRAP",
)

MARKS = {
    True: Saying("[正常]", "[ok]"),
    False: Saying("[异常]", "[not well]"),
    None: Saying("[不明]", "[unknown]"),
}


def status(
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds for which something may wait and be well.", metavar="SECONDS")
    ] = 60,
    as_json: JsonOption = False,
    language: Annotated[OutputLanguage, typer.Option(help="zh, en, or both (Chinese first).")] = OutputLanguage.ZH,
) -> None:
    """Say in a line each what is well and what is not. Changes nothing, waits for nothing, and takes a few seconds.

    Looks at Kafka, the ledger and their sessions: who owns the topics, workers without partitions, events that nobody
    takes in, transactions that hang, messages that are not sent, relays, and processes that are started again and
    again. docs/operations.md has a runbook for each line. Exit status 0: all is well. Exit status 1: something is not,
    or cannot be told. Exit status 75: neither Kafka nor the ledger answers.
    """
    settings = read_settings()
    reading = health_reading(
        ledger_address(settings),
        kafka_address(settings),
        settings.shards,
        OF_LATE,
        utc_now,
        promoted=settings.after_promotion == "continue",
    )
    limits = Limits(timedelta(seconds=patience), timedelta(seconds=settings.ledger_lease), OF_LATE)
    lines = judged(reading, limits)
    _show(lines, reading.now, language, as_json=as_json)
    ended = exit_status(lines, INFRASTRUCTURE_GONE)
    sys.stdout.flush()
    if ended == INFRASTRUCTURE_GONE:
        fail(translator(language)(NEITHER), ended)
    raise typer.Exit(ended)


def _show(lines: Sequence[StatusLine], now: datetime, language: OutputLanguage, *, as_json: bool) -> None:
    if as_json:
        rows = [
            plain({"concern": each.concern.value, "well": each.well, **each.said._asdict(), "since": each.since})
            | {"details": each.details}
            for each in lines
        ]
        print_json(plain({"as_of": now, "well": all(each.well for each in lines)}) | {"lines": rows})
        return
    say = translator(language, " / ")
    for each in lines:
        mark, name = MARKS[each.well], NAMES[each.concern]
        zh, en = f"{mark.zh} {name.zh}:{each.said.zh}", f"{mark.en} {name.en}: {each.said.en}"
        out.print(say(Saying(zh, en)), soft_wrap=True, markup=False)
