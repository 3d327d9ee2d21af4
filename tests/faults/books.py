"""The ledger as plain SQL sees it, in one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from tests.faults.pools import BALANCES, HELD, Held
from tests.support.household_caps import PAID, Paid


class Event(NamedTuple):
    number: int
    shard: int
    topic: str
    partition: int
    offset: int | None
    key: bytes | None
    value: bytes | None
    disposition: str
    code: str | None


class Instruction(NamedTuple):
    payout_id: str
    claim_id: str
    scheme_id: str
    revision: int
    kind: str
    amount: int
    value: bytes
    payee_id: str
    pool_id: str | None


class Audit(NamedTuple):
    shard: int
    seq: int
    number: int
    kind: str
    prev_hash: str | None
    hash: str | None
    value: bytes


@dataclass
class Books:
    """Everything that the ledger holds, as rows."""

    events: list[Event]
    instructions: list[Instruction]
    decisions: list[tuple[str, int, bytes]]
    claims: list[tuple[str, str, str, int, int]]
    benefits: dict[tuple[str, str], Held]
    audit: list[Audit]
    offsets: dict[tuple[str, int], int]
    sequences: dict[int, tuple[int, str, int]]
    sent: dict[int, int]
    outbox_rows: int
    facts: int
    refusals: int
    policies: list[str]
    undecided: int
    unserved: int
    balances: dict[str, int]
    paid: list[Paid]
    hanging: list[str]


HANGING = """
    SELECT application_name || ': ' || state || ' since ' || xact_start FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND (
        state LIKE 'idle in transaction%' AND clock_timestamp() - state_change > '2 seconds'
        OR state = 'active' AND clock_timestamp() - xact_start > '20 seconds')
    UNION ALL SELECT 'prepared: ' || gid FROM pg_prepared_xacts
"""


def read_books(connection: psycopg.Connection[Any]) -> Books:
    """One consistent snapshot."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        return Books(
            events=[
                Event(*row)
                for row in rows(
                    'SELECT event_no, shard, topic, partition, "offset", key, value, disposition, code'
                    " FROM events LEFT JOIN refusals USING (event_no) ORDER BY event_no"
                )
            ],
            instructions=[
                Instruction(*row)
                for row in rows(
                    "SELECT payout_id, claim_id, scheme_id, revision, kind, amount, value, payee_id, pool_id"
                    " FROM instructions ORDER BY claim_id, scheme_id, payee_id, revision"
                )
            ],
            decisions=[
                (claim, revision, value)
                for claim, revision, value in rows(
                    "SELECT claim_id, revision, value FROM decisions ORDER BY claim_id, revision"
                )
            ],
            claims=[
                (claim, person, status, burden, benefit)
                for claim, person, status, burden, benefit in rows(
                    "SELECT claim_id, person_id, status, personal_burden, total_benefit FROM claims"
                )
            ],
            benefits={(claim, scheme): Held(*held) for claim, scheme, *held in rows(HELD)},
            audit=[
                Audit(*row)
                for row in rows(
                    "SELECT shard, seq, event_no, kind, prev_hash, hash, value FROM audit_entries ORDER BY shard, seq"
                )
            ],
            offsets={(topic, part): after for topic, part, after in rows("SELECT * FROM offsets")},
            sequences={
                shard: (audit_seq, audit_hash, outbox_seq)
                for shard, audit_seq, audit_hash, outbox_seq in rows(
                    "SELECT shard, audit_seq, audit_hash, outbox_seq FROM shards"
                )
            },
            sent=dict(rows("SELECT shard, relayed_seq FROM relays")),
            outbox_rows=rows("SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM outbox_batches)")[0][0],
            facts=rows("SELECT count(*) FROM facts")[0][0],
            refusals=rows("SELECT count(*) FROM refusals")[0][0],
            policies=[text for (text,) in rows("SELECT source_text FROM policies ORDER BY effective_from")],
            undecided=rows("SELECT count(*) FROM group_work")[0][0],
            unserved=rows("SELECT count(*) FROM pool_work")[0][0],
            balances=dict(rows(BALANCES)),
            paid=[Paid(*row) for row in rows(PAID)],
            hanging=[text for (text,) in rows(HANGING)],
        )
    finally:
        connection.execute("ROLLBACK")
