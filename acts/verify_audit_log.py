"""Verifying an audit log wherever it is: in the ledger, in the topic, or in an exported file.

A copy is held against its chain and its checkpoints. The ledger is held against more: the columns beside each entry,
the events, decisions, instructions and policies that the entries have hashed, the books, and the pools.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Engine

from acts.make_checkpoints import ends_as_counted
from acts.reader import Reader
from acts.verify_books import verify_books
from acts.verify_contents import ContentCheck
from acts.verify_pools import verify_pools
from handlers.audit.log_check import AuditEntry, Fault, LogCheck, LogFinding, read_entry
from infra.keys.audit_signing import has_signed, is_signed
from infra.ledger import audit_log
from infra.ledger.audit_log import StoredEntry
from schemas.bilingual import Saying
from schemas.checkpoint import Checkpoint, NotACheckpoint, Signature, SignedCheckpoint, VerifierKey, parse_notes
from schemas.records import CheckpointRow
from schemas.topics import AUDIT, CHECKPOINTS

Progressed = Callable[[int], None]
"""Called with the number of entries checked since the last call."""

AT_ONCE = 1000


@dataclass(slots=True)
class Verified:
    """The result: the faults, how many entries there are, and how many of them checkpoints prove."""

    findings: list[LogFinding] = field(default_factory=list)
    entries: dict[int, int] = field(default_factory=dict)
    proved: dict[int, int] = field(default_factory=dict)
    checkpoints: int = 0


class Trust:
    """Separates checkpoints signed by one of our keys from all others."""

    def __init__(self, keys: Iterable[VerifierKey], *, use: bool = True) -> None:
        """Without ``use``, checkpoints are ignored: the result then only shows that the chain is consistent."""
        self._keys = list(keys)
        self._use = use
        self.trusted: list[Checkpoint] = []
        self.findings: list[LogFinding] = []

    def add(self, signed: SignedCheckpoint) -> None:
        """Trusts a checkpoint, or records why it cannot be trusted."""
        checkpoint = signed.checkpoint
        if not self._use:
            return
        if is_signed(signed, self._keys):
            self.trusted.append(checkpoint)
        else:
            saying = Saying(
                "检查点不是由给出的公钥签名的",
                "the checkpoint is not signed by any of the given public keys",
            )
            self.findings.append(LogFinding(checkpoint.shard, checkpoint.size, Fault.WRONG_KEY, saying))

    def has_signed(self, data: bytes, signature: Signature, log: str) -> bool:
        """Whether one of our keys has signed these bytes for this log."""
        return has_signed(data, [signature], log, self._keys)

    def add_row(self, row: CheckpointRow) -> None:
        """Trusts the note in a row of the ledger, if the row says what its note says."""
        try:
            (signed,) = parse_notes(row.note)
            made = signed.checkpoint
            if (made.shard, made.size, made.root.hex()) != (row.shard, row.size, row.root):
                raise NotACheckpoint("the row contradicts its note")
        except ValueError:
            self._unreadable(row.shard, row.size)
        else:
            self.add(signed)

    def add_event(self, value: bytes | None, shard: int) -> None:
        """Trusts the note in a message of the checkpoints' topic, if the message says what its note says."""
        try:
            fields = json.loads(value or b"")
            (signed,) = parse_notes(fields["note"])
            made = signed.checkpoint
            said = (shard, made.size, made.root.hex())
            if said != (made.shard, fields["size"], fields["root"]) or fields["shard"] != shard:
                raise NotACheckpoint("the message contradicts its note")
        except (ValueError, KeyError, TypeError):
            self._unreadable(shard, None)
        else:
            self.add(signed)

    def _unreadable(self, shard: int, size: int | None) -> None:
        """Records an unreadable checkpoint."""
        if not self._use:
            return
        saying = Saying(
            "检查点无法读取或与其签名文本不符", "a checkpoint is unreadable, or differs from its signed text"
        )
        self.findings.append(LogFinding(shard, size, Fault.CHECKPOINT_MISMATCH, saying))


def verify_values(lines: Iterable[bytes], trust: Trust) -> Verified:
    """Verifies the entries of an export: one per line, each shard's in order."""
    check = LogCheck(trust.trusted)
    for line in lines:
        check.take(line.removesuffix(b"\n"))
    return _verified(check, trust)


def verify_topic(reader: Reader, shard_count: int, trust: Trust, progressed: Progressed) -> Verified:
    """Verifies the topic of audit entries, with the checkpoints in their topic and those already trusted.

    Raises KafkaException. The checkpoints are read first, so that none is newer than the entries that are read.
    """
    shards = range(shard_count)
    for shard, (first, end) in _ends(reader, CHECKPOINTS.name, shards).items():
        while first < end:
            part = reader.read(CHECKPOINTS.name, shard, first, end, AT_ONCE)
            for each in part.deliveries:
                trust.add_event(each.value, shard)
            first = part.end
    check = LogCheck(trust.trusted)
    for shard, (first, end) in _ends(reader, AUDIT.name, shards).items():
        while first < end:
            part = reader.read(AUDIT.name, shard, first, end, AT_ONCE)
            for each in part.deliveries:
                check.of(shard).take(read_entry(each.value or b""))
            progressed(len(part.deliveries))
            first = part.end
    return _verified(check, trust)


def entries_in_topic(reader: Reader, shard_count: int) -> int:
    """An upper bound of the number of entries in the topic."""
    return sum(end - first for first, end in _ends(reader, AUDIT.name, range(shard_count)).values())


def _ends(reader: Reader, topic: str, shards: range) -> dict[int, tuple[int, int]]:
    ends = reader.ends([(topic, shard) for shard in shards])
    return {shard: ends[topic, shard] for shard in shards}


def verify_ledger(engine: Engine, trust: Trust, progressed: Progressed) -> Verified:
    """Verifies the ledger as of one moment, with its own checkpoints and those already trusted."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        for checkpoint in audit_log.checkpoints(connection):
            trust.add_row(checkpoint)
        check, contents = LogCheck(trust.trusted), ContentCheck(connection)
        further: list[LogFinding] = []
        for end in audit_log.shard_ends(connection):
            shard = check.of(end.shard)
            for page in audit_log.entries(connection, end.shard):
                good: list[tuple[AuditEntry, StoredEntry]] = []
                for row in page:
                    entry = _as_stored(row)
                    if shard.take(entry) and entry is not None:
                        good.append((entry, row))
                further += contents.check(good)
                progressed(len(page))
            short = shard.end() is None and ends_as_counted(shard, end)
            further += [short] if short else []
        verified = _verified(check, trust)
        verified.findings += further
        if not verified.findings:
            verified.findings += contents.unaudited() or [*verify_books(connection), *verify_pools(connection)]
    return verified


def _as_stored(row: StoredEntry) -> AuditEntry | None:
    """The entry of a row, if the row's columns agree with its bytes."""
    entry = read_entry(row.value)
    if entry is None or (entry.seq, entry.kind, entry.actor) != row[1:4]:
        return None
    beside = ((row.prev_hash, entry.prev_hash), (row.hash, entry.hash))
    return entry if all(kept in (None, own) for kept, own in beside) else None


def _verified(check: LogCheck, trust: Trust) -> Verified:
    findings = [*trust.findings, *check.end()]
    return Verified(
        findings,
        {shard: each.tree.size for shard, each in check.shards.items()},
        {shard: each.proved for shard, each in check.shards.items()},
        len({(each.shard, each.size, each.root) for each in trust.trusted}),
    )
