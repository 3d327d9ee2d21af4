"""`huzhu post` and `huzhu generate`: post events to Kafka, and make up events to try things out."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from confluent_kafka import KafkaException

from cli.events import post_national
from cli.events.checked_events import check_events, list_refused, rereadable, to_send
from cli.terminal.connect import kafka_address, read_settings
from cli.terminal.output import SOME_REFUSED, err, fail, out, progress
from infra.clock import utc_now
from infra.population import describe, with_advances
from infra.population import generate as population
from stream.deadline import INFRASTRUCTURE_GONE
from stream.inbound import post as posting

POST_EXAMPLE = "Example: huzhu post facts.jsonl"
GENERATE_EXAMPLE = "Example: huzhu generate --seed 7 --persons 1000 > facts.jsonl"


class FileFormat(StrEnum):
    HUZHU = "huzhu"
    NATIONAL = "national"


def post(
    file: Annotated[Path, typer.Argument(help="Events, one JSON object per line; - for standard input.")],
    form: Annotated[
        FileFormat, typer.Option("--format", help="national: a settlement list as JSON, CSV or Excel.")
    ] = FileFormat.HUZHU,
    mapping: Annotated[
        list[Path] | None, typer.Option(help="With national: a mapping file or a folder of them; can be repeated.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="With national: the sheet of a workbook.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check the file, post nothing.")] = False,
    send_refused: Annotated[
        bool, typer.Option("--send-refused", help="Also post events that will be refused, so that this is on record.")
    ] = False,
) -> None:
    """Post events to their inbound topics, keyed by person_id, and wait until Kafka has acknowledged all of them.

    All lines are checked first. Those that the ledger would refuse are listed, and are posted only with
    --send-refused; a file in which no line is an event is never posted. Exit status 3 if some would be refused.

    With --format national the file is a settlement list of the national insurance interface. All records are checked
    first. Refused records are listed and written to FILE.refused.csv; the others are posted. Exit status 3 if some were
    refused.
    """
    settings = read_settings()
    if form is FileFormat.HUZHU:
        if mapping or sheet:
            fail("--mapping and --sheet need --format national")
        _post_events(file, "" if check else kafka_address(settings), check, send_refused)
        return
    if send_refused:
        fail("--send-refused is for events: records of a settlement list that are refused are none")
    mappings = post_national.mappings_of(mapping, settings.national_mappings)
    bootstrap = "" if check else kafka_address(settings)
    checked = post_national.check(file, mappings, sheet)
    post_national.list_refused(file, checked)
    if checked.refused and not check:
        path = post_national.keep_refused(file, checked)
        err.print(f"{len(checked.refused)} records were refused and written to {path}: correct and post that file")
    if check:
        out.print(f"{checked.accepted} records can be posted, {len(checked.refused)} are refused; nothing was posted")
    else:
        _send(bootstrap, checked.events)
    if checked.refused:
        raise typer.Exit(SOME_REFUSED)


def _post_events(file: Path, bootstrap: str, check: bool, send_refused: bool) -> None:
    with rereadable(file) as stream:
        found = check_events(file, stream, utc_now())
        list_refused(file, found)
        if not (found.good or found.refused):
            err.print(
                f"{file}: 文件是空的,什么都没有发送\n{file}: the file is empty, nothing was posted", soft_wrap=True
            )
            return
        if check:
            out.print(f"{found.good} events can be posted, {len(found.refused)} would be refused; nothing was posted")
        else:
            _send(bootstrap, to_send(stream, found, send_refused))
    left = len(found.unsendable if send_refused else found.refused)
    if left and not check:
        hint = "" if send_refused else ": correct and post them, or post them as they are with --send-refused"
        err.print(f"{left} lines were not posted{hint}", soft_wrap=True)
    if found.refused:
        raise typer.Exit(SOME_REFUSED)


def _send(bootstrap: str, events: Iterable[bytes]) -> None:
    with progress() as bar:
        task = bar.add_task("posting", total=None)
        try:
            posted = posting.post(bootstrap, events, lambda number: bar.update(task, completed=number))
        except KafkaException as error:
            fail(
                f"not all events were acknowledged: {error}. Post the file again: events that arrive twice count once",
                INFRASTRUCTURE_GONE,
            )
    for topic, count in sorted(posted.by_topic.items()):
        out.print(f"{topic}: {count} acknowledged")


def generate(
    persons: Annotated[int, typer.Option(min=1, help="Number of persons.")] = 500,
    seed: Annotated[int, typer.Option(help="Random seed: the same seed gives the same bytes.")] = 1,
    settlements: Annotated[
        int | None, typer.Option(min=1, help="Approximate number of settlement events in total.")
    ] = None,
    advances: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the bills of which the hospital takes benefits off.")
    ] = 0.0,
    describe_only: Annotated[bool, typer.Option("--describe", help="Explain how the population is modelled.")] = False,
) -> None:
    """Write the events of a made-up city to standard output, in the order in which they arrive.

    It has categories, villages, stays, interim bills, corrections, refunds, deaths, incidents, temporary aid, late and
    repeated events, and a few bad ones of every kind. No real people are in it.
    """
    if describe_only:
        out.print(describe())
        return
    with progress() as bar:
        task = bar.add_task("generating", total=None)
        for number, line in enumerate(
            with_advances(population(seed, persons, settlements=settlements), advances), start=1
        ):
            sys.stdout.buffer.write(line + b"\n")
            if number % 1000 == 0:
                bar.update(task, completed=number)
    sys.stdout.buffer.flush()
