"""Writing what a batch decided: everything or nothing, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from psycopg.errors import UniqueViolation
from sqlalchemy import BigInteger, Connection, Sequence, bindparam, func, select, update

from infra.ledger import alert_rows, pool_rows, tables
from infra.ledger.bulk import copy_rows, merge_rows
from infra.ledger.clearing_tables import postings, settled_recoveries
from infra.ledger.day_tables import closed_days
from infra.ledger.group_tables import group_work, invoices, memberships, shared_invoices
from infra.ledger.outbox_batch import in_batches, packed, traceparents_of
from infra.ledger.pool_tables import pool_work, pools
from schemas.closed_days import ClosedDay
from schemas.pool_records import PoolRow, PoolWork
from schemas.records import (
    AuditRow,
    BenefitRow,
    ClaimRow,
    DecisionRow,
    EventRow,
    FacilityRow,
    FactRow,
    GroupWork,
    InstructionRow,
    InvoiceRow,
    MembershipRow,
    Outcome,
    PayoutStateRow,
    Posting,
    RefusalRow,
    SettledRecovery,
    ShardState,
    SharedInvoiceRow,
    SubjectRow,
)

_ENDS = ("shard", "audit_seq", "audit_hash", "outbox_seq", "redated")
_BATCH = ("shard", "first_seq", "last_seq", "messages", "traceparents")
_EVENT_NUMBERS = Sequence("events_event_no_seq", data_type=BigInteger)


_LEFT = (
    update(settled_recoveries)
    .where(settled_recoveries.c.payout_id == bindparam("of"))
    .values(left=bindparam("now", type_=BigInteger))
)

OUTBOX_NOTICE = "huzhu_outbox"
"""Channel on which a commit tells the relay which shards (comma-separated) have new messages."""


class Contended(Exception):
    """Another shard bound one of the batch's new ids, or named an invoice, first: read again and decide again."""


def record(
    connection: Connection, outcome: Outcome, shards: Mapping[int, ShardState], before: list[int] | None = None
) -> list[int]:
    """Writes an outcome and moves the shards' sequences to their new ends. Returns the ledger's numbers of its events.

    ``before`` are the numbers of events that were recorded earlier in the same transaction and come first.

    Ids are bound first, and invoices named: of two shards that meet over one the later one waits here, is told so by
    Contended, and numbers its events after the other's. So the ledger's order is an order in which everything can be
    replayed.
    """
    if outcome.subjects:
        bound = merge_rows(connection, tables.subjects, SubjectRow._fields, outcome.subjects, update=False)
        if bound < len(outcome.subjects):
            raise Contended(f"{len(outcome.subjects) - bound} ids were bound by another shard meanwhile")
    if outcome.invoices:
        named = merge_rows(connection, invoices, InvoiceRow._fields, outcome.invoices, update=False)
        if named < len(outcome.invoices):
            raise Contended(f"{len(outcome.invoices) - named} invoices were named by another shard meanwhile")
    merge_rows(connection, shared_invoices, SharedInvoiceRow._fields, outcome.shared_invoices, update=False)
    numbers = [*(before or ()), *_number(connection, len(outcome.events))]
    _append(connection, tables.events, EventRow, outcome.events, numbers)
    try:
        _append(connection, tables.facts, FactRow, outcome.facts, numbers)
    except UniqueViolation:
        # Reports of one payout under two persons: two shards gave their reports the same number.
        raise Contended("another shard accepted an event under the same id meanwhile") from None
    merge_rows(connection, memberships, MembershipRow._fields, list(outcome.memberships.values()), update=True)
    _append(connection, group_work, GroupWork, outcome.group_work, numbers)
    if outcome.pools or outcome.contributions:
        merge_rows(connection, pools, PoolRow._fields, list(outcome.pools.values()), update=True)
        pool_rows.keep_contributions(connection, list(outcome.contributions.values()))
    _append(connection, pool_work, PoolWork, outcome.pool_work, numbers)
    _append(connection, closed_days, ClosedDay, outcome.closed_days, numbers)
    _append(connection, tables.refusals, RefusalRow, outcome.refusals, numbers)
    merge_rows(connection, tables.claims, ClaimRow._fields, list(outcome.claims.values()), update=True)
    _append(connection, tables.decisions, DecisionRow, outcome.decisions, numbers)
    merge_rows(connection, tables.benefits, BenefitRow._fields, list(outcome.benefits.values()), update=True)
    merge_rows(connection, tables.facility_shares, FacilityRow._fields, list(outcome.facilities.values()), update=True)
    _append(connection, tables.instructions, InstructionRow, outcome.instructions, numbers)
    _append(connection, postings, Posting, outcome.postings, numbers)
    _append(connection, settled_recoveries, SettledRecovery, outcome.settled, numbers)
    if outcome.set_off_left:
        left = [{"of": payout_id, "now": left} for payout_id, left in outcome.set_off_left.items()]
        connection.execute(_LEFT, left)
    states = list(outcome.payout_states.values())
    merge_rows(connection, tables.payout_states, PayoutStateRow._fields, states, update=True)
    alert_rows.keep(connection, outcome.alerts, numbers)
    _append(connection, tables.audit_entries, AuditRow, outcome.audit, numbers)
    if outcome.outbox:
        batches = (
            (each[0].shard, each[0].seq, each[-1].seq, packed(each), traceparents_of(each))
            for each in in_batches(outcome.outbox)
        )
        copy_rows(connection, tables.outbox_batches, _BATCH, batches)
        rung = ",".join(str(shard) for shard in sorted({row.shard for row in outcome.outbox}))
        connection.execute(select(func.pg_notify(OUTBOX_NOTICE, rung)))
    ends = [[getattr(state, name) for name in _ENDS] for state in shards.values()]
    merge_rows(connection, tables.shards, _ENDS, ends, update=True)
    return numbers


def move_offsets(connection: Connection, ends: Mapping[tuple[str, int], int]) -> None:
    """Stores the first offsets not yet taken in."""
    rows = [(topic, partition, offset) for (topic, partition), offset in ends.items()]
    merge_rows(connection, tables.offsets, ("topic", "partition", "next_offset"), rows, update=True)


def _number(connection: Connection, count: int) -> list[int]:
    many = select(_EVENT_NUMBERS.next_value()).select_from(func.generate_series(1, count))
    return list(connection.scalars(many)) if count else []


def _append(
    connection: Connection, table: Any, row_type: type[NamedTuple], rows: list[Any], numbers: list[int]
) -> None:
    """Copies rows, with the batch's own ``number`` of an event turned into the ledger's ``event_no``."""
    if not rows:
        return
    place = row_type._fields.index("number")
    columns = [*row_type._fields[:place], "event_no", *row_type._fields[place + 1 :]]
    copy_rows(connection, table, columns, ((*row[:place], numbers[row[place]], *row[place + 1 :]) for row in rows))
