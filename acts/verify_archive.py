"""Verifying archives: signed manifests, files as they were written, chain, checkpoints, and the bytes of events.

The ledger is verified beside them with the archives' checkpoints among the trusted ones. So both lead to the same
roots, and hold the same entries; and an event's bytes are in both those that its entry has hashed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from acts.verify_audit_log import Progressed, Trust
from acts.verify_contents import sent_again
from handlers.audit.log_check import AuditEntry, Fault, LogFinding, ShardCheck, read_entry
from handlers.audit.merkle import Frontier
from infra.files.archive_files import AT_ONCE, ArchiveDamaged, entry_lines, event_lines, sha256_of
from schemas.archive_manifest import (
    MANIFEST,
    SIGNATURE,
    ArchivedShard,
    ArchiveManifest,
    EventLine,
    NotAnArchive,
    checkpoint_of,
    parse_manifest,
)
from schemas.bilingual import Saying
from schemas.canonical import sha256_hex
from schemas.checkpoint import NotACheckpoint, parse_notes, parse_signature
from schemas.outbound import FOLLOWING, AuditKind

_NAME = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class Archive(NamedTuple):
    """A month's folder with its manifest, which one of our keys has signed."""

    folder: Path
    manifest: ArchiveManifest


@dataclass(slots=True)
class VerifiedArchives:
    """The result: the faults, what each archive holds, and how far each shard's log is archived."""

    findings: list[LogFinding] = field(default_factory=list)
    archives: list[ArchiveManifest] = field(default_factory=list)
    entries: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    proved: dict[int, int] = field(default_factory=lambda: defaultdict(int))


def archives_in(root: Path, trust: Trust) -> tuple[list[Archive], list[LogFinding]]:
    """The archives in a folder, oldest month first, and what is wrong with those that none of our keys has signed.

    Raises NotAnArchive.
    """
    archives: list[Archive] = []
    findings: list[LogFinding] = []
    for folder in _folders(root):
        data, line = (_read(folder / name) for name in (MANIFEST, SIGNATURE))
        try:
            signature = parse_signature(line.decode())
        except (NotACheckpoint, UnicodeDecodeError):
            raise NotAnArchive(f"{folder / SIGNATURE} is no signature") from None
        if not trust.has_signed(data, signature, signature.name):
            saying = Saying(
                f"归档 {folder.name} 的清单不是由给出的公钥签名的",
                f"the manifest of the archive {folder.name} is not signed by any of the given public keys",
            )
            findings.append(LogFinding(None, None, Fault.WRONG_KEY, saying))
            continue
        manifest = parse_manifest(data)
        if manifest.name != folder.name or manifest.log != signature.name:
            raise NotAnArchive(f"{folder / MANIFEST} is that of another archive: {manifest.name} of {manifest.log}")
        archives.append(Archive(folder, manifest))
    return archives, findings


def verify_archives(root: Path, trust: Trust, progressed: Progressed) -> VerifiedArchives:
    """Verifies all archives in a folder, from the first entry on; ``trust`` learns their checkpoints.

    Raises NotAnArchive.
    """
    archives, findings = archives_in(root, trust)
    if not archives and not findings:
        raise NotAnArchive(f"{root} has no archive: their folders are called after months, such as 2027-03")
    verified = VerifiedArchives(findings, [each.manifest for each in archives])
    for each in archives:
        for archived in each.manifest.shards:
            checkpoint_of(archived)
            trust.add(parse_notes(archived.checkpoint)[0])
    ends: dict[int, ArchivedShard] = {}
    for each in archives:
        verified.findings += verify_one(each, ends, trust, progressed)
        ends |= {archived.shard: archived for archived in each.manifest.shards}
        for archived in each.manifest.shards:
            verified.entries[archived.shard] += archived.entries.rows
            verified.proved[archived.shard] = archived.last
    return verified


def verify_one(
    archive: Archive, ends: Mapping[int, ArchivedShard], trust: Trust, progressed: Progressed
) -> list[LogFinding]:
    """What is wrong with an archive that goes on where ``ends`` say; the first fault of each shard."""
    found = []
    for archived in archive.manifest.shards:
        try:
            fault = _shard_fault(archive, archived, ends.get(archived.shard), trust, progressed)
        except (ArchiveDamaged, NotAnArchive) as error:
            fault = _changed(archive, archived, f"无法读取({error})", f"cannot be read ({error})")
        found += [fault] if fault else []
    return found


def check_after(end: ArchivedShard | None, shard: int, trust: Trust, until: int) -> ShardCheck:
    """Checks a shard's entries after the end of an archive, or from the first on, up to number ``until``."""
    size = 0 if end is None else end.last
    due = [each for each in trust.trusted if each.shard == shard and size < each.size <= until]
    if end is None:
        return ShardCheck(shard, due)
    try:
        tree = Frontier(end.last, bytes.fromhex(end.frontier))
    except ValueError:
        raise NotAnArchive(f"{MANIFEST} has no readable tree of shard {shard}") from None
    return ShardCheck(shard, due, tree, end.last_hash)


def _shard_fault(
    archive: Archive, archived: ArchivedShard, end: ArchivedShard | None, trust: Trust, progressed: Progressed
) -> LogFinding | None:
    entries_file, events_file = archived.files_in(archive.folder)
    for path, file in ((entries_file, archived.entries), (events_file, archived.events)):
        if sha256_of(path) != file.sha256:
            what = f"{path.name} "
            return _changed(archive, archived, f"{what}与清单不符", f"{what}is not the file that was signed")
    check = check_after(end, archived.shard, trust, archived.last)
    events = event_lines(events_file)
    for number, line in enumerate(entry_lines(entries_file), start=1):
        entry = read_entry(line.value)
        entry = entry if entry is not None and entry.seq == line.seq else None
        if check.take(entry) and entry is not None and entry.kind not in FOLLOWING:
            event = next(events, None)
            wanted = (entry.seq, line.event_no, entry.content_sha256)
            if event is None or (event.seq, event.event_no, _content(entry, event)) != wanted:
                zh, en = "事件已不是入账时的内容", "the event is not what was recorded"
                return _changed(archive, archived, zh, en, entry.seq)
        if number % AT_ONCE == 0:
            progressed(AT_ONCE)
    if found := check.end():
        return found
    as_told = (archived.last, archived.last_hash, archived.frontier, archived.entries.rows)
    if as_told != (check.tree.size, check.last_hash, check.tree.stored().hex(), archived.last - archived.first + 1):
        return _changed(archive, archived, "不在清单所说的条目结束", "does not end where its manifest says")
    if next(events, None) is not None:
        return _changed(archive, archived, "有不属于任何条目的事件", "has an event that no entry is about")
    return None


def _content(entry: AuditEntry, event: EventLine) -> str:
    value = event.value or b""
    return sha256_hex(sent_again(value) if entry.kind == AuditKind.EVENT_REPLAYED else value)


def _changed(archive: Archive, archived: ArchivedShard, zh: str, en: str, seq: int | None = None) -> LogFinding:
    name = archive.folder.name
    saying = Saying(f"归档 {name}:{zh}", f"the archive {name}: {en}")
    return LogFinding(archived.shard, seq, Fault.ARCHIVE_CHANGED, saying)


def _folders(root: Path) -> Sequence[Path]:
    try:
        found = sorted(each for each in root.iterdir() if _NAME.fullmatch(each.name) and each.is_dir())
    except OSError as error:
        raise NotAnArchive(f"{root} cannot be read: {error.strerror}") from None
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotAnArchive(f"{path} cannot be read: {error.strerror}") from None
