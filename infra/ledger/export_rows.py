"""The rows of an export, read with a server-side cursor, so that a million rows need the memory of a few thousand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)

from infra.ledger import claim_list, payout_list, tables
from infra.ledger.console_tables import digest_open, digest_refused
from infra.ledger.list_tables import digest_claim_list, digest_payout_list
from infra.ledger.payout_list import ListedState
from infra.ledger.row_filter import Filter

CHUNK = 5000
_SHANGHAI = timezone(timedelta(hours=8))


@contextmanager
def rows_of(engine: Engine, what: str, selection: Filter) -> Iterator[Iterator[Sequence[Any]]]:
    """The rows of `claims`, `payouts`, `open` ones or `refused`, all as of one moment, in a fixed order."""
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield _rows(connection, _STATEMENTS[what](selection))


def _rows(connection: Connection, statement: Select[Any]) -> Iterator[Sequence[Any]]:
    for part in connection.execute(statement, execution_options={"yield_per": CHUNK}).partitions():
        yield from part


def _claims(selection: Filter) -> Select[Any]:
    claim = tables.claims
    names = (
        "claim_id", "person_id", "status", "revision", "discharged_on", "policy_sha256", "personal_burden",
        "total_benefit", "patient_pays",
    )  # fmt: skip
    statement = select(*(claim.c[name] for name in names))
    if selection.needs_list:
        listed = select(digest_claim_list.c.claim_id).where(*claim_list.conditions(selection))
        return statement.where(claim.c.claim_id.in_(listed)).order_by(claim.c.claim_id)
    if selection.since is not None:
        statement = statement.where(claim.c.discharged_on >= selection.since)
    if selection.until is not None:
        statement = statement.where(claim.c.discharged_on < selection.until)
    if selection.status:
        statement = statement.where(claim.c.status == selection.status)
    if selection.scheme:
        benefit = tables.benefits
        has = select(benefit.c.claim_id).where(
            benefit.c.claim_id == claim.c.claim_id, benefit.c.scheme_id == selection.scheme, benefit.c.benefit > 0
        )
        statement = statement.where(has.exists())
    return statement.order_by(claim.c.claim_id)


def _payouts(selection: Filter) -> Select[Any]:
    """A payout with what its lines in the list come to, where only they say which part a filter leaves."""
    order, event, reported = tables.instructions, tables.events, tables.payout_states
    state = case(
        (or_(order.c.reversal_of.is_not(None), order.c.set_off_of.is_not(None)), literal("book")),
        else_=func.coalesce(reported.c.state, literal("instructed")),
    )
    line = digest_payout_list
    listed = (
        select(line.c.payout_id, cast(func.sum(line.c.amount), BigInteger).label("amount"))
        .where(*payout_list.conditions(selection))
        .group_by(line.c.payout_id)
        .subquery()
    )
    amount = listed.c.amount if selection.needs_list else order.c.amount
    signed = case((order.c.kind == "payment", amount), else_=-amount)
    statement = (
        select(
            order.c.payout_id,
            order.c.claim_id,
            order.c.person_id,
            order.c.scheme_id,
            order.c.revision,
            order.c.kind,
            signed,
            event.c.recorded_at,
            state,
            reported.c.reported_at,
            reported.c.reference,
            order.c.payee_id,
            order.c.payer,
            order.c.treaty_id,
        )
        .join(event, event.c.event_no == order.c.event_no)
        .outerjoin(reported, and_(reported.c.payout_id == order.c.payout_id, reported.c.person_id == order.c.person_id))
    )
    if selection.needs_list:
        statement = statement.join(listed, listed.c.payout_id == order.c.payout_id)
    else:
        statement = statement.where(*_instructed(selection, state))
    return statement.order_by(order.c.event_no, order.c.claim_id, order.c.scheme_id, order.c.revision, order.c.payee_id)


def _instructed(selection: Filter, state: ColumnElement[str]) -> Iterator[ColumnElement[bool]]:
    order, event = tables.instructions, tables.events
    if selection.since is not None:
        yield event.c.recorded_at >= _midnight(selection.since)
    if selection.until is not None:
        yield event.c.recorded_at < _midnight(selection.until)
    if selection.status:
        yield state.in_(ListedState(selection.status).states)
    if selection.scheme:
        yield order.c.scheme_id == selection.scheme


def _open(selection: Filter) -> Select[Any]:
    line, order = digest_open, tables.instructions
    signed = case((line.c.kind == "payment", line.c.amount), else_=-line.c.amount)
    statement = select(
        line.c.payout_id, order.c.claim_id, order.c.person_id, order.c.scheme_id, line.c.kind, signed, line.c.day,
        line.c.payer, line.c.payee_id, order.c.treaty_id,
    ).join(order, order.c.payout_id == line.c.payout_id)  # fmt: skip
    if selection.since is not None:
        statement = statement.where(line.c.day >= selection.since)
    if selection.until is not None:
        statement = statement.where(line.c.day < selection.until)
    if selection.status:
        statement = statement.where(line.c.kind == selection.status)
    if selection.scheme:
        statement = statement.where(order.c.scheme_id == selection.scheme)
    return statement.order_by(line.c.day, line.c.event_no, line.c.payout_id)


def _refused(selection: Filter) -> Select[Any]:
    line, event = digest_refused, tables.events
    statement = select(
        line.c.event_no, line.c.code, line.c.facility_id, line.c.event_type, line.c.recorded_at, event.c.topic,
        event.c.partition, event.c.offset,
    ).join(event, event.c.event_no == line.c.event_no)  # fmt: skip
    if selection.since is not None:
        statement = statement.where(line.c.recorded_at >= _midnight(selection.since))
    if selection.until is not None:
        statement = statement.where(line.c.recorded_at < _midnight(selection.until))
    if selection.status:
        statement = statement.where(line.c.code == selection.status)
    return statement.order_by(line.c.event_no)


_STATEMENTS = {"claims": _claims, "payouts": _payouts, "open": _open, "refused": _refused}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), _SHANGHAI)
