"""Sending a refused event again, corrected or as it was: one operator proposes, another one approves or rejects."""

from __future__ import annotations

from sqlalchemy import Connection

from acts.four_eyes import NoProposal, TooLate, Unusable, to_decide
from acts.record_operator_acts import record_operator_acts
from acts.replay_refused import replay_refused
from handlers.claims.correction import why_not_corrected
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.ledger import proposals, refused_list
from infra.ledger.proposals import Proposal
from infra.ledger.refused_events import refused_events
from schemas.access.console_rights import ConsoleAct
from schemas.bilingual import Saying
from schemas.canonical import sha256_hex
from schemas.outbound import AuditKind
from schemas.refusals import RefusedState

_SENT_BEFORE = {
    RefusedState.SENT: Saying(
        "这个事件已经重发,正在等待账本接收,不必再发。",
        "This event was sent again already and is about to come in: there is nothing to send.",
    ),
    RefusedState.DONE: Saying(
        "这个事件已经重发,账本已接收,不必再发。",
        "This event was sent again and the ledger has it: nothing is left to do.",
    ),
    RefusedState.AGAIN: Saying(
        "这个事件重发后又被拒收。请处理新的那一条拒收事件。",
        "This event was sent again and refused again: the new refused event is the one to correct.",
    ),
}


def propose_replay(
    connection: Connection, number: int, value: bytes | None, reason: str, operator: str, now: Clock
) -> int:
    """Proposes to send a refused event again, as ``value`` or unchanged; returns the proposal's number.

    Raises NoProposal for an unknown number, Unusable for a correction that would be refused again or is another
    event, and TooLate when a proposal is open already or the event was sent again before.
    """
    events = refused_events(connection, numbers=[number])
    if not events:
        raise NoProposal(
            Saying(f"没有编号为 {number} 的拒收事件。", f"There is no refused event with the number {number}.")
        )
    answered = refused_list.answered(connection, number)
    if answered.state in _SENT_BEFORE:
        raise TooLate(_SENT_BEFORE[answered.state])
    was = bytes(events[0].value or b"")
    why = None if value is None else why_not_corrected(was, value, now())
    if why is not None:
        raise Unusable(why)
    proposal_no = proposals.propose(connection, number, value, mask_text(reason), operator, now())
    if proposal_no is None:
        raise TooLate(
            Saying("这个事件已有一个待批准的更正。", "A correction of this event is already waiting for approval.")
        )
    subject = {"refused_no": str(number), "proposal": str(proposal_no), "reason": mask_text(reason)}
    subject["content_sha256"] = sha256_hex(was if value is None else value)
    record_operator_acts(connection, now, [ConsoleAct(AuditKind.REPLAY_PROPOSED.value, operator, subject)])
    return proposal_no


def approve_replay(connection: Connection, proposal_no: int, operator: str, shard_count: int, now: Clock) -> Proposal:
    """A second operator approves: the event is sent and the proposal closed.

    Raises NoProposal, TooLate and OwnProposal.
    """
    proposal = to_decide(connection, proposals.find(connection, proposal_no), proposal_no, operator)
    reason = f"{proposal.reason} (proposed by {proposal.proposed_by}, approved by {operator})"
    replay_refused(connection, [proposal.event_no], operator, reason, shard_count, now, corrected=proposal.value)
    proposals.decide(connection, proposal_no, operator, "approved", now())
    return proposal


def reject_replay(connection: Connection, proposal_no: int, reason: str, operator: str, now: Clock) -> Proposal:
    """A second operator rejects; another proposal can be made. Raises NoProposal, TooLate and OwnProposal."""
    proposal = to_decide(connection, proposals.find(connection, proposal_no), proposal_no, operator)
    subject = {"refused_no": str(proposal.event_no), "proposal": str(proposal_no), "reason": mask_text(reason)}
    record_operator_acts(connection, now, [ConsoleAct(AuditKind.REPLAY_REJECTED.value, operator, subject)])
    proposals.decide(connection, proposal_no, operator, "rejected", now())
    return proposal
