"""`huzhu deadletter list | show | replay`: what was refused, and sending it again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from acts.replay_refused import NotRefused, replay_refused
from cli.servers.operate import ledger, settings
from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.ledger.refused_events import count_by_code, refused_events
from infra.ledger.schema import LedgerMismatch, bound_shards
from schemas.refusals import RefusalCode

app = typer.Typer(no_args_is_help=True, help="See what was refused, correct it, and send it again.")


@app.command("list", epilog="Example: huzhu deadletter list --code AMOUNTS_DO_NOT_BALANCE")
def list_refused(
    code: Annotated[RefusalCode | None, typer.Option(help="Only events refused with this code.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many; the counts are always of all.")] = 50,
) -> None:
    """List refused events, oldest first, without their content."""
    with ledger(settings()).connect() as connection:
        counts = count_by_code(connection)
        found = refused_events(connection, code=code, limit=limit)
    table = Table("number", "code", "where", "topic-partition@offset", "taken in")
    for each in found:
        place = f"{each.topic}-{each.partition}@{each.offset}"
        table.add_row(
            str(each.number), each.code, ", ".join(each.pointers), place, f"{each.recorded_at:%Y-%m-%d %H:%M:%S%z}"
        )
    out.print(table)
    total = sum(counts.values()) if code is None else counts.get(code, 0)
    out.print(f"{len(found)} of {total} shown; by code: {counts or 'none'}")


@app.command(epilog="Example: huzhu deadletter show 4711 > event.json")
def show(number: Annotated[int, typer.Argument(help="Number of the refused event.")]) -> None:
    """Write the original bytes of a refused event to standard output; why it was refused goes to standard error."""
    with ledger(settings()).connect() as connection:
        found = refused_events(connection, numbers=[number])
    if not found:
        fail(f"no refused event has the number {number}: `huzhu deadletter list` names them")
    each = found[0]
    key = "none" if each.key is None else f"{len(each.key)} bytes"
    sys.stderr.write(f"{each.code} {' '.join(each.pointers)}\n{each.zh}\n{each.en}\n")
    sys.stderr.write(f"{each.topic}-{each.partition}@{each.offset}, key {key}\n")
    sys.stdout.buffer.write(each.value or b"")
    sys.stdout.buffer.flush()


@app.command(epilog='Example: huzhu deadletter replay 4711 --file fixed.json --operator li.na --reason "copay retyped"')
def replay(
    numbers: Annotated[list[int], typer.Argument(help="Numbers of refused events.")],
    operator: Annotated[str, typer.Option(help="Who orders it; stands in the audit log.")],
    reason: Annotated[str, typer.Option(help="Why; stands in the audit log.")],
    file: Annotated[Path | None, typer.Option(help="The corrected event, for one number; else as it was.")] = None,
) -> None:
    """Send refused events again, corrected or as they were. Twice is harmless: what was accepted is a duplicate."""
    if not operator.strip() or not reason.strip():
        fail("--operator and --reason say who and why: neither may be empty")
    if file is not None and len(numbers) != 1:
        fail("--file corrects one event: give one number")
    try:
        corrected = None if file is None else file.read_bytes().strip()
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    engine = ledger(settings())
    try:
        shards = bound_shards(engine)
        with engine.begin() as connection:
            count = replay_refused(connection, numbers, operator, reason, shards, utc_now, corrected)
    except (NotRefused, LedgerMismatch) as error:
        fail(str(error))
    out.print(f"{count} refused events are on their way to their topics")
