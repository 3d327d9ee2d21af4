"""Everything that happened to a claim, in the ledger's order, each with the audit entry that records it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, text

from infra.ledger import tables
from schemas.canonical import canonical_json
from schemas.facts import subject_of_claim
from schemas.ids import ClaimId, PersonId
from schemas.outbound import FOLLOWING

_EVENTS = """
    SELECT v.event_no, v.shard, v.recorded_at, f.kind, f.subject_id, f.version, v.value
    FROM facts f JOIN events v ON v.event_no = f.event_no
    WHERE f.person_id = :person AND (
        f.kind IN ('coverage', 'membership', 'person')
        OR f.kind = :kind AND f.subject_id = :subject
        OR f.kind = 'settlement' AND EXISTS (SELECT FROM subjects s
            WHERE s.kind = 'settlement' AND s.subject_id = f.subject_id AND s.encounter_id = :claim)
        OR f.kind = 'payout' AND EXISTS (SELECT FROM instructions i
            WHERE i.payout_id = f.subject_id AND i.claim_id = :claim))
    ORDER BY v.event_no
"""
_DECISIONS = """
    SELECT d.event_no, c.shard, v.recorded_at, 'decision' AS kind, d.claim_id, d.revision, d.value
    FROM decisions d JOIN claims c ON c.claim_id = d.claim_id JOIN events v ON v.event_no = d.event_no
    WHERE d.claim_id = :claim ORDER BY d.revision
"""
_INSTRUCTIONS = """
    SELECT i.event_no, c.shard, v.recorded_at, 'instruction' AS kind, i.payout_id, i.revision, i.value
    FROM instructions i JOIN claims c ON c.claim_id = i.claim_id JOIN events v ON v.event_no = i.event_no
    WHERE i.claim_id = :claim ORDER BY i.event_no, i.scheme_id, i.revision
"""
# Two steps: first where an event's entries begin, found by halving, then those entries alone.
_ENTRIES = """
    SELECT a.shard, a.seq, a.event_no, a.kind, a.value
    FROM (SELECT shard, event_no, first_audit_entry(shard, event_no) AS low,
            first_audit_entry(shard, event_no + 1) AS high
          FROM (SELECT DISTINCT shard, event_no FROM unnest(CAST(:shards AS int[]), CAST(:events AS bigint[]))
                AS given (shard, event_no)) AS asked) AS place
    JOIN audit_entries a ON a.shard = place.shard AND a.seq >= place.low AND a.seq < place.high
    WHERE NOT a.kind = ANY(:following) OR position(CAST(:claim AS bytea) in a.value) > 0
    ORDER BY a.shard, a.seq
"""


class Happened(NamedTuple):
    """An event, decision or instruction: its id and version, and the bytes."""

    event_no: int
    shard: int
    recorded_at: datetime
    kind: str
    subject_id: str
    version: int
    value: bytes


class TimelineEntry(NamedTuple):
    """An audit entry as stored, whatever it may be."""

    shard: int
    seq: int
    event_no: int
    kind: str
    value: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """What it says; nothing if it is no JSON object."""
        try:
            fields = json.loads(self.value)
        except ValueError:
            return {}
        return fields if isinstance(fields, dict) else {}

    @property
    def subject(self) -> dict[str, Any]:
        """What it is about."""
        subject = self.fields.get("subject")
        return subject if isinstance(subject, dict) else {}

    @property
    def hash(self) -> str:
        """The hash that it says it has."""
        return str(self.fields.get("hash", ""))


def person_of(connection: Connection, claim_id: str) -> PersonId | None:
    """Whose claim it is; None if the ledger has decided no such claim."""
    claim = tables.claims
    return connection.scalar(select(claim.c.person_id).where(claim.c.claim_id == claim_id))


def happened(connection: Connection, claim_id: str, person_id: str) -> list[Happened]:
    """The events that bear on a claim, its decisions and its instructions, oldest first."""
    subject = subject_of_claim(ClaimId(claim_id))
    place = {"claim": claim_id, "person": person_id, "kind": subject.kind.value, "subject": subject.id}
    happenings: list[Happened] = []
    for statement in (_EVENTS, _DECISIONS, _INSTRUCTIONS):
        happenings += [_happened(row) for row in connection.execute(text(statement), place)]
    rank = {"decision": 1, "instruction": 2}
    return sorted(happenings, key=lambda item: (item.event_no, rank.get(item.kind, 0)))


def entries(connection: Connection, claim_id: str, happenings: Iterable[Happened]) -> list[TimelineEntry]:
    """The audit entries of these events, and of what they decided for the claim."""
    places = sorted({(item.shard, item.event_no) for item in happenings})
    if not places:
        return []
    rows = connection.execute(
        text(_ENTRIES),
        {
            "shards": [shard for shard, _ in places],
            "events": [event for _, event in places],
            "claim": canonical_json(claim_id)[1:-1],  # as it is spelt inside an entry
            "following": list(FOLLOWING),
        },
    )
    return [TimelineEntry._make([*row[:4], bytes(row[4])]) for row in rows]


def _happened(row: Any) -> Happened:
    return Happened._make([*row[:6], bytes(row[6] or b"")])
