"""The history of a claim as its pages show it: what happened, its audit entries, and how far each is proved."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from infra.ledger import audit_log, timeline
from schemas.bilingual import Saying
from schemas.canonical import canonical_json, sha256_hex
from schemas.outbound import AuditKind
from web.console.log_watch import Watch
from web.console.timeline_sentences import words_of


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of the history. ``entries`` are its audit entries, each with the state of its proof."""

    event: timeline.Happened
    what: Saying
    detail: str
    entries: list[tuple[timeline.TimelineEntry, str]]

    @property
    def at(self) -> datetime:
        return self.event.recorded_at


def history(connection: Connection, watch: Watch, claim_id: str, person_id: str, clear: bool) -> list[HistoryRow]:
    """The history of a claim, oldest first. Without ``clear`` nothing in it identifies the person."""
    happened = timeline.happened(connection, claim_id, person_id)
    entries = timeline.entries(connection, claim_id, happened)
    signed = {end.shard: end.newest.size for end in audit_log.shard_ends(connection) if end.newest is not None}
    rows = []
    for event in happened:
        own_entries = [entry for entry in entries if entry.event_no == event.event_no and _is_about(entry, event)]
        what, detail = words_of(event, clear)
        proofs = [
            (entry, _proof(entry, signed.get(entry.shard, 0), watch.proved(entry.shard))) for entry in own_entries
        ]
        rows.append(HistoryRow(event, what, detail, proofs))
    return rows


def _is_about(entry: timeline.TimelineEntry, event: timeline.Happened) -> bool:
    subject = json.loads(entry.value)["subject"]
    if event.kind == "decision":
        subject_id = (subject.get("claim_id"), subject.get("revision"))
        return entry.kind == AuditKind.CLAIM_DECIDED and subject_id == (event.subject_id, str(event.version))
    if event.kind == "instruction":
        return entry.kind == AuditKind.PAYOUT_INSTRUCTED and subject.get("payout_id") == event.subject_id
    return entry.kind == AuditKind.EVENT_ACCEPTED


def _proof(entry: timeline.TimelineEntry, signed: int, proved: int) -> str:
    """`broken` if the entry does not match its hash, `proved` if a verified checkpoint covers it.

    `signed` if only a checkpoint that is not verified (yet) covers it, or else `chained`.
    """
    fields = json.loads(entry.value)
    if fields.pop("hash", None) != sha256_hex(canonical_json(fields)):
        return "broken"
    if entry.seq <= proved:
        return "proved"
    return "signed" if entry.seq <= signed else "chained"
