"""Issued statements, read: as they were issued, and with the lines that the ledger gives for them today."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from acts.four_eyes import Unusable
from acts.published_treaties import published_treaties
from acts.statement_lines import NewLine, each_line
from handlers.treaties.statements import MonthLines
from infra.ledger import statement_rows
from schemas.bilingual import Saying
from schemas.bordereau import StatementIssued
from schemas.treaty.treaty_model import Treaty


class NoSuchStatement(Unusable):
    """No statement of that id was issued."""


def issued_statements(
    connection: Connection, treaty_id: str | None = None, insurer: str | None = None
) -> list[StatementIssued]:
    """The issued statements, of one treaty or insurer or of all, by treaty and month."""
    rows = statement_rows.listed(connection, treaty_id, insurer)
    return [StatementIssued.model_validate_json(row.value) for row in rows]


def issued_statement(connection: Connection, statement_id: str) -> StatementIssued:
    """A statement as it was issued. Raises NoSuchStatement."""
    row = statement_rows.find(connection, statement_id)
    if row is None:
        raise NoSuchStatement(
            Saying(
                f"没有签发过对账单 {statement_id};`huzhu statements list` 列出已签发的对账单。",
                f"No statement {statement_id} was issued; `huzhu statements list` lists those that were.",
            )
        )
    return StatementIssued.model_validate_json(row.value)


def lines_again(connection: Connection, statement: StatementIssued, lines: MonthLines) -> Iterator[NewLine]:
    """The lines of an issued statement, made again from the ledger; ``lines`` counts and hashes them."""
    yield from each_line(connection, _treaty(connection, statement), statement.month, lines)


def differs(statement: StatementIssued, lines: MonthLines) -> bool:
    """Whether the lines that were made again are other ones than those that were issued."""
    return (statement.lines, statement.lines_sha256) != (lines.count, lines.sha256)


def _treaty(connection: Connection, statement: StatementIssued) -> Treaty:
    return next(each for each in published_treaties(connection).releases if each.id == statement.treaty_id)
