"""`huzhu audit verify`: whether the audit log is unchanged and, if not, the first bad entry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from confluent_kafka import KafkaException
from rich.progress import Progress, TaskID
from sqlalchemy.exc import DBAPIError

from acts.export_audit_log import checkpoints_beside
from acts.verify_audit_log import Trust, Verified, entries_in_topic, verify_ledger, verify_topic, verify_values
from cli.terminal.connect import kafka_address, ledger, read_settings
from cli.terminal.listing import JsonOption, print_json
from cli.terminal.output import SOME_REFUSED, err, fail, out, progress
from handlers.audit.log_check import Fault
from infra.keys.audit_signing import KeyUnusable, public_file, read_public_keys
from infra.ledger import audit_log
from infra.settings import Settings
from schemas.archive_manifest import NotAnArchive
from schemas.checkpoint import NotACheckpoint, SignedCheckpoint, parse_notes
from stream.deadline import INFRASTRUCTURE_GONE

if TYPE_CHECKING:
    from acts.verify_archive import VerifiedArchives

EXAMPLE = "Example: huzhu audit verify --file audit.jsonl --key huzhu.pub --checkpoint kept.txt"

KeyOption = Annotated[
    list[Path] | None,
    typer.Option("--key", help="File of public keys, one per line; can be repeated. Default: that of our own key."),
]
CheckpointOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--checkpoint", help="File of checkpoints kept elsewhere. Only these can reveal that the end was cut off."
    ),
]


def verify(
    key: KeyOption = None,
    checkpoint: CheckpointOption = None,
    file: Annotated[Path | None, typer.Option(help="Verify an exported file instead of the ledger.")] = None,
    topic: Annotated[
        bool, typer.Option("--topic", help="Verify the topic audit.events instead of the ledger.")
    ] = False,
    chain_only: Annotated[
        bool, typer.Option("--chain-only", help="Ignore checkpoints. Cannot detect that the whole log was rewritten.")
    ] = False,
    as_json: JsonOption = False,
    archive: Annotated[
        Path | None, typer.Option(help="Verify the archives in this folder too; the rest has to go with them.")
    ] = None,
    archive_only: Annotated[
        bool, typer.Option("--archive-only", help="Verify the archives, and neither ledger, topic nor file.")
    ] = False,
) -> None:
    """Check the audit log: each entry's hash, the chain, the Merkle tree against signed checkpoints.

    In the ledger, also every hashed event, decision, instruction and policy. Exit status 0 if all is well, 3 if
    something is wrong, 2 if a file or key is unusable.
    """
    if file is not None and topic:
        fail("give either --file or --topic, not both")
    _check_archive_options(archive, archive_only, chain_only, other=file is not None or topic)
    settings = read_settings()
    trust = _trust(settings, key, checkpoint, file, chain_only)
    with progress() as bar:
        task = bar.add_task("checking entries", total=None)
        archived = None if archive is None else _of_archives(archive, trust, bar, task)
        if archived is not None and archive_only:
            verified = Verified(list(trust.findings), archived.entries, archived.proved, len(trust.trusted))
        elif file is not None:
            verified = _of_file(file, trust, bar, task)
        elif topic:
            verified = _of_topic(settings, trust, bar, task)
        else:
            verified = _of_ledger(settings, trust, bar, task)
    if archived is not None:
        verified.findings = [*archived.findings, *verified.findings]
    if not (verified.checkpoints or verified.findings or chain_only):
        fail("no checkpoint to verify against: give one with --checkpoint, or use --chain-only")
    if as_json:
        _print_json(verified, archived)
    _report(verified, archived)


def _check_archive_options(archive: Path | None, archive_only: bool, chain_only: bool, *, other: bool) -> None:
    if archive_only and (archive is None or other):
        fail("--archive-only needs --archive, and no other source beside it")
    if archive is not None and chain_only:
        fail("--archive cannot be combined with --chain-only: archives are held to their signatures")


def _of_archives(root: Path, trust: Trust, bar: Progress, task: TaskID) -> VerifiedArchives:
    from acts.verify_archive import verify_archives  # needs Arrow

    bar.update(task, description="reading the archives")
    try:
        return verify_archives(root, trust, lambda count: bar.advance(task, count))
    except NotAnArchive as error:
        fail(str(error))


def _trust(
    settings: Settings, keys: list[Path] | None, kept: list[Path] | None, file: Path | None, chain_only: bool
) -> Trust:
    if chain_only and (keys or kept):
        fail("--chain-only cannot be combined with --key or --checkpoint")
    if chain_only:
        return Trust([], use=False)
    if not keys and settings.audit_key_file is not None:
        keys = [public_file(settings.audit_key_file)]
    if not keys:
        fail("give the public key of the checkpoints with --key (or use --chain-only)")
    exported = [] if file is None else [path for path in [checkpoints_beside(file)] if path.exists()]
    try:
        trust = Trust(read_public_keys(keys))
    except KeyUnusable as error:
        fail(str(error))
    for path in [*(kept or []), *exported]:
        for note in checkpoints_in(path, some=path not in exported):
            trust.add(note)
    return trust


def checkpoints_in(file: Path, *, some: bool = True) -> list[SignedCheckpoint]:
    """The checkpoints in a file; ends the command if it cannot be used or, with ``some``, if there is none in it."""
    try:
        notes = parse_notes(file.read_bytes().decode())
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    except (NotACheckpoint, UnicodeDecodeError) as error:
        fail(f"{file}: {error}")
    if some and not notes:
        fail(f"{file}: no checkpoint is in this file: print them with `huzhu audit checkpoints` and keep them")
    return notes


def _of_file(file: Path, trust: Trust, bar: Progress, task: TaskID) -> Verified:
    try:
        with open(file, "rb") as lines:
            bar.update(task, description="reading the file", total=file.stat().st_size)
            return verify_values(_with_progress(lines, bar, task), trust)
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")


def _with_progress(lines: BinaryIO, bar: Progress, task: TaskID) -> Iterator[bytes]:
    """The lines of a file; updates the bar with the bytes read."""
    read = 0
    for number, line in enumerate(lines):
        read += len(line)
        if number % 1000 == 0:
            bar.update(task, completed=read)
        yield line


def _of_topic(settings: Settings, trust: Trust, bar: Progress, task: TaskID) -> Verified:
    from stream.inbound.partition_reader import RangeReader

    try:
        with RangeReader(kafka_address(settings)) as reader:
            bar.update(task, total=entries_in_topic(reader, settings.shards))
            return verify_topic(reader, settings.shards, trust, lambda count: bar.advance(task, count))
    except KafkaException as error:
        fail(f"the topics cannot be read: {error}", INFRASTRUCTURE_GONE)


def _of_ledger(settings: Settings, trust: Trust, bar: Progress, task: TaskID) -> Verified:
    engine = ledger(settings)
    try:
        with engine.connect() as connection:
            bar.update(task, total=sum(end.audit_seq for end in audit_log.shard_ends(connection)))
        return verify_ledger(engine, trust, lambda count: bar.advance(task, count))
    except DBAPIError as error:
        fail(f"the ledger cannot be read: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)


def _print_json(verified: Verified, archived: VerifiedArchives | None) -> None:
    """The result as one document; the exit status says the same as without it."""
    findings = [
        {"shard": each.shard, "entry": each.seq, "fault": each.fault, "zh": each.saying.zh, "en": each.saying.en}
        for each in verified.findings
    ]
    shards = [
        {"shard": shard, "entries": count, "signed": verified.proved[shard]}
        for shard, count in sorted(verified.entries.items())
    ]
    document = {"good": not findings, "shards": shards, "checkpoints": verified.checkpoints, "findings": findings}
    if archived is not None:
        document["archives"] = [
            {"before": each.name, "entries": each.entry_count, "events": each.event_count} for each in archived.archives
        ]
    print_json(document)
    raise typer.Exit(SOME_REFUSED if findings else 0)


def _report(verified: Verified, archived: VerifiedArchives | None) -> None:
    for archive in archived.archives if archived is not None else []:
        out.print(f"archive {archive.name}: {archive.entry_count:,} entries, {archive.event_count:,} events")
    for shard, count in sorted(verified.entries.items()):
        proved = verified.proved[shard]
        out.print(f"shard {shard}: {count} entries are consistent, {proved} of them signed, {count - proved} not yet")
    findings = sorted(
        verified.findings, key=lambda finding: (finding.shard is None, finding.shard or 0, finding.seq or 0)
    )
    for finding in findings:
        place = "" if finding.shard is None else f"shard {finding.shard}, "
        what = "checkpoint up to entry" if finding.fault is Fault.WRONG_KEY else "entry"
        place += "" if finding.seq is None else f"{what} {finding.seq}: "
        err.print(f"{place}{finding.fault}: {finding.saying.en}", soft_wrap=True)
        err.print(f"    {finding.saying.zh}", soft_wrap=True)
    if verified.findings:
        raise typer.Exit(SOME_REFUSED)
    out.print(f"all good: {sum(verified.entries.values())} entries, {verified.checkpoints} checkpoints")
