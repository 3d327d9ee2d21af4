"""The console's digest of the ledger: sums and look-ups, brought forward entry by entry along the audit log.

The audit log of a shard has no gaps and is written under the shard's lock, so a reader that has come to a number
has missed nothing before it. The console continues from there, a few thousand entries at a time, in its own
transactions; workers neither wait for it nor do anything for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select, text
from sqlalchemy.dialects.postgresql import insert

from infra.ledger import bank_references, claim_list, money_by_tier, open_payouts, payout_lines, tables
from infra.ledger.console_tables import digest_marks, digest_refused, digest_replays
from infra.ledger.list_tables import digest_list_marks, digest_payout_marks

CHUNK = 5000
"""Entries per transaction: some tenths of a second."""

LOCK = 0x48555A44
"""Key of the advisory lock ("HUZD") under which the digest moves: without it consoles could deadlock on its rows."""

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""As of when a shard is in the digest that was never in it as a whole."""

_ENTRIES = """
    WITH RECURSIVE entry AS MATERIALIZED (
        SELECT seq, event_no, kind, convert_from(value, 'UTF8')::jsonb AS told FROM audit_entries
        WHERE shard = :shard AND seq > :after AND seq <= :until AND kind = :kind
    )
"""

_DECIDED = (
    _ENTRIES
    + """
    , decided AS (
        SELECT e.told -> 'subject' ->> 'claim_id' AS claim_id, (e.told -> 'subject' ->> 'revision')::bigint AS revision,
            e.told -> 'subject' ->> 'status' AS status
        FROM entry e
    ), change AS (
        SELECT d.status, 1 AS number FROM decided d
        UNION ALL
        SELECT convert_from(b.value, 'UTF8')::jsonb ->> 'status', -1
        FROM decided d JOIN decisions b ON b.claim_id = d.claim_id AND b.revision = d.revision - 1
    )
    INSERT INTO digest_claims (status, claims) SELECT status, sum(number) FROM change GROUP BY status
    ON CONFLICT (status) DO UPDATE SET claims = digest_claims.claims + excluded.claims
"""
)

_DECIDED_NOW = (
    _ENTRIES
    + """
    , decided AS (
        SELECT e.seq, e.told -> 'subject' ->> 'claim_id' AS claim_id,
            e.told -> 'subject' ->> 'status' IN ('incomplete', 'no_policy') AS waits,
            e.told -> 'subject' ->> 'status' AS status, (e.told ->> 'occurred_at')::timestamptz AS at
        FROM entry e
    )
"""
)

_NO_LONGER_WAITING = (
    _DECIDED_NOW + "DELETE FROM digest_waiting WHERE claim_id IN (SELECT claim_id FROM decided WHERE NOT waits)"
)

# A claim waits since the first of the decisions, without any other between them, that left it waiting.
_WAITING = (
    _DECIDED_NOW
    + """
    , spell AS (
        SELECT * FROM decided d WHERE waits
            AND NOT EXISTS (SELECT FROM decided o WHERE o.claim_id = d.claim_id AND NOT o.waits AND o.seq > d.seq)
    )
    INSERT INTO digest_waiting (claim_id, status, since)
    SELECT claim_id, (array_agg(status ORDER BY seq DESC))[1], min(at) FROM spell GROUP BY claim_id
    ON CONFLICT (claim_id) DO UPDATE SET status = excluded.status
"""
)

# json, not jsonb, which refuses what an accepted event may hold in a field that nobody reads (\\u0000, 1e999999).
# Materialized, as PostgreSQL could otherwise look into every event, and not all of them are JSON.
_INVOICES = (
    _ENTRIES
    + """
    , bill AS MATERIALIZED (
        SELECT convert_from(v.value, 'UTF8')::json AS told FROM entry e JOIN events v ON v.event_no = e.event_no
        WHERE e.told -> 'subject' ->> 'event_type' = 'settlement.posted'
    )
    INSERT INTO digest_invoices (invoice_no, settlement_id, claim_id)
    SELECT DISTINCT told ->> 'invoice_no', told ->> 'settlement_id', told ->> 'encounter_id' FROM bill
    WHERE told ->> 'invoice_no' IS NOT NULL
    ON CONFLICT DO NOTHING
"""
)

_SENT_AGAIN = """
    INSERT INTO digest_replays (act_no, shard, seq, refused_no, sent_sha256)
    SELECT event_no, shard, seq, (told -> 'subject' ->> 'refused_no')::bigint, told ->> 'content_sha256'
    FROM (SELECT event_no, shard, seq, convert_from(value, 'UTF8')::jsonb AS told FROM audit_entries
        WHERE shard = :shard AND seq > :after AND seq <= :until AND kind = 'event.replayed') AS entry
    ON CONFLICT DO NOTHING
"""

_CAME_BACK = """
    WITH entry AS MATERIALIZED (
        SELECT seq, event_no, substr(kind, length('event.') + 1) AS what,
            convert_from(value, 'UTF8')::jsonb ->> 'content_sha256' AS sha256
        FROM audit_entries WHERE shard = :shard AND seq > :after AND seq <= :until
            AND kind IN ('event.accepted', 'event.duplicate', 'event.stale', 'event.refused')
    ), came_back AS (
        SELECT DISTINCT ON (r.act_no) r.act_no, e.event_no, e.what
        FROM digest_replays r JOIN entry e ON e.sha256 = r.sent_sha256 AND e.seq > r.seq
        WHERE r.shard = :shard AND r.came_back_no IS NULL ORDER BY r.act_no, e.seq
    )
    UPDATE digest_replays r SET came_back_no = c.event_no, came_back_as = c.what
    FROM came_back c WHERE c.act_no = r.act_no
"""

_STATEMENTS = (
    ("payout.instructed", _ENTRIES + money_by_tier.INSTRUCTED),
    ("event.accepted", _ENTRIES + money_by_tier.REPORTED),
    ("payout.instructed", _ENTRIES + open_payouts.INSTRUCTED),
    ("event.accepted", _ENTRIES + open_payouts.REPORTED),
    ("recovery.set_off", _ENTRIES + open_payouts.SETTLED),
    ("recovery.waived", _ENTRIES + open_payouts.SETTLED),
    ("event.accepted", _INVOICES),
    ("claim.decided", _DECIDED),
    ("claim.decided", _NO_LONGER_WAITING),
    ("claim.decided", _WAITING),
)

_CLAIMS = (
    ("claim.decided", _ENTRIES + claim_list.DECIDED),
    ("payout.instructed", _ENTRIES + claim_list.ORDERED),
    ("recovery.set_off", _ENTRIES + claim_list.ORDERED),
    ("recovery.waived", _ENTRIES + claim_list.ORDERED),
    ("event.accepted", _ENTRIES + claim_list.ACCEPTED),
)
_PAYOUTS = (
    ("payout.instructed", _ENTRIES + payout_lines.INSTRUCTED),
    ("event.accepted", _ENTRIES + payout_lines.REPORTED),
)
_LISTS = ((digest_list_marks, _CLAIMS), (digest_payout_marks, _PAYOUTS))
"""Each with its marks."""


def bring_forward(engine: Engine, now: datetime, chunk: int = CHUNK) -> int:
    """Adds what the ledger has gained since; returns how many audit entries that was."""
    with engine.connect() as connection:
        numbers = list(connection.scalars(select(tables.shards.c.shard).order_by(tables.shards.c.shard)))
    total = 0
    for shard in numbers:
        while True:
            count = _chunk(engine, shard, now, chunk)
            total += count
            if count < chunk:
                break
    bank_references.bring_forward(engine, chunk)
    for marks, statements in _LISTS:  # after the sums: a list is built over everything that ever was
        for shard in numbers:
            while _list(engine, shard, chunk, marks, statements) == chunk:
                pass
    return total


def _chunk(engine: Engine, shard: int, now: datetime, chunk: int) -> int:
    with engine.begin() as connection:
        after = _turn(connection, digest_marks, shard)
        end = connection.scalar(select(tables.shards.c.audit_seq).where(tables.shards.c.shard == shard)) or 0
        until = min(end, after + chunk)
        if until > after:
            place = {"shard": shard, "after": after, "until": until}
            for kind, statement in _STATEMENTS:
                connection.execute(text(statement), place | {"kind": kind})
            _refused(connection, place)
            _replays(connection, place)
        values: dict[str, Any] = {"audit_seq": until}
        if until == end:
            values["as_of"] = now
        connection.execute(digest_marks.update().where(digest_marks.c.shard == shard).values(values))
        return int(until - after)


def _list(engine: Engine, shard: int, chunk: int, marks: Table, statements: Iterable[tuple[str, str]]) -> int:
    """Brings a list as far as the sums are, from which they take what is open; returns how many entries that was."""
    with engine.begin() as connection:
        after = _turn(connection, marks, shard)
        end, as_of = connection.execute(
            select(digest_marks.c.audit_seq, digest_marks.c.as_of).where(digest_marks.c.shard == shard)
        ).one()
        until = min(end, after + chunk)
        if until > after:
            for kind, statement in statements:
                connection.execute(text(statement), {"shard": shard, "after": after, "until": until, "kind": kind})
        if until >= after:
            values = {"audit_seq": until} | ({"as_of": as_of} if until == end else {})
            connection.execute(marks.update().where(marks.c.shard == shard).values(values))
        return int(max(until - after, 0))


def _turn(connection: Connection, marks: Table, shard: int) -> int:
    """Waits until no other console moves the digest; returns the entry of a shard up to which the marks say it is."""
    connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    mark = insert(marks).values(shard=shard, audit_seq=0, as_of=NEVER)
    connection.execute(mark.on_conflict_do_nothing())
    return connection.scalar(select(marks.c.audit_seq).where(marks.c.shard == shard).with_for_update()) or 0


def _refused(connection: Connection, place: dict[str, int]) -> None:
    """What the bytes of refused events name: parsed here, as PostgreSQL would fail on bytes that are not JSON."""
    found = connection.execute(
        text(
            "SELECT r.event_no, r.code, v.recorded_at, v.value FROM audit_entries a "
            "JOIN refusals r ON r.event_no = a.event_no JOIN events v ON v.event_no = a.event_no "
            "WHERE a.shard = :shard AND a.seq > :after AND a.seq <= :until AND a.kind = 'event.refused'"
        ),
        place,
    )
    rows = []
    for row in found:
        named = _named(bytes(row.value or b""))
        rows.append({"event_no": row.event_no, "code": row.code, "recorded_at": row.recorded_at, **named})
    if rows:
        connection.execute(insert(digest_refused).on_conflict_do_nothing(), rows)


def _replays(connection: Connection, place: dict[str, int]) -> None:
    """What was sent in place of refused events, and as which event of the shard it came in, known by its bytes."""
    connection.execute(text(_SENT_AGAIN), place)
    away = (digest_replays.c.shard == place["shard"]) & digest_replays.c.came_back_no.is_(None)
    if connection.scalar(select(digest_replays.c.act_no).where(away).limit(1)) is not None:
        connection.execute(text(_CAME_BACK), place)


def _named(value: bytes) -> dict[str, str]:
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        document = None
    fields = document if isinstance(document, dict) else {}
    return {name: _plain(fields.get(name)) for name in ("facility_id", "event_type")}


def _plain(value: object) -> str:
    """A short printable text, or nothing."""
    return value if isinstance(value, str) and value.isprintable() and len(value) <= 200 else ""
