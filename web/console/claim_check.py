"""What came out when the audit entries of a claim were checked, in the order in which a page says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from acts.check_inclusion import Inclusion, ShardChecked, check_inclusion
from schemas.canonical import sha256_hex
from schemas.checkpoint import VerifierKey
from web.console.claim_history import HistoryRow

BAD = frozenset({Inclusion.DIFFERS, Inclusion.DAMAGED})


@dataclass(frozen=True, slots=True)
class ClaimChecked:
    """``edited`` are entries, as shard/number, that do not match their own hash.

    ``changed`` are the ids of events, decisions and instructions that are not what their entries have hashed, or that
    are gone; ``missing`` of those that have no entry.
    """

    at: datetime
    entries: int
    edited: list[str]
    changed: list[str]
    missing: list[str]
    shards: list[ShardChecked]

    @property
    def covered(self) -> int:
        return sum(each.covered for each in self.shards)

    @property
    def waiting(self) -> int:
        return sum(each.waiting for each in self.shards)

    @property
    def verdict(self) -> str:
        """`broken`, `unsigned`, `waiting` if no checkpoint covers anything yet, or `holds` for all that is covered."""
        if self.edited or self.changed or self.missing or any(each.inclusion in BAD for each in self.shards):
            return "broken"
        if any(each.inclusion is Inclusion.UNSIGNED for each in self.shards):
            return "unsigned"
        return "holds" if self.covered else "waiting"


def check_claim(engine: Engine, keys: Sequence[VerifierKey], rows: Sequence[HistoryRow], at: datetime) -> ClaimChecked:
    """Checks the entries of a claim's history against themselves, what they are about, and the signed checkpoints."""
    edited, changed, missing, entries = [], [], [], {}
    for row in rows:
        if not row.entries:
            missing.append(_name(row))
        for entry, proof in row.entries:
            entries[entry.shard, entry.seq] = entry.value
            if proof == "broken":
                edited.append(f"{entry.shard}/{entry.seq}")
            if row.event is None or entry.fields.get("content_sha256") != sha256_hex(row.event.value):
                changed.append(_name(row))
    shards = check_inclusion(engine, keys, entries)
    return ClaimChecked(at, len(entries), edited, changed, missing, shards)


def _name(row: HistoryRow) -> str:
    """What a finding calls a row: its id, or the number of its event where the id would name a person."""
    return row.detail or f"#{row.event.event_no if row.event else ''}"
