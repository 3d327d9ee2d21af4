"""Proposals about statements, the books and recoveries, as the ledger keeps them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from infra.ledger import clearing_proposals
from schemas.clearing_acts import ClearingAct

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_one_proposal_waits_for_each_act_and_subject_until_somebody_else_decides(ledger: Engine) -> None:
    """A second one for the same act and subject is None until the first is decided; the proposer is not counted."""
    with ledger.begin() as connection:

        def propose(act: ClearingAct, subject: str, month: date | None = None) -> int | None:
            return clearing_proposals.propose(connection, act, subject, month, "why", "Li.Na", NOW)

        first = propose(ClearingAct.STATEMENT, "T-1", date(2024, 3, 1))
        assert propose(ClearingAct.STATEMENT, "T-1", date(2024, 4, 1)) is None
        others = [propose(ClearingAct.SET_OFF, "T-1"), propose(ClearingAct.CLOSING, "", date(2024, 3, 1))]
        assert first is not None
        assert None not in others
        assert [first, *others] == [each.proposal_no for each in clearing_proposals.waiting(connection)]
        (statement,) = clearing_proposals.waiting(connection, ClearingAct.STATEMENT)
        assert (ClearingAct.STATEMENT, "T-1", date(2024, 3, 1), "Li.Na", None) == (
            statement.act,
            statement.subject,
            statement.month,
            statement.proposed_by,
            statement.decision,
        )
        assert (0, 3) == tuple(clearing_proposals.awaiting(connection, user) for user in ("li.na", "wang.wei"))
        clearing_proposals.decide(connection, first, "wang.wei", "approved", NOW)
        found = clearing_proposals.find(connection, first)
        assert found is not None
        assert ("approved", "wang.wei") == (found.decision, found.decided_by)
        assert clearing_proposals.find(connection, 99) is None
        assert propose(ClearingAct.STATEMENT, "T-1", date(2024, 4, 1)) is not None


def test_nobody_decides_about_an_own_proposal(ledger: Engine) -> None:
    """The database refuses the proposer's name."""
    with ledger.begin() as connection:
        number = clearing_proposals.propose(connection, ClearingAct.WAIVER, "PO-1", None, "why", "li.na", NOW)
    assert number is not None
    with pytest.raises(IntegrityError, match="clearing_proposals_four_eyes"), ledger.begin() as connection:
        clearing_proposals.decide(connection, number, "li.na", "approved", NOW)
