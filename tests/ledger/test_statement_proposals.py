"""Four eyes for statements: one operator proposes a month, another one approves or rejects it."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from acts.four_eyes import NoProposal, OwnProposal, TooLate
from acts.issue_statements import NotIssuable
from acts.propose_statement import approve_statement, propose_statement, reject_statement
from infra.ledger import clearing_proposals
from schemas.clearing_acts import ClearingAct
from schemas.months import parse_month
from tests.support.builders import SHARDS
from tests.support.ledgers import contents
from tests.support.replayed import assert_replays
from tests.support.stated_town import StatedTown

JANUARY = parse_month("2025-01")


@pytest.fixture
def town(ledger: Engine) -> StatedTown:
    """January has ended."""
    town = StatedTown(ledger)
    town.set("2025-02-03T09:00:00+08:00")
    return town


def proposed(town: StatedTown, month: str = "2025-01") -> int:
    with town.ledger.begin() as connection:
        return propose_statement(connection, "t1", parse_month(month), "month end", "li.na", town.clock)[0]


def test_a_second_operator_issues_what_the_first_one_proposed(town: StatedTown) -> None:
    """Whoever proposed cannot; the statements name nobody, the audit log both; and the proposal is closed."""
    number = proposed(town)
    with pytest.raises(OwnProposal), town.ledger.begin() as connection:
        approve_statement(connection, number, "Li.Na", SHARDS, town.clock)
    assert [] == town.rows()
    with town.ledger.begin() as connection:
        made = approve_statement(connection, number, "wang.wei", SHARDS, town.clock)
    assert (3, 3) == (len(made), len(town.rows()))
    with pytest.raises(TooLate), town.ledger.begin() as connection:
        approve_statement(connection, number, "wang.wei", SHARDS, town.clock)
    journal = assert_replays(town.ledger)
    (entry,) = [value for value in journal.audit.values() if b'"statement.issued"' in value]
    assert b"month end (proposed by li.na, approved by wang.wei)" in entry
    assert b"operator:wang.wei" in entry


def test_a_rejected_month_can_be_proposed_again(town: StatedTown) -> None:
    """Only one proposal of a treaty waits at a time."""
    number = proposed(town)
    with pytest.raises(TooLate):
        proposed(town)
    with town.ledger.begin() as connection:
        reject_statement(connection, number, "a report is missing", "wang.wei", town.clock)
        assert [] == clearing_proposals.waiting(connection, ClearingAct.STATEMENT)
    assert [] == town.rows()
    assert number != proposed(town)
    assert_replays(town.ledger)


def test_what_could_not_be_issued_is_not_proposed(town: StatedTown) -> None:
    """Nor approved, if it was issued meanwhile; and a proposal about something else is no statement's."""
    before = contents(town.ledger)
    for month in ("2025-02", "2024-12"):
        with pytest.raises(NotIssuable):
            proposed(town, month)
    assert before == contents(town.ledger)
    number = proposed(town)
    town.issue("2025-01")
    with pytest.raises(NotIssuable), town.ledger.begin() as connection:
        approve_statement(connection, number, "wang.wei", SHARDS, town.clock)
    with town.ledger.begin() as connection:
        other = clearing_proposals.propose(connection, ClearingAct.CLOSING, "", JANUARY, "why", "li.na", town.now)
        assert other is not None
        for wrong in (other, 99):
            with pytest.raises(NoProposal):
                reject_statement(connection, wrong, "no", "wang.wei", town.clock)
