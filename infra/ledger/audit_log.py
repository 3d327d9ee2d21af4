"""The audit chains as the ledger keeps them, with what each entry is about; and their checkpoints."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from sqlalchemy import ARRAY, BigInteger, Connection, Table, Text, and_, bindparam, func, select, true

from infra.ledger import tables
from schemas.outbound import AuditKind
from schemas.records import CheckpointRow

PAGE = 2000
"""Entries read at once: some MB."""


class StoredEntry(NamedTuple):
    """A row of the audit chain: its columns, its bytes, and the event that it is about.

    ``prev_hash`` and ``hash`` are None where the bytes alone have them, as since schema 0028. ``event_sha256`` is that
    of the event's bytes in the ledger now, None if there is no such event;
    ``replayed`` is the whole act where the entry is about a replay.
    """

    shard: int
    seq: int
    kind: str
    actor: str
    prev_hash: str | None
    hash: str | None
    value: bytes
    event_sha256: str | None
    replayed: bytes | None


class Ordered(NamedTuple):
    """A payout instruction as the ledger has it now: its columns and its bytes."""

    payout_id: str
    claim_id: str
    scheme_id: str
    revision: int
    kind: str
    amount: int
    person_id: str
    value: bytes
    payee_id: str
    payer: str
    treaty_id: str | None
    pool_id: str | None


class ShardEnd(NamedTuple):
    """How far a shard's chain has come according to the shard's own row, and its newest checkpoint."""

    shard: int
    audit_seq: int
    audit_hash: str
    newest: CheckpointRow | None


def shard_ends(connection: Connection) -> list[ShardEnd]:
    """Every shard, in order."""
    shard, checkpoint = tables.shards, tables.checkpoints
    columns = [checkpoint.c[name] for name in CheckpointRow._fields]
    newest = (
        select(*columns).where(checkpoint.c.shard == shard.c.shard).order_by(checkpoint.c.size.desc()).limit(1)
    ).lateral("newest")
    rows = connection.execute(
        select(shard.c.shard, shard.c.audit_seq, shard.c.audit_hash, newest)
        .outerjoin(newest, true())
        .order_by(shard.c.shard)
    )
    return [ShardEnd._make([*row[:3], None if row[4] is None else _checkpoint(row[3:])]) for row in rows]


def checkpoints(connection: Connection) -> Iterator[CheckpointRow]:
    """All checkpoints, by shard and size."""
    checkpoint = tables.checkpoints
    query = select(*(checkpoint.c[name] for name in CheckpointRow._fields)).order_by(
        checkpoint.c.shard, checkpoint.c.size
    )
    for row in connection.execute(query, execution_options={"yield_per": PAGE}):
        yield _checkpoint(row)


def checkpoint_up_to(connection: Connection, shard: int, size: int) -> CheckpointRow | None:
    """A shard's newest checkpoint over at most ``size`` entries."""
    checkpoint = tables.checkpoints
    row = connection.execute(
        select(*(checkpoint.c[name] for name in CheckpointRow._fields))
        .where(checkpoint.c.shard == shard, checkpoint.c.size <= size)
        .order_by(checkpoint.c.size.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _checkpoint(row)


def add_checkpoint(connection: Connection, row: CheckpointRow) -> None:
    """Inserts a checkpoint."""
    connection.execute(tables.checkpoints.insert().values(row._asdict()))


def values(connection: Connection, shard: int, after: int = 0, until: int | None = None) -> Iterator[bytes]:
    """The bytes of a shard's entries with numbers in ``(after, until]``, in order; without ``until`` to the end."""
    entry = tables.audit_entries
    while True:
        query = select(entry.c.seq, entry.c.value).where(entry.c.shard == shard, entry.c.seq > after)
        if until is not None:
            query = query.where(entry.c.seq <= until)
        page = connection.execute(query.order_by(entry.c.seq).limit(PAGE)).all()
        for row in page:
            yield bytes(row.value)
        if len(page) < PAGE:
            return
        after = page[-1].seq


def entries(connection: Connection, shard: int) -> Iterator[list[StoredEntry]]:
    """A shard's entries with the events that they are about, page by page in order."""
    entry, event = tables.audit_entries, tables.events
    digest = func.encode(func.sha256(func.coalesce(event.c.value, b"")), "hex")
    columns = [entry.c[name] for name in ("shard", "seq", "kind", "actor", "prev_hash", "hash", "value")]
    found = select(*columns, event.c.event_no, digest, event.c.value).outerjoin(
        event, event.c.event_no == entry.c.event_no
    )
    after = 0
    while True:
        wanted = found.where(entry.c.shard == shard, entry.c.seq > after).order_by(entry.c.seq).limit(PAGE)
        page = [
            StoredEntry(
                *row[:6],
                bytes(row[6]),
                None if row[7] is None else row[8],
                bytes(row[9] or b"") if row[2] == AuditKind.EVENT_REPLAYED else None,
            )
            for row in connection.execute(wanted)
        ]
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = page[-1].seq


def decision_hashes(connection: Connection, revisions: Collection[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """SHA-256 of the bytes of decisions, by claim and revision."""
    decision = tables.decisions
    asked = func.unnest(
        bindparam("claims", [claim_id for claim_id, _ in revisions], type_=ARRAY(Text)),
        bindparam("revisions", [revision for _, revision in revisions], type_=ARRAY(BigInteger)),
    )
    keys = asked.table_valued("claim_id", "revision").render_derived()
    rows = connection.execute(
        select(decision.c.claim_id, decision.c.revision, func.encode(func.sha256(decision.c.value), "hex")).join(
            keys, and_(decision.c.claim_id == keys.c.claim_id, decision.c.revision == keys.c.revision)
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}


def instructions(connection: Connection, payout_ids: Collection[str]) -> dict[str, Ordered]:
    """Payout instructions by their ids."""
    instruction = tables.instructions
    wanted = func.any(bindparam("ids", list(payout_ids), type_=ARRAY(Text)))
    rows = connection.execute(
        select(*(instruction.c[name] for name in Ordered._fields)).where(instruction.c.payout_id == wanted)
    )
    return {row.payout_id: Ordered(*row)._replace(value=bytes(row.value)) for row in rows}


def policy_hashes(connection: Connection) -> dict[str, str]:
    """SHA-256 of the texts of the published policies, by the policies' own canonical hashes."""
    return _text_hashes(connection, tables.policies)


def treaty_hashes(connection: Connection) -> dict[str, str]:
    """SHA-256 of the texts of the published treaties, by the treaties' own canonical hashes."""
    return _text_hashes(connection, tables.treaties)


def watches_hashes(connection: Connection) -> dict[str, str]:
    """SHA-256 of the texts of the published files of watches, by their own canonical hashes."""
    return _text_hashes(connection, tables.watches)


def _text_hashes(connection: Connection, table: Table) -> dict[str, str]:
    text = func.encode(func.sha256(func.convert_to(table.c.source_text, "UTF8")), "hex")
    return {row[0]: row[1] for row in connection.execute(select(table.c.sha256, text))}


def counts(connection: Connection) -> dict[str, int]:
    """How many events, decisions and instructions there are: each must have its audit entry."""
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in (tables.events, tables.decisions, tables.instructions)
    }


def unaudited(connection: Connection, table: str, limit: int = 3) -> list[str]:
    """Names of some events, decisions or instructions that no audit entry of their event names."""
    kind, name = {
        "events": (None, tables.events.c.event_no),
        "decisions": (AuditKind.CLAIM_DECIDED, tables.decisions.c.claim_id),
        "instructions": (AuditKind.PAYOUT_INSTRUCTED, tables.instructions.c.payout_id),
    }[table]
    entry = tables.audit_entries
    audited = select(entry.c.seq).where(entry.c.event_no == name.table.c.event_no)
    if kind is not None:
        named = func.strpos(func.convert_from(entry.c.value, "UTF8"), name) > 0
        audited = audited.where(entry.c.kind == kind, named)
    return [str(item) for item in connection.scalars(select(name).where(~audited.exists()).order_by(name).limit(limit))]


def about_payout(connection: Connection, payout_id: str) -> tuple[list[bytes], bytes] | None:
    """The audit entries of the event that instructed a payout, and the instruction; None if there is no such payout.

    The payout's own entry is the one whose subject names it.
    """
    instruction, entry, claim = tables.instructions, tables.audit_entries, tables.claims
    row = connection.execute(
        select(instruction.c.event_no, instruction.c.value, claim.c.shard)
        .join(claim, claim.c.claim_id == instruction.c.claim_id)
        .where(instruction.c.payout_id == payout_id)
    ).one_or_none()
    if row is None:
        return None
    first, end = (select(func.first_audit_entry(row.shard, row.event_no + n)).scalar_subquery() for n in (0, 1))
    instructed = connection.scalars(
        select(entry.c.value).where(
            entry.c.shard == row.shard,
            entry.c.seq >= first,
            entry.c.seq < end,
            entry.c.kind == AuditKind.PAYOUT_INSTRUCTED,
        )
    )
    return [bytes(value) for value in instructed], bytes(row.value)


def _checkpoint(row: object) -> CheckpointRow:
    checkpoint = CheckpointRow(*row)  # type: ignore[misc]
    return checkpoint._replace(frontier=bytes(checkpoint.frontier))
