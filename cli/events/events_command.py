"""`huzhu post` and `huzhu generate`: events to a topic, and events to try things with."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from confluent_kafka import KafkaException

from cli.events import post_national
from cli.offline.adjudicate_command import lines_of
from cli.servers.operate import kafka_address, settings
from cli.terminal.output import SOME_REFUSED, err, fail, out, progress
from infra.population import describe
from infra.population import generate as population
from stream.deadline import INFRASTRUCTURE_GONE
from stream.inbound import post as posting

POST_EXAMPLE = "Example: huzhu post facts.jsonl"
GENERATE_EXAMPLE = "Example: huzhu generate --seed 7 --persons 1000 > facts.jsonl"


class Format(StrEnum):
    HUZHU = "huzhu"
    NATIONAL = "national"


def post(
    file: Annotated[Path, typer.Argument(help="Events, one JSON object a line; - is standard input.")],
    form: Annotated[
        Format, typer.Option("--format", help="national: a settlement list as JSON, CSV or Excel.")
    ] = Format.HUZHU,
    mapping: Annotated[
        list[Path] | None, typer.Option(help="With national: a mapping file or a folder of them; may be given again.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="With national: the sheet of a workbook.")] = None,
    check: Annotated[bool, typer.Option("--check", help="With national: check the file and post nothing.")] = False,
) -> None:
    """Post events to their inbound topics, keyed by person_id, and wait until Kafka has acknowledged all.

    With --format national the file is a list of the national insurance interface. All records are checked first;
    those that are refused are listed and kept in FILE.refused.csv, all others are posted. Exit status 3 when some were
    refused.
    """
    known = settings()
    if form is Format.HUZHU:
        if mapping or sheet or check:
            fail("--mapping, --sheet and --check go with --format national")
        _send(kafka_address(known), (value for _, value in lines_of(file)))
        return
    mappings = post_national.mappings_of(mapping, known.national_mappings)
    bootstrap = "" if check else kafka_address(known)
    checked = post_national.check(file, mappings, sheet)
    post_national.tell(file, checked)
    if checked.refused and not check:
        kept = post_national.keep_refused(file, checked)
        err.print(f"{len(checked.refused)} records were refused and stand in {kept}: correct them there and post it")
    if check:
        out.print(f"{checked.taken} records can be posted, {len(checked.refused)} are refused; nothing was posted")
    else:
        _send(bootstrap, checked.events)
    if checked.refused:
        raise typer.Exit(SOME_REFUSED)


def _send(bootstrap: str, events: Iterable[bytes]) -> None:
    with progress() as bar:
        task = bar.add_task("posting", total=None)
        try:
            posted = posting.post(bootstrap, events, lambda number: bar.update(task, completed=number))
        except KafkaException as error:
            fail(
                f"not all events were acknowledged: {error}. Post the file again: what arrived twice counts once",
                INFRASTRUCTURE_GONE,
            )
    for topic, count in sorted(posted.by_topic.items()):
        out.print(f"{topic}: {count} acknowledged")


def generate(
    persons: Annotated[int, typer.Option(min=1, help="How many persons.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    settlements: Annotated[int | None, typer.Option(min=1, help="About how many settlement events in all.")] = None,
    describe_only: Annotated[bool, typer.Option("--describe", help="Say how the population is modelled.")] = False,
) -> None:
    """Write the events of a made-up city to standard output, in the order in which they arrive.

    Categories, villages, stays, interim bills, corrections, refunds, deaths, late and repeated events, and a few bad
    ones of every kind. No real person is in it.
    """
    if describe_only:
        out.print(describe())
        return
    with progress() as bar:
        task = bar.add_task("generating", total=None)
        for number, line in enumerate(population(seed, persons, settlements=settlements), start=1):
            sys.stdout.buffer.write(line + b"\n")
            if number % 1000 == 0:
                bar.update(task, completed=number)
    sys.stdout.buffer.flush()
