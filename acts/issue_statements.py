"""Issuing the statements of a treaty's month: one for each insurer, once, after the month ended, in order."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from acts.audit_roots import GrowingRoots
from acts.four_eyes import Unusable
from acts.ledger_act import ledger_act
from acts.published_treaties import published_treaties
from acts.statement_lines import month_lines
from handlers.treaties import statements
from infra.clock import Clock
from infra.ledger import reads, statement_rows
from infra.sharding import shard_of
from schemas.bilingual import Saying
from schemas.bordereau import StatementIssued
from schemas.dates import format_instant, shanghai_date
from schemas.money import parse_yuan
from schemas.months import format_month, month_end, months_between, next_month
from schemas.treaty.treaty_model import Treaty


class NotIssuable(Unusable):
    """Statements that cannot be issued: an unknown treaty, or a month that is not the next one or has not ended."""


class NextMonth(NamedTuple):
    """The month of a treaty that is issued next, its number, and what the treaty paid in all months before, in fen."""

    treaty: Treaty
    month: date
    number: int
    cum_before: int


def issue_statements(
    connection: Connection, treaty_id: str, month: date, operator: str, shard_count: int, now: Clock, reason: str = ""
) -> list[StatementIssued]:
    """Issues the statements of a treaty for a month in the name of an operator.

    Lines and audit trees are made before the shards are locked; under the locks only what came meanwhile is looked at.
    From then on nothing is recorded in the month, whatever a clock says. Raises NotIssuable; then nothing is written.
    """
    treaty = issuable(connection, treaty_id, month, now()).treaty
    roots = GrowingRoots(connection)
    lines = month_lines(connection, treaty, month)
    with ledger_act(connection, range(shard_count), now) as journal:
        due = issuable(connection, treaty_id, month, journal.recorded_at)
        came = roots.finish(journal.shards)
        if came is not None and came < month_end(month):  # it was about to be recorded when the month ended
            lines = month_lines(connection, treaty, month)
        place = (due.number, due.cum_before, lines, roots.audited(), journal.occurred_at)
        made = statements.statements_of(treaty, month, *place)
        to = {each: shard_of(each, shard_count) for each in treaty.insurers}
        number, rows = statements.issue(journal, treaty, made, lines, operator, to, journal.write, reason)
        journal.write()
        statement_rows.add(connection, rows, journal.numbers[number])
        reads.end_month(connection, month_end(month))
    return made


def preview_statements(connection: Connection, treaty_id: str, month: date, now: Clock) -> StatementIssued:
    """What the lead's statement would say if it were issued now, without the audit log; writes and locks nothing.

    Raises NotIssuable.
    """
    due = issuable(connection, treaty_id, month, now())
    lines = month_lines(connection, due.treaty, month, kept=False)
    return statements.statements_of(due.treaty, month, due.number, due.cum_before, lines, [], format_instant(now()))[0]


def issuable(connection: Connection, treaty_id: str, month: date, at: datetime) -> NextMonth:
    """The treaty's next month, if ``month`` is that and has ended; locks nothing. Raises NotIssuable."""
    due, wanted = next_due(connection, treaty_id), format_month(month)
    named = format_month(due.month)
    if month < due.month and months_between(month, due.month) < due.number:
        raise NotIssuable(
            Saying(
                f"{treaty_id} 的 {wanted} 对账单已经签发过,不会改变;下一个月份是 {named}。",
                f"The statements of {treaty_id} for {wanted} were issued before and never change; "
                f"the next month is {named}.",
            )
        )
    if month < due.month:
        raise NotIssuable(
            Saying(
                f"{treaty_id} 的对账单从 {named} 开始,{wanted} 还不在其内。",
                f"The statements of {treaty_id} begin with {named}; {wanted} is before that.",
            )
        )
    if month > due.month:
        raise NotIssuable(
            Saying(
                f"对账单按月依次签发,不能跳过:{treaty_id} 下一个要签发的月份是 {named},不是 {wanted}。",
                f"Statements are issued month by month without a gap: the next month of {treaty_id} is {named}, "
                f"not {wanted}.",
            )
        )
    if at < month_end(month):
        raise NotIssuable(
            Saying(
                f"{wanted} 还没有结束(北京时间);对账单在月末以后签发。",
                f"{wanted} has not ended yet in Shanghai; statements are issued after the end of the month.",
            )
        )
    return due


def next_due(connection: Connection, treaty_id: str) -> NextMonth:
    """The month of a treaty that comes next, whether or not it has ended. Raises NotIssuable for an unknown treaty."""
    treaty = next((each for each in published_treaties(connection).releases if each.id == treaty_id), None)
    published = statement_rows.published_at(connection, treaty_id)
    if treaty is None or published is None:
        raise NotIssuable(
            Saying(
                f"没有公布过协议 {treaty_id};`huzhu treaty show` 列出已公布的协议。",
                f"No treaty {treaty_id} is published; `huzhu treaty show` lists those that are.",
            )
        )
    last = statement_rows.last_of(connection, treaty_id)
    if last is not None:
        return NextMonth(treaty, next_month(last.month), last.number + 1, parse_yuan(json.loads(last.value)["cum"]))
    instructed = statement_rows.first_instructed_at(connection, treaty_id, treaty.lead)
    day = None if instructed is None else shanghai_date(instructed)
    return NextMonth(treaty, statements.first_month(treaty, shanghai_date(published), day), 1, 0)
