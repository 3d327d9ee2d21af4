"""A ledger made large: one decided claim of it is copied a million times by SQL, whatever columns its schema has."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

ONE = """
    SELECT c.claim_id, c.person_id, c.shard FROM claims c
    WHERE c.revision = 2 AND c.total_benefit > 0
        AND (SELECT count(*) FROM instructions i WHERE i.claim_id = c.claim_id) = 1
        AND (SELECT count(*) FROM facts f WHERE f.person_id = c.person_id AND f.kind IN ('encounter', 'settlement')) = 2
    ORDER BY c.claim_id LIMIT 1
"""
NUMBER = ":events + k * 2 - CASE WHEN f.kind = 'encounter' THEN 1 ELSE 0 END"
LAST = ":events + k * 2"
KINDS = "f.person_id = :person AND f.kind IN ('encounter', 'settlement')"
ENTRIES = f"""
    (SELECT t.*, row_number() OVER (ORDER BY seq) AS nth FROM (
        SELECT e.*, convert_from(e.value, 'UTF8')::json -> 'subject' AS subject
        FROM audit_entries e WHERE e.shard = :shard
    ) t
    WHERE t.kind = 'event.accepted' AND t.event_no IN (SELECT f.event_no FROM facts f WHERE {KINDS})
        OR t.kind = 'claim.decided' AND subject ->> 'claim_id' = :claim AND subject ->> 'revision' = '2'
        OR t.kind = 'payout.instructed' AND subject ->> 'payout_id' = :payout) a
"""
COLUMNS = text("""
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = :table AND is_generated = 'NEVER' ORDER BY ordinal_position
""")


def renamed(words: str) -> str:
    """A text with the person's own part of every id made another for each copy."""
    return f"replace({words}, :part, :part || lpad(to_hex(k), 6, '0'))"


def rewritten(value: str) -> str:
    """Bytes, renamed, with the payout's id made another too."""
    inner = f"replace(convert_from({value}, 'UTF8'), :payout, :payout || lpad(to_hex(k), 6, '0'))"
    return f"convert_to({renamed(inner)}, 'UTF8')"


class Copied(NamedTuple):
    """How a table's rows are copied: where they come from, under which alias, and which columns are made others."""

    rows: str
    alias: str
    others: dict[str, str]


TABLES = {
    "events": Copied(
        f"facts f JOIN events v USING (event_no) WHERE {KINDS}",
        "v",
        {"event_no": NUMBER, "offset": f"2000000000000 + {NUMBER}", "key": "NULL", "value": rewritten("v.value")},
    ),
    "facts": Copied(
        f"facts f WHERE {KINDS}",
        "f",
        {"subject_id": renamed("f.subject_id"), "person_id": renamed("f.person_id"), "event_no": NUMBER},
    ),
    "subjects": Copied(
        f"subjects f WHERE {KINDS}",
        "f",
        {name: renamed(f"f.{name}") for name in ("subject_id", "person_id", "encounter_id")},
    ),
    "claims": Copied(
        "claims c WHERE c.claim_id = :claim", "c", {name: renamed(f"c.{name}") for name in ("claim_id", "person_id")}
    ),
    "decisions": Copied(
        "decisions d WHERE d.claim_id = :claim AND d.revision = 2",
        "d",
        {"claim_id": renamed("d.claim_id"), "event_no": LAST, "value": rewritten("d.value")},
    ),
    "benefits": Copied("benefits b WHERE b.claim_id = :claim", "b", {"claim_id": renamed("b.claim_id")}),
    "instructions": Copied(
        "instructions i WHERE i.claim_id = :claim",
        "i",
        {
            "payout_id": "i.payout_id || lpad(to_hex(k), 6, '0')",
            "claim_id": renamed("i.claim_id"),
            "person_id": renamed("i.person_id"),
            "event_no": LAST,
            "value": rewritten("i.value"),
        },
    ),
    "audit_entries": Copied(
        ENTRIES,
        "a",
        {
            "seq": ":audit + (k - 1) * 4 + a.nth",
            "event_no": f"{LAST} - CASE WHEN a.nth = 1 THEN 1 ELSE 0 END",
            "value": rewritten("a.value"),
        },
    ),
}


def multiply(engine: Engine, claims: int, say: Callable[[str], None]) -> str:
    """Copies one claim so many times; returns the part of its ids that all copies begin with."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for setting in ("session_replication_role = replica", "synchronous_commit = off", "statement_timeout = 0"):
            connection.execute(text(f"SET {setting}"))
        row = connection.execute(text(ONE)).one()
        part = str(row.person_id.rpartition("-")[2])
        given = {"claims": claims, "claim": row.claim_id, "person": row.person_id, "shard": row.shard, "part": part}
        given["payout"] = _value(connection, "SELECT payout_id FROM instructions WHERE claim_id = :claim", given)
        given["events"] = _value(connection, "SELECT max(event_no) FROM events", {})
        given["audit"] = _value(connection, "SELECT audit_seq FROM shards WHERE shard = :shard", given)
        for table, copied in TABLES.items():
            say(f"{table} x {claims:,}")
            names = list(connection.scalars(COLUMNS, {"table": table}))
            chosen = ", ".join(copied.others.get(name, f'{copied.alias}."{name}"') for name in names)
            into = ", ".join(f'"{name}"' for name in names)
            rows = f"SELECT {chosen} FROM generate_series(1, :claims) AS k, {copied.rows}"
            connection.execute(text(f"INSERT INTO {table} ({into}) {rows}"), given)
        connection.execute(text("UPDATE shards SET audit_seq = audit_seq + 4 * :claims WHERE shard = :shard"), given)
        connection.execute(text("SELECT setval('events_event_no_seq', :events + 2 * :claims)"), given)
        connection.execute(text("VACUUM ANALYZE"))
    return part


def _value(connection: Connection, sql: str, given: dict[str, object]) -> object:
    return connection.scalar(text(sql), given)
