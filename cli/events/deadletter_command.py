"""`huzhu deadletter list | show | replay | proposals | approve | reject`: refused events, and sending them again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from acts.propose_replay import approve_replay, propose_replay, reject_replay
from cli.terminal.connect import ledger, read_settings
from cli.terminal.given_files import bytes_of
from cli.terminal.listing import JsonOption, moment, print_json, print_table
from cli.terminal.operators import Operator, Proposals, Reason, acting, signed_in
from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.ledger import proposals
from infra.ledger.refused_events import count_by_code, refused_events
from schemas.access.console_rights import Right
from schemas.dates import format_instant
from schemas.refusals import RefusalCode

app = typer.Typer(no_args_is_help=True, help="See refused events, correct them and send them again.")


@app.command("list", epilog="Example: huzhu deadletter list --code AMOUNTS_DO_NOT_BALANCE")
def list_refused(
    code: Annotated[RefusalCode | None, typer.Option(help="Only events refused with this code.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many; the counts always cover all.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List refused events, oldest first, without their content."""
    with ledger(read_settings()).connect() as connection:
        counts = count_by_code(connection)
        events = refused_events(connection, code=code, limit=limit)
    if as_json:
        names = ("number", "code", "pointers", "topic", "partition", "offset")
        listed = [
            {name: getattr(event, name) for name in names} | {"received_at": format_instant(event.recorded_at)}
            for event in events
        ]
        print_json({"refused": listed, "by_code": counts})
        return
    print_table(
        ("number", "code", "where", "topic-partition@offset", "received"),
        [
            (
                str(event.number),
                event.code,
                ", ".join(event.pointers),
                f"{event.topic}-{event.partition}@{event.offset}",
                moment(event.recorded_at),
            )
            for event in events
        ],
        right=(0,),
    )
    total = sum(counts.values()) if code is None else counts.get(code, 0)
    by_code = ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
    out.print(f"{len(events)} of {total} shown; by code: {by_code}")


@app.command(epilog="Example: huzhu deadletter show 4711 > event.json")
def show(
    number: Annotated[int, typer.Argument(help="Number of the refused event.")],
    proposed: Annotated[
        bool, typer.Option("--proposed", help="The bytes that wait for approval instead of the original ones.")
    ] = False,
) -> None:
    """Write the original bytes of a refused event to standard output, and the reason to standard error."""
    with ledger(read_settings()).connect() as connection:
        events = refused_events(connection, numbers=[number])
        waiting = [each for each in proposals.of_event(connection, number) if each.decision is None]
    if not events:
        fail(f"no refused event has the number {number}: `huzhu deadletter list` lists them")
    event = events[0]
    if proposed and not waiting:
        fail(f"nothing is proposed for event {number}: `huzhu deadletter proposals` lists what is")
    key = "none" if event.key is None else f"{len(event.key)} bytes"
    sys.stderr.write(f"{event.code} {' '.join(event.pointers)}\n{event.zh}\n{event.en}\n")
    sys.stderr.write(f"{event.topic}-{event.partition}@{event.offset}, key {key}\n")
    value = waiting[0].value if proposed else None
    sys.stdout.buffer.write((event.value or b"") if value is None else value)
    sys.stdout.buffer.flush()


@app.command(epilog='Example: huzhu deadletter replay 4711 --file fixed.json --operator li.na --reason "copay retyped"')
def replay(
    numbers: Annotated[list[int], typer.Argument(help="Numbers of refused events.")],
    operator: Operator,
    reason: Reason,
    file: Annotated[
        Path | None, typer.Option(help="The corrected event; only with one number. Default: unchanged.")
    ] = None,
) -> None:
    """Propose to send refused events again, corrected or unchanged. A second operator approves or rejects.

    A correction that would be refused again, or has another event_id, is not taken. Sending an event twice is
    harmless: duplicates have no effect.
    """
    if file is not None and len(numbers) != 1:
        fail("--file corrects a single event: give one number")
    corrected = None if file is None else bytes_of(file).strip()
    operator = signed_in(operator, Right.REPLAY, reason=reason)
    with acting() as (connection, _):
        made = [propose_replay(connection, number, corrected, reason, operator, utc_now) for number in numbers]
    for number, proposal in zip(numbers, made, strict=True):
        out.print(f"event {number}: proposal {proposal} waits for another operator")
    out.print(f"they approve with: huzhu deadletter approve {' '.join(map(str, made))} --operator NAME", soft_wrap=True)


@app.command("proposals", epilog="Example: huzhu deadletter proposals --json")
def list_proposals(as_json: JsonOption = False) -> None:
    """List what waits for a second operator, oldest first."""
    with ledger(read_settings()).connect() as connection:
        waiting = proposals.waiting(connection)
    if as_json:
        listed = [
            {
                "proposal": each.proposal_no,
                "number": each.event_no,
                "corrected": each.value is not None,
                "reason": each.reason,
                "proposed_by": each.proposed_by,
                "proposed_at": format_instant(each.proposed_at),
            }
            for each in waiting
        ]
        print_json({"proposals": listed})
        return
    print_table(
        ("proposal", "number", "sends", "reason", "by", "proposed"),
        [
            (
                str(each.proposal_no),
                str(each.event_no),
                "as it was" if each.value is None else "corrected",
                each.reason,
                each.proposed_by,
                moment(each.proposed_at),
            )
            for each in waiting
        ],
        right=(0, 1),
    )


@app.command(epilog="Example: huzhu deadletter approve 12 --operator wang.wei")
def approve(numbers: Proposals, operator: Operator) -> None:
    """Approve proposals of another operator: the events are sent to their topics again, all of them or none."""
    operator = signed_in(operator, Right.REPLAY)
    with acting() as (connection, shards):
        for number in numbers:
            approve_replay(connection, number, operator, shards, utc_now)
    out.print(f"{len(numbers)} refused events will be sent to their topics again")


@app.command(epilog='Example: huzhu deadletter reject 12 --operator wang.wei --reason "the hospital corrects it"')
def reject(numbers: Proposals, operator: Operator, reason: Reason) -> None:
    """Reject proposals of another operator; nothing is sent."""
    operator = signed_in(operator, Right.REPLAY, reason=reason)
    with acting() as (connection, _):
        for number in numbers:
            reject_replay(connection, number, reason, operator, utc_now)
    out.print(f"{len(numbers)} proposals were rejected")
