"""`huzhu deadletter list | show | replay`: see refused events and send them again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from acts.replay_refused import NotRefused, replay_refused
from cli.terminal.connect import ledger, read_settings
from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.ledger.refused_events import count_by_code, refused_events
from infra.ledger.schema import LedgerMismatch, bound_shards
from schemas.refusals import RefusalCode

app = typer.Typer(no_args_is_help=True, help="See refused events, correct them and send them again.")


@app.command("list", epilog="Example: huzhu deadletter list --code AMOUNTS_DO_NOT_BALANCE")
def list_refused(
    code: Annotated[RefusalCode | None, typer.Option(help="Only events refused with this code.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many; the counts always cover all.")] = 50,
) -> None:
    """List refused events, oldest first, without their content."""
    with ledger(read_settings()).connect() as connection:
        counts = count_by_code(connection)
        events = refused_events(connection, code=code, limit=limit)
    table = Table("number", "code", "where", "topic-partition@offset", "received")
    for event in events:
        place = f"{event.topic}-{event.partition}@{event.offset}"
        table.add_row(
            str(event.number), event.code, ", ".join(event.pointers), place, f"{event.recorded_at:%Y-%m-%d %H:%M:%S%z}"
        )
    out.print(table)
    total = sum(counts.values()) if code is None else counts.get(code, 0)
    out.print(f"{len(events)} of {total} shown; by code: {counts or 'none'}")


@app.command(epilog="Example: huzhu deadletter show 4711 > event.json")
def show(number: Annotated[int, typer.Argument(help="Number of the refused event.")]) -> None:
    """Write the original bytes of a refused event to standard output, and the reason to standard error."""
    with ledger(read_settings()).connect() as connection:
        events = refused_events(connection, numbers=[number])
    if not events:
        fail(f"no refused event has the number {number}: `huzhu deadletter list` lists them")
    event = events[0]
    key = "none" if event.key is None else f"{len(event.key)} bytes"
    sys.stderr.write(f"{event.code} {' '.join(event.pointers)}\n{event.zh}\n{event.en}\n")
    sys.stderr.write(f"{event.topic}-{event.partition}@{event.offset}, key {key}\n")
    sys.stdout.buffer.write(event.value or b"")
    sys.stdout.buffer.flush()


@app.command(epilog='Example: huzhu deadletter replay 4711 --file fixed.json --operator li.na --reason "copay retyped"')
def replay(
    numbers: Annotated[list[int], typer.Argument(help="Numbers of refused events.")],
    operator: Annotated[str, typer.Option(help="Who does it; recorded in the audit log.")],
    reason: Annotated[str, typer.Option(help="Why; recorded in the audit log.")],
    file: Annotated[
        Path | None, typer.Option(help="The corrected event; only with one number. Default: unchanged.")
    ] = None,
) -> None:
    """Send refused events again, corrected or unchanged. Doing it twice is harmless: duplicates have no effect."""
    if not operator.strip() or not reason.strip():
        fail("--operator and --reason must not be empty: they say who and why")
    if file is not None and len(numbers) != 1:
        fail("--file corrects a single event: give one number")
    try:
        corrected = None if file is None else file.read_bytes().strip()
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    engine = ledger(read_settings())
    try:
        shards = bound_shards(engine)
        with engine.begin() as connection:
            count = replay_refused(connection, numbers, operator, reason, shards, utc_now, corrected)
    except (NotRefused, LedgerMismatch) as error:
        fail(str(error))
    out.print(f"{count} refused events will be sent to their topics again")
