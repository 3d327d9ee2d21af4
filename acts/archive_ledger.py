"""Archiving: audit entries and events recorded before a month are written to signed Parquet files, and read back.

Nothing is taken out of the ledger (docs/decisions/0033-archives.md).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, Engine

from acts.record_operator_acts import record_operator_acts
from acts.verify_archive import Archive, archives_in, verify_one
from acts.verify_audit_log import Progressed, Trust
from handlers.audit.log_check import LogFinding, read_entry
from infra.clock import Clock
from infra.files.archive_files import ArchiveWriter
from infra.keys.audit_signing import SigningKey
from infra.ledger import archived_rows, audit_log
from schemas.archive_manifest import (
    MANIFEST,
    SIGNATURE,
    ArchivedShard,
    ArchiveManifest,
    EntryLine,
    EventLine,
    NotAnArchive,
    files_of,
)
from schemas.canonical import sha256_hex
from schemas.checkpoint import parse_notes
from schemas.months import format_month, month_at, month_start
from schemas.records import CheckpointRow, Export

ARCHIVE = "archive"


class NotArchived(Exception):
    """Nothing was written; the message says why, and what to do."""


class DoesNotHoldTogether(Exception):
    """What was written is not a good part of the audit log, so it was thrown away; with the faults."""

    def __init__(self, findings: list[LogFinding]) -> None:
        super().__init__(str(findings))
        self.findings = findings


def archive_ledger(
    engine: Engine,
    root: Path,
    before: date,
    key: SigningKey,
    trust: Trust,
    operator: str,
    now: Clock,
    progressed: Progressed = lambda _: None,
) -> ArchiveManifest | None:
    """Writes what was recorded before a month began, and what no earlier archive in ``root`` has, as an archive there.

    Of each shard it goes up to the last checkpoint before the month that is signed by a key of ``trust``. None if there
    is nothing to archive. It is read back as a whole, then recorded as an act, and only then is there a folder.
    Raises NotArchived, DoesNotHoldTogether and OSError; nothing is left behind then.
    """
    name = format_month(before)
    if before > month_at(now()):
        raise NotArchived(f"{name} has not begun: what is archived is from before a month that has")
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    ends = _ends(root, name, trust)
    part = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=root))
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            shards = list(_written(connection, part, before, ends, trust, progressed))
        if not shards:
            return None
        manifest = ArchiveManifest(log=key.verifier.name, before=before, made_at=now(), shards=tuple(shards))
        _put(part / MANIFEST, manifest.text)
        _put(part / SIGNATURE, key.signature_of(manifest.text).line.encode())
        for each in shards:
            trust.add(parse_notes(each.checkpoint)[0])
        if findings := trust.findings + verify_one(Archive(part, manifest), ends, trust, progressed):
            raise DoesNotHoldTogether(findings)
        rows = sum(each.entries.rows for each in shards)
        export = Export(ARCHIVE, {"before": name}, rows, sha256_hex(manifest.text), operator)
        with engine.begin() as connection:
            record_operator_acts(connection, now, [export])
        os.rename(part, root / name)
        _sync(root)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def _ends(root: Path, name: str, trust: Trust) -> dict[int, ArchivedShard]:
    """Where the archives that are there end, by shard."""
    try:
        archives, findings = archives_in(root, trust)
    except NotAnArchive as error:
        raise NotArchived(str(error)) from None
    if findings:
        raise NotArchived(f"{findings[0].saying.en}: give the key that did with --key")
    newest = max((each.manifest.name for each in archives), default="")
    if newest >= name:
        raise NotArchived(f"{root} has an archive up to {newest} already: archive what came later")
    return {archived.shard: archived for each in archives for archived in each.manifest.shards}


def _written(
    connection: Connection,
    part: Path,
    before: date,
    ends: dict[int, ArchivedShard],
    trust: Trust,
    progressed: Progressed,
) -> Iterator[ArchivedShard]:
    """Writes the files of each shard that has something to archive."""
    for shard, until in sorted(archived_rows.ends_before(connection, month_start(before)).items()):
        after = ends[shard].last if shard in ends else 0
        last = audit_log.checkpoint_up_to(connection, shard, until)
        if last is not None and last.size > after:
            yield _shard(connection, part, last, after, progressed)


def _shard(
    connection: Connection, part: Path, last: CheckpointRow, after: int, progressed: Progressed
) -> ArchivedShard:
    entries_file, events_file = files_of(part, last.shard)
    newest = b""
    with ArchiveWriter(entries_file, EntryLine) as entries, ArchiveWriter(events_file, EventLine) as events:
        for page, about in archived_rows.lines_to_archive(connection, last.shard, after, last.size):
            entries.add(page)
            events.add(about)
            newest = page[-1].value
            progressed(len(page))
    entry = read_entry(newest)
    for path in (entries_file, events_file):
        _sync(path)
    return ArchivedShard(
        shard=last.shard,
        first=after + 1,
        last=last.size,
        last_hash=sha256_hex(newest) if entry is None else entry.hash,
        frontier=last.frontier.hex(),
        checkpoint=last.note,
        entries=entries.written(),
        events=events.written(),
    )


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    _sync(path)


def _sync(path: Path) -> None:
    """Lets the disk have a file, or what a folder holds."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
