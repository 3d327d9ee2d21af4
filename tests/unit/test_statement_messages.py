"""Statements as messages: chunks of lines, then the statement; both are what their models say."""

from __future__ import annotations

import json
from datetime import date

import pytest

from handlers.treaties.statements import first_month, statement_id
from schemas.bordereau import LINES_MAX, StatementIssued, StatementLines
from schemas.canonical import canonical_json, sha256_hex
from schemas.contract.json_schema import OUTBOUND_TYPES
from schemas.treaty.treaty_file import parse_treaty
from tests.support.statement_messages import MONTH, statement_messages
from tests.support.treaties import shared_text


@pytest.mark.parametrize("count", [1, LINES_MAX, LINES_MAX + 1, 3 * LINES_MAX - 1])
def test_lines_come_in_chunks_before_their_statement(count: int) -> None:
    """At most 500 in a message, numbered on, the same for every insurer; their hash is the statement's."""
    for insurer in ("insurer-a", "insurer-b", "insurer-c"):
        own = [row.value for row in statement_messages(count) if row.key == insurer.encode()]
        chunks = [StatementLines.model_validate_json(value) for value in own[:-1]]
        issued = StatementIssued.model_validate_json(own[-1])
        assert -(-count // LINES_MAX) == len(chunks)
        lines = [line for chunk in chunks for line in chunk.lines]
        assert list(range(1, count + 1)) == [line.line for line in lines]
        assert [chunk.first_line for chunk in chunks] == [chunk.lines[0].line for chunk in chunks]
        assert insurer == issued.insurer
        assert {(insurer, issued.statement_id)} >= {(each.insurer, each.statement_id) for each in chunks}
        hashed = b"".join(canonical_json(line.model_dump(mode="json")) + b"\n" for line in lines)
        assert (count, 1, sha256_hex(hashed)) == (issued.lines, issued.reports, issued.lines_sha256)


def test_messages_are_what_their_models_write() -> None:
    """Byte for byte, though lines are written without their model."""
    for row in statement_messages():
        model = OUTBOUND_TYPES[json.loads(row.value)["event_type"]]
        assert row.value == canonical_json(model.model_validate_json(row.value).model_dump(mode="json"))


def test_a_report_is_in_no_sum() -> None:
    """Sums, and the totals by scheme and state, are of the month's instructions alone."""
    (issued,) = [
        StatementIssued.model_validate_json(row.value)
        for row in statement_messages()
        if row.key == b"insurer-c" and b"statement.issued" in row.value
    ]
    assert (-1, 40_000, 39_999) == (issued.net, issued.cum_before, issued.cum)
    assert [(2, -1)] == [(each.lines, each.net) for each in issued.by_scheme]
    assert [("instructed", 2, -1)] == [(each.state, each.lines, each.net) for each in issued.by_state]
    assert -1 == sum(each.part + each.cession for each in issued.parts)


def test_a_statement_has_its_own_id() -> None:
    """Of treaty, month and insurer, whenever it is issued."""
    names = {
        statement_id(treaty, month, insurer)
        for treaty in ("t1", "t2")
        for month in (MONTH, date(2025, 3, 1))
        for insurer in ("insurer-a", "insurer-b")
    }
    assert 8 == len(names)
    assert all(name.startswith("ST-") for name in names)


@pytest.mark.parametrize(
    ("published", "instructed", "first"),
    [
        ("2024-05-20", None, "2024-05-01"),
        ("2023-11-20", None, "2024-01-01"),
        ("2023-11-20", "2023-12-31", "2023-12-01"),
        ("2023-11-20", "2024-02-05", "2024-01-01"),
        ("2024-01-31", "2024-01-31", "2024-01-01"),
    ],
)
def test_the_first_month_is_that_of_publication_or_of_the_first_day(
    published: str, instructed: str | None, first: str
) -> None:
    """Whichever is later; unless something was instructed before."""
    treaty = parse_treaty(shared_text())
    day = None if instructed is None else date.fromisoformat(instructed)
    assert date.fromisoformat(first) == first_month(treaty, date.fromisoformat(published), day)
