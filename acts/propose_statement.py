"""Issuing the statements of a month: one operator proposes, another one approves or rejects.

In the audit log a proposal and its rejection have the kinds of those about refused events, with ``treaty_id`` and
``month`` in the subject: a reader of the released contract knows no others.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from acts.four_eyes import NoProposal, TooLate, to_decide
from acts.issue_statements import NextMonth, issuable, issue_statements
from acts.record_operator_acts import record_operator_acts
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.ledger import clearing_proposals
from infra.ledger.clearing_proposals import ClearingProposal
from schemas.access.console_rights import ConsoleAct
from schemas.bilingual import Saying
from schemas.bordereau import StatementIssued
from schemas.clearing_acts import ClearingAct
from schemas.months import format_month
from schemas.outbound import AuditKind


def propose_statement(
    connection: Connection, treaty_id: str, month: date, reason: str, operator: str, now: Clock
) -> tuple[int, NextMonth]:
    """Proposes to issue a month; returns the proposal's number and the month.

    Raises NotIssuable if that could not be approved as things are now, and TooLate when a proposal for the treaty is
    open already.
    """
    due = issuable(connection, treaty_id, month, now())
    reason = mask_text(reason)
    proposal_no = clearing_proposals.propose(
        connection, ClearingAct.STATEMENT, treaty_id, month, reason, operator, now()
    )
    if proposal_no is None:
        raise TooLate(
            Saying(
                f"{treaty_id} 的对账单已有提议在等待批准。",
                f"A proposal about the statements of {treaty_id} is already waiting for approval.",
            )
        )
    subject = {"treaty_id": treaty_id, "month": format_month(month), "proposal": str(proposal_no), "reason": reason}
    record_operator_acts(connection, now, [ConsoleAct(AuditKind.REPLAY_PROPOSED.value, operator, subject)])
    return proposal_no, due


def approve_statement(
    connection: Connection, proposal_no: int, operator: str, shard_count: int, now: Clock
) -> list[StatementIssued]:
    """A second operator approves: the statements are issued, and the proposal is closed.

    Raises NoProposal, TooLate, OwnProposal and NotIssuable.
    """
    proposal, month = _to_decide(connection, proposal_no, operator)
    reason = f"{proposal.reason} (proposed by {proposal.proposed_by}, approved by {operator})"
    made = issue_statements(connection, proposal.subject, month, operator, shard_count, now, reason)
    clearing_proposals.decide(connection, proposal_no, operator, "approved", now())
    return made


def reject_statement(
    connection: Connection, proposal_no: int, reason: str, operator: str, now: Clock
) -> ClearingProposal:
    """A second operator rejects; another proposal can be made. Raises NoProposal, TooLate and OwnProposal."""
    proposal, month = _to_decide(connection, proposal_no, operator)
    subject = {"treaty_id": proposal.subject, "month": format_month(month), "proposal": str(proposal_no)}
    subject |= {"reason": mask_text(reason)}
    record_operator_acts(connection, now, [ConsoleAct(AuditKind.REPLAY_REJECTED.value, operator, subject)])
    clearing_proposals.decide(connection, proposal_no, operator, "rejected", now())
    return proposal


def _to_decide(connection: Connection, proposal_no: int, operator: str) -> tuple[ClearingProposal, date]:
    found = clearing_proposals.find(connection, proposal_no)
    if found is not None and (found.act is not ClearingAct.STATEMENT or found.month is None):
        raise NoProposal(
            Saying(f"提议 {proposal_no} 不是关于对账单的。", f"Proposal {proposal_no} is not about statements.")
        )
    proposal = to_decide(connection, found, proposal_no, operator)
    assert proposal.month is not None
    return proposal, proposal.month
