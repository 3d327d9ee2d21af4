"""Ordering a failed or returned payout again: one operator proposes, another one approves or rejects.

In the audit log a proposal and its rejection have the kinds of those about refused events, with ``payout_id`` in the
subject: a reader of the released contract knows no others.
"""

from __future__ import annotations

from sqlalchemy import Connection

from acts.four_eyes import TooLate, to_decide
from acts.record_operator_acts import record_operator_acts
from acts.reissue_payout import Reissued, check_reissue, reissue_payout
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.ledger import reissue_proposals
from infra.ledger.reissue_proposals import ReissueProposal
from schemas.access.console_rights import ConsoleAct
from schemas.bilingual import Saying
from schemas.outbound import AuditKind


def propose_reissue(
    connection: Connection, payout_id: str, reason: str, operator: str, shard_count: int, now: Clock
) -> tuple[int, int]:
    """Proposes to order a payout again; returns the proposal's number and the fen that would be ordered today.

    Raises NoSuchPayout and NotReissuable if that could not be approved as things are now, and TooLate when a
    proposal is open already.
    """
    amount = check_reissue(connection, payout_id, shard_count)
    proposal_no = reissue_proposals.propose(connection, payout_id, mask_text(reason), operator, now())
    if proposal_no is None:
        raise TooLate(
            Saying("这笔支付的重新下达已在等待批准。", "A reissue of this payout is already waiting for approval.")
        )
    subject = {"payout_id": payout_id, "proposal": str(proposal_no), "reason": mask_text(reason)}
    record_operator_acts(connection, now, [ConsoleAct(AuditKind.REPLAY_PROPOSED.value, operator, subject)])
    return proposal_no, amount


def approve_reissue(connection: Connection, proposal_no: int, operator: str, shard_count: int, now: Clock) -> Reissued:
    """A second operator approves: the payout is ordered again, as far as it is due now, and the proposal closed.

    Raises NoProposal, TooLate, OwnProposal and NotReissuable.
    """
    proposal = to_decide(connection, reissue_proposals.find(connection, proposal_no), proposal_no, operator)
    reason = f"{proposal.reason} (proposed by {proposal.proposed_by}, approved by {operator})"
    done = reissue_payout(connection, proposal.payout_id, operator, reason, shard_count, now)
    reissue_proposals.decide(connection, proposal_no, operator, "approved", now())
    return done


def reject_reissue(connection: Connection, proposal_no: int, reason: str, operator: str, now: Clock) -> ReissueProposal:
    """A second operator rejects; another proposal can be made. Raises NoProposal, TooLate and OwnProposal."""
    proposal = to_decide(connection, reissue_proposals.find(connection, proposal_no), proposal_no, operator)
    subject = {"payout_id": proposal.payout_id, "proposal": str(proposal_no), "reason": mask_text(reason)}
    record_operator_acts(connection, now, [ConsoleAct(AuditKind.REPLAY_REJECTED.value, operator, subject)])
    reissue_proposals.decide(connection, proposal_no, operator, "rejected", now())
    return proposal
