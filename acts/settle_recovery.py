"""Setting a recovery off against the person's next payments, or waiving it, as an audited act of a named operator.

In the console one operator proposes and another one decides. In the audit log a proposal and its rejection have the
kinds of those about refused events, with ``payout_id`` and ``act`` in the subject.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from acts.four_eyes import NoProposal, TooLate, to_decide
from acts.ledger_act import ledger_act
from acts.load_world import load_payouts, load_persons
from acts.record_operator_acts import record_operator_acts
from acts.reissue_payout import NoSuchPayout
from handlers.claims.process import Processor
from handlers.claims.recoveries import settle_recovery, settleable
from handlers.claims.world import World
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.ledger import clearing_proposals, reads
from infra.ledger.clearing_proposals import ClearingProposal
from infra.sharding import shard_of
from schemas.access.console_rights import ConsoleAct
from schemas.bilingual import Saying
from schemas.clearing_acts import ClearingAct
from schemas.ids import PayoutId, PersonId
from schemas.outbound import AuditKind
from schemas.records import InstructionRow, Manner, SettledRecovery, SettleRecovery

MANNER_OF = {ClearingAct.SET_OFF: Manner.SET_OFF, ClearingAct.WAIVER: Manner.WAIVED}
ACT_OF = {manner: act for act, manner in MANNER_OF.items()}


class RecoveryProposed(NamedTuple):
    """The number of a proposal, and the recovery that it is about."""

    proposal_no: int
    recovery: InstructionRow


def settle(
    connection: Connection, payout_id: str, manner: Manner, operator: str, reason: str, shard_count: int, now: Clock
) -> SettledRecovery:
    """Sets a recovery off or waives it in the name of an operator.

    Under the lock of the person's shard: a report or a reissue comes before or after. Raises NoSuchPayout and
    NotSettleable.
    """
    person_id = _person(connection, payout_id)
    act = SettleRecovery(PayoutId(payout_id), person_id, manner.value, operator, mask_text(reason))
    with ledger_act(connection, [shard_of(person_id, shard_count)], now) as journal:
        return settle_recovery(Processor(_world(connection, payout_id, person_id, shard_count), journal), act)


def check(connection: Connection, payout_id: str, manner: Manner, shard_count: int) -> InstructionRow:
    """The recovery that would be settled if it were done now; locks nothing. Raises NoSuchPayout and NotSettleable."""
    world = _world(connection, payout_id, _person(connection, payout_id), shard_count)
    return settleable(world, PayoutId(payout_id), manner)


def propose(
    connection: Connection, payout_id: str, manner: Manner, reason: str, operator: str, shard_count: int, now: Clock
) -> RecoveryProposed:
    """Proposes to set a recovery off, or to waive it.

    Raises NoSuchPayout and NotSettleable if that could not be approved as things are now, and TooLate when the same is
    proposed already.
    """
    recovery = check(connection, payout_id, manner, shard_count)
    act, why = ACT_OF[manner], mask_text(reason)
    proposal_no = clearing_proposals.propose(connection, act, payout_id, None, why, operator, now())
    if proposal_no is None:
        raise TooLate(
            Saying(
                "这笔收回款项的同一提议已在等待批准。", "The same is already waiting for approval for this recovery."
            )
        )
    subject = {"payout_id": payout_id, "act": act.value, "proposal": str(proposal_no), "reason": why}
    record_operator_acts(connection, now, [ConsoleAct(AuditKind.REPLAY_PROPOSED.value, operator, subject)])
    return RecoveryProposed(proposal_no, recovery)


def approve(connection: Connection, proposal_no: int, operator: str, shard_count: int, now: Clock) -> SettledRecovery:
    """A second operator approves: the recovery is set off or waived, and the proposal closed.

    Raises NoProposal, TooLate, OwnProposal and NotSettleable.
    """
    proposal = _to_decide(connection, proposal_no, operator)
    reason = f"{proposal.reason} (proposed by {proposal.proposed_by}, approved by {operator})"
    done = settle(connection, proposal.subject, MANNER_OF[proposal.act], operator, reason, shard_count, now)
    clearing_proposals.decide(connection, proposal_no, operator, "approved", now())
    return done


def reject(connection: Connection, proposal_no: int, reason: str, operator: str, now: Clock) -> ClearingProposal:
    """A second operator rejects; another proposal can be made. Raises NoProposal, TooLate and OwnProposal."""
    proposal = _to_decide(connection, proposal_no, operator)
    about = {"payout_id": proposal.subject, "act": proposal.act.value, "proposal": str(proposal_no)}
    subject = about | {"reason": mask_text(reason)}
    record_operator_acts(connection, now, [ConsoleAct(AuditKind.REPLAY_REJECTED.value, operator, subject)])
    clearing_proposals.decide(connection, proposal_no, operator, "rejected", now())
    return proposal


def _to_decide(connection: Connection, proposal_no: int, operator: str) -> ClearingProposal:
    proposal = to_decide(connection, clearing_proposals.find(connection, proposal_no), proposal_no, operator)
    if proposal.act not in MANNER_OF:
        raise NoProposal(
            Saying(f"提议 {proposal_no} 与收回款项无关。", f"Proposal {proposal_no} is not about a recovery.")
        )
    return proposal


def _person(connection: Connection, payout_id: str) -> PersonId:
    rows = reads.instructions(connection, [payout_id])
    if not rows:
        raise NoSuchPayout(payout_id)
    return rows[0].person_id


def _world(connection: Connection, payout_id: str, person_id: PersonId, shard_count: int) -> World:
    world = load_persons(connection, [person_id], shard_count)
    load_payouts(connection, world, reads.line_of(connection, payout_id))
    return world
