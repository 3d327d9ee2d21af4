"""Issued statements as the ledger keeps them, and the rows of which their lines are made: all of them immutable."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Connection, Select, Text, and_, any_, bindparam, case, func, literal, select

from infra.ledger.bulk import copy_rows
from infra.ledger.clearing_tables import postings, statements
from infra.ledger.tables import events, facts, instructions, treaties
from schemas.accounts import expense
from schemas.bordereau import StatedPayout, StatementRow
from schemas.canonical import canonical_json, sha256_hex
from schemas.facts import Kind
from schemas.ids import PayoutId, PersonId
from schemas.months import format_month
from schemas.treaty.treaty_model import FUND

CHUNK = 2000
"""Rows read at once."""


class KeptReport(NamedTuple):
    """An accepted report: its payout and person, when it was recorded, the hash of its content, and its bytes."""

    payout_id: PayoutId
    person_id: PersonId
    recorded_at: datetime
    content_sha256: str
    value: bytes


_COLUMNS = [statements.c[name] for name in StatementRow._fields]
_IN_ORDER = (statements.c.treaty_id, statements.c.number, statements.c.event_no, statements.c.insurer)


def find(connection: Connection, statement_id: str) -> StatementRow | None:
    """A statement by its id."""
    row = connection.execute(select(*_COLUMNS).where(statements.c.statement_id == statement_id)).one_or_none()
    return None if row is None else _statement(row)


def issued_by(connection: Connection, event_no: int) -> list[StatementRow]:
    """The statements that one act issued."""
    return [_statement(row) for row in connection.execute(select(*_COLUMNS).where(statements.c.event_no == event_no))]


def last_of(connection: Connection, treaty_id: str) -> StatementRow | None:
    """One of the statements of the treaty's newest issued month."""
    query = select(*_COLUMNS).where(statements.c.treaty_id == treaty_id).order_by(statements.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _statement(row)


def listed(connection: Connection, treaty_id: str | None = None, insurer: str | None = None) -> list[StatementRow]:
    """Statements by treaty, then in the order of their numbers."""
    query = select(*_COLUMNS).order_by(*_IN_ORDER)
    if treaty_id is not None:
        query = query.where(statements.c.treaty_id == treaty_id)
    if insurer is not None:
        query = query.where(statements.c.insurer == insurer)
    return [_statement(row) for row in connection.execute(query)]


def add(connection: Connection, rows: Collection[StatementRow], event_no: int) -> None:
    """Keeps the statements that event ``event_no`` issued. The database refuses a month out of order."""
    copy_rows(connection, statements, (*StatementRow._fields, "event_no"), ((*row, event_no) for row in rows))


def kept_hashes(connection: Connection) -> dict[tuple[str, str], str]:
    """Of each treaty and month (2024-03) the SHA-256 over those of its statements by insurer, as the act has it."""
    digest = func.encode(func.sha256(statements.c.value), "hex")
    months: dict[tuple[str, str], dict[str, str]] = {}
    for row in connection.execute(select(statements.c.treaty_id, statements.c.month, statements.c.insurer, digest)):
        months.setdefault((row.treaty_id, format_month(row.month)), {})[row.insurer] = row[3]
    return {place: sha256_hex(canonical_json(hashes)) for place, hashes in months.items()}


def published_at(connection: Connection, treaty_id: str) -> datetime | None:
    """When a treaty was published; None if it was not."""
    found: datetime | None = connection.scalar(select(treaties.c.published_at).where(treaties.c.treaty_id == treaty_id))
    return found


def first_instructed_at(connection: Connection, treaty_id: str, lead: str) -> datetime | None:
    """When the first instruction of a treaty was recorded."""
    query = select(func.min(events.c.recorded_at)).join(instructions, instructions.c.event_no == events.c.event_no)
    found: datetime | None = connection.scalar(query.where(_of(treaty_id, lead)))
    return found


def instructed_in(
    connection: Connection, treaty_id: str, lead: str, start: datetime, end: datetime
) -> Iterator[list[StatedPayout]]:
    """The instructions of a treaty that were recorded in ``[start, end)``, in recorded order, some at a time."""
    order = instructions
    query = (
        _payouts(events.c.recorded_at)
        .where(_of(treaty_id, lead), events.c.recorded_at >= start, events.c.recorded_at < end)
        .order_by(order.c.event_no, order.c.payout_id.collate("C"))
    )
    return _in_chunks(connection, query)


def reported_in(
    connection: Connection, treaty_id: str, lead: str, start: datetime, end: datetime
) -> Iterator[list[StatedPayout]]:
    """Payouts of a treaty from before ``start`` that have a report recorded in ``[start, end)``.

    In the order in which the newest of these was recorded; ``recorded_at`` is its time.
    """
    order, told = instructions, events.alias("told")
    newest = (
        select(
            order.c.payout_id,
            func.max(told.c.event_no).label("event_no"),
            func.max(told.c.recorded_at).label("recorded_at"),
        )
        .join(
            facts,
            and_(
                facts.c.kind == Kind.PAYOUT,
                facts.c.subject_id == order.c.payout_id,
                facts.c.person_id == order.c.person_id,
            ),
        )
        .join(told, told.c.event_no == facts.c.event_no)
        .where(_of(treaty_id, lead), told.c.recorded_at >= start, told.c.recorded_at < end)
        .group_by(order.c.payout_id)
    ).subquery("newest")
    query = (
        _payouts(newest.c.recorded_at)
        .join(newest, newest.c.payout_id == order.c.payout_id)
        .where(events.c.recorded_at < start)
        .order_by(newest.c.event_no, order.c.payout_id.collate("C"))
    )
    return _in_chunks(connection, query)


def reports_of(connection: Connection, payout_ids: Collection[PayoutId]) -> list[KeptReport]:
    """The accepted reports of some payouts, whenever they were recorded, under whatever person."""
    query = (
        select(facts.c.subject_id, facts.c.person_id, events.c.recorded_at, facts.c.content_sha256, events.c.value)
        .join(events, events.c.event_no == facts.c.event_no)
        .where(
            facts.c.kind == Kind.PAYOUT,
            facts.c.subject_id == any_(bindparam("ids", list(payout_ids), type_=ARRAY(Text))),
        )
    )
    return [KeptReport(*row[:4], bytes(row.value)) for row in connection.execute(query)]


def _of(treaty_id: str, lead: str) -> Any:
    """The instructions of a treaty. Its lead pays all of them; the index knows payers."""
    return and_(instructions.c.payer == lead, instructions.c.treaty_id == treaty_id, instructions.c.payer != FUND)


def _payouts(recorded_at: Any) -> Select[Any]:
    """The columns of `StatedPayout`. The day of discharge is that of the instruction's own posting, which stays."""
    order, earlier, posting = instructions, instructions.alias("earlier"), postings
    before = (
        select(earlier.c.payout_id)
        .where(
            *(earlier.c[name] == order.c[name] for name in ("claim_id", "scheme_id", "payee_id", "treaty_id")),
            earlier.c.revision < order.c.revision,
        )
        .order_by(earlier.c.revision.desc())
        .limit(1)
        .scalar_subquery()
    )
    no_money = func.coalesce(order.c.reversal_of, order.c.set_off_of)  # as in the instruction that was published
    columns = [*(order.c[name] for name in StatedPayout._fields[:7]), no_money]
    follows = case((order.c.revision > 1, before))
    return (
        select(*columns, follows, order.c.value, posting.c.effective_on, recorded_at)
        .join(events, events.c.event_no == order.c.event_no)
        .join(
            posting,
            and_(
                posting.c.event_no == order.c.event_no,
                posting.c.reference == order.c.payout_id,
                posting.c.account == literal(expense("")) + order.c.scheme_id,
            ),
        )
    )


def _in_chunks(connection: Connection, query: Select[Any]) -> Iterator[list[StatedPayout]]:
    for part in connection.execute(query, execution_options={"yield_per": CHUNK}).partitions():
        yield [StatedPayout._make((*row[:9], bytes(row[9]), *row[10:])) for row in part]


def _statement(row: Any) -> StatementRow:
    return StatementRow._make((*row[:5], bytes(row[5])))
