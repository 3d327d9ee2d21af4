"""Checking an audit log: each entry's own hash, the chain, the order, and the tree against signed checkpoints.

One pass over a shard's entries in log order, holding one entry and one frontier in memory. Checking a shard ends at
its first fault: whatever follows proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from handlers.audit.merkle import Frontier, leaf_hash
from schemas.bilingual import Saying
from schemas.canonical import NO_HASH, canonical_json, sha256_hex
from schemas.checkpoint import Checkpoint

FIELDS = frozenset(
    [
        "actor",
        "content_sha256",
        "event_id",
        "event_type",
        "hash",
        "kind",
        "occurred_at",
        "prev_hash",
        "seq",
        "shard",
        "subject",
    ]
)


class Fault(StrEnum):
    """What is wrong with a log."""

    EDITED = "edited"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    CHAIN_SWAPPED = "chain swapped"
    WRONG_KEY = "wrong key"
    CHECKPOINT_MISMATCH = "checkpoint mismatch"
    CONTENT_CHANGED = "content changed"
    NOT_AUDITED = "not audited"
    BOOKS_DISAGREE = "books disagree"
    POOLS_DISAGREE = "pools disagree"
    ARCHIVE_CHANGED = "archive changed"


class LogFinding(NamedTuple):
    """The first bad entry of a shard, counted from 1, and what is wrong with it; no number where there is no entry."""

    shard: int | None
    seq: int | None
    fault: Fault
    saying: Saying


class AuditEntry(NamedTuple):
    """An entry whose own hash is right, with its bytes; ``kind`` and ``content_sha256`` say what it is about."""

    shard: int
    seq: int
    kind: str
    actor: str
    subject: dict[str, str]
    content_sha256: str
    prev_hash: str
    hash: str
    value: bytes


def read_entry(value: bytes) -> AuditEntry | None:
    """The entry in some bytes; None unless they are the canonical JSON of a complete entry with the right hash."""
    try:
        fields: dict[str, Any] = orjson.loads(value)
        if fields.keys() != FIELDS or canonical_json(fields) != value:
            return None
        entry = AuditEntry._make([*(fields[name] for name in AuditEntry._fields[:-1]), value])
        if type(entry.shard) is not int or type(entry.seq) is not int or type(entry.subject) is not dict:
            return None
        texts = (entry.kind, entry.actor, entry.content_sha256, entry.prev_hash, entry.hash, *entry.subject.values())
        if not all(type(text) is str for text in texts):
            return None
        # Without its own hash, as it was hashed: only strings come before that member, so the first match is the one.
        if sha256_hex(value.replace(f',"hash":"{entry.hash}"'.encode(), b"", 1)) != entry.hash:
            return None
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return entry


class ShardCheck:
    """Checks one shard's entries, one by one in log order, against trusted checkpoints."""

    def __init__(
        self,
        shard: int,
        checkpoints: Iterable[Checkpoint] = (),
        tree: Frontier | None = None,
        last_hash: str = NO_HASH,
    ) -> None:
        """With ``tree`` and ``last_hash`` checking continues after entries that are known to be good."""
        self.shard = shard
        self.found: LogFinding | None = None
        self.tree = tree or Frontier()
        self.proved = 0
        """How many entries the newest checkpoint reached so far covers."""
        self._due = sorted(checkpoints, key=lambda checkpoint: -checkpoint.size)
        self._end = last_hash
        self._gap: tuple[int, int] | None = None

    @property
    def last_hash(self) -> str:
        """The hash of the last entry that was good."""
        return self._end

    @property
    def expected(self) -> int:
        """The number that the next entry must have."""
        return self.tree.size + 1

    def take(self, entry: AuditEntry | None) -> bool:
        """The next entry in the log, as `read_entry` gave it; whether it, and all before it, are good."""
        expected = self.expected
        if self._gap is not None:
            self._after_gap(entry)
        elif self.found is not None:
            pass
        elif entry is None:
            self._bad(
                expected, Fault.EDITED, Saying("内容与其自身的散列不符", "its content does not match its own hash")
            )
        elif entry.shard != self.shard:
            self._bad(
                expected,
                Fault.CHAIN_SWAPPED,
                Saying(f"此处是分片 {entry.shard} 的条目", f"this is an entry of shard {entry.shard}"),
            )
        elif entry.seq < expected:
            self._bad(entry.seq, Fault.INSERTED, Saying("该序号出现了两次", "two entries have this number"))
        elif entry.seq > expected:
            self._gap = (expected, entry.seq)
            self._missing(entry.seq)
        elif entry.prev_hash != self._end:
            self._bad(
                expected,
                Fault.CHAIN_SWAPPED,
                Saying(
                    "与前一条目不相连:两者之一被改写,或换成了另一条链",
                    "it does not follow the entry before: one of the two was rewritten, or another chain goes on here",
                ),
            )
        else:
            self._good(entry)
        return self.found is None

    def end(self) -> LogFinding | None:
        """After the last entry: the fault found, or a checkpoint that covers entries which are missing."""
        self._gap = None
        if self.found is None and self._due:
            seen = self._due[0]
            self._bad(
                self.tree.size + 1,
                Fault.TRUNCATED,
                Saying(
                    f"日志到 {self.tree.size} 号为止,而检查点证明曾有 {seen.size} 条",
                    f"the log ends with entry {self.tree.size}, but a checkpoint covers {seen.size}",
                ),
            )
        return self.found

    def _good(self, entry: AuditEntry) -> None:
        self.tree.append(leaf_hash(entry.value))
        self._end = entry.hash
        while self._due and self._due[-1].size == entry.seq:
            checkpoint = self._due.pop()
            if checkpoint.root == self.tree.root():
                self.proved = checkpoint.size
            elif self.found is None:
                self._bad(
                    self.proved + 1,
                    Fault.CHECKPOINT_MISMATCH,
                    Saying(
                        f"{self.proved + 1} 至 {checkpoint.size} 号条目不是签名时的内容",
                        f"entries {self.proved + 1} to {checkpoint.size} are not the ones that were signed",
                    ),
                )

    def _missing(self, stands: int) -> None:
        first = self.tree.size + 1
        one = stands - first == 1
        zh = f"{first} 号条目缺失" if one else f"{first} 至 {stands - 1} 号条目缺失"
        en = "this entry is missing" if one else f"entries {first} to {stands - 1} are missing"
        self._bad(first, Fault.MISSING, Saying(zh, en))

    def _after_gap(self, entry: AuditEntry | None) -> None:
        """An entry that was missing and turns up later was moved, not lost."""
        assert self._gap is not None
        if entry is not None and entry.shard == self.shard and self._gap[0] <= entry.seq < self._gap[1]:
            first, stands = self._gap
            self._gap = None
            self._bad(
                first,
                Fault.REORDERED,
                Saying(f"此处是 {stands} 号条目,顺序被打乱", f"entry {stands} is in its place, out of order"),
            )

    def _bad(self, seq: int, fault: Fault, saying: Saying) -> None:
        self.found = LogFinding(self.shard, seq, fault, saying)


class LogCheck:
    """Checks the entries of all shards, each shard by itself."""

    def __init__(self, checkpoints: Iterable[Checkpoint] = ()) -> None:
        """``checkpoints`` are trusted: their signatures were checked before."""
        due: dict[int, list[Checkpoint]] = {}
        for checkpoint in checkpoints:
            due.setdefault(checkpoint.shard, []).append(checkpoint)
        self.shards = {shard: ShardCheck(shard, due[shard]) for shard in sorted(due)}
        self._current: ShardCheck | None = None
        self._spoiled = 0

    def of(self, shard: int) -> ShardCheck:
        """The checking of one shard."""
        if shard not in self.shards:
            self.shards[shard] = ShardCheck(shard)
        return self.shards[shard]

    def take(self, value: bytes) -> None:
        """The next entry of a copy in which only the entries themselves say which shard they belong to."""
        entry = read_entry(value)
        if entry is None:
            self._spoiled += 1
            return
        check = self.of(entry.shard)
        # Damaged entries do not name their shard: if a shard starts late by exactly their number, they are its own.
        begins = check.expected == 1 and entry.seq == 1 + self._spoiled
        self._blame(check if begins else self._current or check)
        self._current = check
        check.take(entry)

    def end(self) -> list[LogFinding]:
        """The first fault of each shard, after the last entry."""
        if self._spoiled:
            self._blame(self._current or self.of(0))
        findings = [self.shards[shard].end() for shard in sorted(self.shards)]
        return [finding for finding in findings if finding is not None]

    def _blame(self, check: ShardCheck) -> None:
        while self._spoiled:
            self._spoiled -= 1
            check.take(None)
