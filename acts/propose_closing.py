"""Closing a month of the books: one operator proposes, another one approves or rejects.

In the audit log a proposal and its rejection have the kinds of those about refused events, with ``month`` in the
subject.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from acts.close_month import MonthClosed, check_closing, close_month
from acts.four_eyes import TooLate, to_decide
from acts.record_operator_acts import record_operator_acts
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.ledger import clearing_proposals
from infra.ledger.clearing_proposals import ClearingProposal
from schemas.access.console_rights import ConsoleAct
from schemas.bilingual import Saying
from schemas.clearing_acts import ClearingAct
from schemas.months import format_month
from schemas.outbound import AuditKind


def propose_closing(connection: Connection, month: date, reason: str, operator: str, now: Clock) -> int:
    """Proposes to close a month; returns the proposal's number.

    Raises NotClosable if that could not be approved as things are now, and TooLate when a proposal is open already.
    """
    check_closing(connection, month, now())
    said = mask_text(reason)
    number = clearing_proposals.propose(connection, ClearingAct.CLOSING, "", month, said, operator, now())
    if number is None:
        raise TooLate(Saying("已有一项月结在等待批准。", "The closing of a month is already waiting for approval."))
    _record(connection, now, AuditKind.REPLAY_PROPOSED, month, number, said, operator)
    return number


def approve_closing(
    connection: Connection, proposal_no: int, operator: str, shard_count: int, now: Clock
) -> MonthClosed:
    """A second operator approves: the month is closed as it is now, and the proposal too.

    Raises NoProposal, TooLate, OwnProposal and NotClosable.
    """
    proposal, month = _to_decide(connection, proposal_no, operator)
    reason = f"{proposal.reason} (proposed by {proposal.proposed_by}, approved by {operator})".strip()
    done = close_month(connection, month, operator, shard_count, now, reason)
    clearing_proposals.decide(connection, proposal_no, operator, "approved", now())
    return done


def reject_closing(
    connection: Connection, proposal_no: int, reason: str, operator: str, now: Clock
) -> ClearingProposal:
    """A second operator rejects; another proposal can be made. Raises NoProposal, TooLate and OwnProposal."""
    proposal, month = _to_decide(connection, proposal_no, operator)
    _record(connection, now, AuditKind.REPLAY_REJECTED, month, proposal_no, mask_text(reason), operator)
    clearing_proposals.decide(connection, proposal_no, operator, "rejected", now())
    return proposal


def _to_decide(connection: Connection, proposal_no: int, operator: str) -> tuple[ClearingProposal, date]:
    found = clearing_proposals.find(connection, proposal_no)
    closing = None if found is None or found.act is not ClearingAct.CLOSING else found
    proposal = to_decide(connection, closing, proposal_no, operator)
    assert proposal.month is not None, "a closing is of a month"
    return proposal, proposal.month


def _record(
    connection: Connection, now: Clock, kind: AuditKind, month: date, number: int, reason: str, operator: str
) -> None:
    subject = {"month": format_month(month), "proposal": str(number), "reason": reason}
    record_operator_acts(connection, now, [ConsoleAct(kind.value, operator, subject)])
