"""`huzhu audit verify`: whether the audit log still says what it said, and if not, which entry is the first bad one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from confluent_kafka import KafkaException
from rich.progress import Progress, TaskID
from sqlalchemy.exc import DBAPIError

from acts.export_audit_log import checkpoints_beside
from acts.verify_audit_log import Trust, Verified, entries_in_topic, verify_ledger, verify_topic, verify_values
from cli.servers.operate import kafka_address, ledger, settings
from cli.terminal.output import SOME_REFUSED, err, fail, out, progress
from handlers.audit.log_check import Fault
from infra.keys.audit_signing import KeyUnusable, public_file, read_public_keys
from infra.ledger import audit_log
from infra.settings import Settings
from schemas.checkpoint import NotACheckpoint, parse_notes
from stream.deadline import INFRASTRUCTURE_GONE

EXAMPLE = "Example: huzhu audit verify --file audit.jsonl --key huzhu.pub --checkpoint kept.txt"

KeyOption = Annotated[
    list[Path] | None,
    typer.Option("--key", help="File with public keys, one a line; give it again for more. Default: our own key's."),
]
CheckpointOption = Annotated[
    list[Path] | None,
    typer.Option("--checkpoint", help="Checkpoints that were kept elsewhere; only these show that the end was cut."),
]


def verify(
    key: KeyOption = None,
    checkpoint: CheckpointOption = None,
    file: Annotated[Path | None, typer.Option(help="An exported file instead of the ledger.")] = None,
    topic: Annotated[bool, typer.Option("--topic", help="The topic audit.events instead of the ledger.")] = False,
    chain_only: Annotated[
        bool, typer.Option("--chain-only", help="Without checkpoints: proves nothing against who rewrites it all.")
    ] = False,
) -> None:
    """Check the audit log: each entry's hash, the chain, the Merkle tree against signed checkpoints.

    In the ledger also every event, decision, instruction and policy that was hashed. Exit status 0 when all is good,
    3 when something is wrong, 2 when a file or key is unusable.
    """
    if file is not None and topic:
        fail("--file and --topic are two places: give one")
    known = settings()
    trust = _trust(known, key, checkpoint, file, chain_only)
    with progress() as bar:
        task = bar.add_task("checking entries", total=None)
        if file is not None:
            verified = _of_file(file, trust, bar, task)
        elif topic:
            verified = _of_topic(known, trust, bar, task)
        else:
            verified = _of_ledger(known, trust, bar, task)
    if not (verified.checkpoints or verified.findings or chain_only):
        fail("there is no checkpoint to verify against: give one with --checkpoint, or say --chain-only")
    _report(verified)


def _trust(
    known: Settings, keys: list[Path] | None, kept: list[Path] | None, file: Path | None, chain_only: bool
) -> Trust:
    if chain_only and (keys or kept):
        fail("--chain-only goes without keys and checkpoints")
    if chain_only:
        return Trust([], use=False)
    if not keys and known.audit_key_file is not None:
        keys = [public_file(known.audit_key_file)]
    if not keys:
        fail("give the public key that signed the checkpoints with --key (or say --chain-only)")
    beside = [] if file is None or kept else [each for each in [checkpoints_beside(file)] if each.exists()]
    try:
        trust = Trust(read_public_keys(keys))
    except KeyUnusable as error:
        fail(str(error))
    for each in [*(kept or []), *beside]:
        try:
            notes = parse_notes(each.read_bytes().decode())
        except OSError as error:
            fail(f"{each}: cannot be read: {error.strerror}")
        except (NotACheckpoint, UnicodeDecodeError) as error:
            fail(f"{each}: {error}")
        for note in notes:
            trust.add(note)
    return trust


def _of_file(file: Path, trust: Trust, bar: Progress, task: TaskID) -> Verified:
    try:
        with open(file, "rb") as lines:
            bar.update(task, description="reading the file", total=file.stat().st_size)
            return verify_values(_told(lines, bar, task), trust)
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")


def _told(lines: BinaryIO, bar: Progress, task: TaskID) -> Iterator[bytes]:
    """The lines of a file, with the bytes read shown now and then."""
    read = 0
    for number, line in enumerate(lines):
        read += len(line)
        if number % 1000 == 0:
            bar.update(task, completed=read)
        yield line


def _of_topic(known: Settings, trust: Trust, bar: Progress, task: TaskID) -> Verified:
    from stream.inbound.partition_reader import RangeReader

    try:
        with RangeReader(kafka_address(known)) as reader:
            bar.update(task, total=entries_in_topic(reader, known.shards))
            return verify_topic(reader, known.shards, trust, lambda count: bar.advance(task, count))
    except KafkaException as error:
        fail(f"the topics cannot be read: {error}", INFRASTRUCTURE_GONE)


def _of_ledger(known: Settings, trust: Trust, bar: Progress, task: TaskID) -> Verified:
    engine = ledger(known)
    try:
        with engine.connect() as connection:
            bar.update(task, total=sum(each.audit_seq for each in audit_log.shard_ends(connection)))
        return verify_ledger(engine, trust, lambda count: bar.advance(task, count))
    except DBAPIError as error:
        fail(f"the ledger cannot be read: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)


def _report(verified: Verified) -> None:
    for shard, count in sorted(verified.entries.items()):
        proved = verified.proved[shard]
        out.print(f"shard {shard}: {count} entries hold together, {proved} of them signed, {count - proved} not yet")
    for found in sorted(verified.findings, key=lambda each: (each.shard is None, each.shard or 0, each.seq or 0)):
        place = "" if found.shard is None else f"shard {found.shard}, "
        what = "checkpoint of entries up to" if found.fault is Fault.WRONG_KEY else "entry"
        place += "" if found.seq is None else f"{what} {found.seq}: "
        err.print(f"{place}{found.fault}: {found.saying.en}", soft_wrap=True)
        err.print(f"    {found.saying.zh}", soft_wrap=True)
    if verified.findings:
        raise typer.Exit(SOME_REFUSED)
    out.print(f"good: {sum(verified.entries.values())} entries, {verified.checkpoints} checkpoints")
