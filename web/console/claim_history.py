"""The history of a claim as its pages show it: what happened, its audit entries, and how far each is proved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from infra.ledger import audit_log, timeline
from schemas.bilingual import Saying
from schemas.canonical import canonical_json, sha256_hex
from schemas.outbound import AuditKind
from web.console.log_watch import Watch
from web.console.timeline_sentences import words_of

GONE = Saying("账本里已没有的核定或支付指令", "a decision or an instruction that the ledger no longer has")
UNREADABLE = Saying("内容无法读出", "cannot be read")
_OF_ROWS = (AuditKind.CLAIM_DECIDED, AuditKind.PAYOUT_INSTRUCTED)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of the history. ``entries`` are its audit entries, each with the state of its proof.

    Without an ``event`` the entry is about a decision or an instruction that the ledger no longer has.
    """

    event: timeline.Happened | None
    at: datetime
    what: Saying
    detail: str
    entries: list[tuple[timeline.TimelineEntry, str]]


def history(connection: Connection, watch: Watch, claim_id: str, person_id: str, clear: bool) -> list[HistoryRow]:
    """The history of a claim, oldest first. Without ``clear`` nothing in it identifies the person."""
    happened = timeline.happened(connection, claim_id, person_id)
    entries = timeline.entries(connection, claim_id, happened)
    signed = {end.shard: end.newest.size for end in audit_log.shard_ends(connection) if end.newest is not None}
    proofs = [(entry, _proof(entry, signed.get(entry.shard, 0), watch.proved(entry.shard))) for entry in entries]
    rows, placed, times = [], set[tuple[int, int]](), dict[int, datetime]()
    for event in happened:
        own = [each for each in proofs if each[0].event_no == event.event_no and _is_about(each[0], event)]
        placed.update((entry.shard, entry.seq) for entry, _ in own)
        times[event.event_no] = event.recorded_at
        rows.append(HistoryRow(event, event.recorded_at, *_words(event, clear), own))
    gone = [each for each in proofs if (each[0].shard, each[0].seq) not in placed and _needs_a_row(each[0], claim_id)]
    return rows + [HistoryRow(None, times[entry.event_no], GONE, _name(entry), [(entry, is_)]) for entry, is_ in gone]


def _words(event: timeline.Happened, clear: bool) -> tuple[Saying, str]:
    try:
        return words_of(event, clear)
    except (ValueError, KeyError):  # somebody changed it behind the ledger's back
        return UNREADABLE, event.subject_id


def _needs_a_row(entry: timeline.TimelineEntry, claim_id: str) -> bool:
    """Whether a decision or an instruction of the claim has to stand behind the entry."""
    return entry.kind in _OF_ROWS and entry.subject.get("claim_id") == claim_id


def _name(entry: timeline.TimelineEntry) -> str:
    return str(entry.subject.get("payout_id") or f"{entry.shard}/{entry.seq}")


def _is_about(entry: timeline.TimelineEntry, event: timeline.Happened) -> bool:
    subject = entry.subject
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
    fields = entry.fields
    if fields.pop("hash", None) != sha256_hex(canonical_json(fields)):
        return "broken"
    if entry.seq <= proved:
        return "proved"
    return "signed" if entry.seq <= signed else "chained"
