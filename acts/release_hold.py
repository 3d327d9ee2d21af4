"""Releasing a claim that is held as it may be there twice (解除暂缓): one operator proposes, another one approves.

In the audit log a proposal and its rejection have the kinds of those about refused events, with ``claim_id`` and the
act in the subject.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from acts.four_eyes import NoProposal, TooLate, Unusable, to_decide
from acts.ledger_act import LedgerJournal, ledger_act
from acts.load_world import empty_world, load_persons
from acts.recompute_groups import decide_waiting
from acts.record_operator_acts import record_operator_acts
from acts.release_pools import decide_waiting_pools
from handlers.claims.holds import release_hold, what_holds
from handlers.claims.process import Processor
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.ledger import clearing_proposals, group_rows, reads
from infra.ledger.clearing_proposals import ClearingProposal
from schemas.access.console_rights import ConsoleAct
from schemas.bilingual import Saying
from schemas.canonical import canonical_json, sha256_hex
from schemas.clearing_acts import ClearingAct
from schemas.ids import ClaimId, PersonId
from schemas.outbound import AuditKind
from schemas.records import ReleaseHold


class NotHeld(Unusable):
    """A claim that is not held, or that is not there."""


class Hold(NamedTuple):
    """A claim that is held, and code, invoice and other claim of all that holds it."""

    claim_id: ClaimId
    person_id: PersonId
    found: list[list[str]]

    @property
    def digest(self) -> str:
        """SHA-256 of what holds it: whoever approves has looked at this."""
        return sha256_hex(canonical_json(self.found))


def hold_of(connection: Connection, claim_id: str, shard_count: int) -> Hold:
    """What holds a claim; locks and writes nothing. Raises NotHeld."""
    person_id = reads.person_of_claim(connection, claim_id)
    found = list[list[str]]()
    if person_id is not None:
        found = what_holds(load_persons(connection, [person_id], shard_count), ClaimId(claim_id))
    if person_id is None or not found:
        raise NotHeld(Saying(f"理赔 {claim_id} 没有暂缓支付。", f"Claim {claim_id} is not held."))
    return Hold(ClaimId(claim_id), person_id, found)


def propose(connection: Connection, claim_id: str, reason: str, operator: str, shard_count: int, now: Clock) -> int:
    """Proposes to release a claim; returns the proposal's number. Raises NotHeld, and TooLate when it is proposed."""
    hold_of(connection, claim_id, shard_count)
    why = mask_text(reason)
    number = clearing_proposals.propose(connection, ClearingAct.HOLD, claim_id, None, why, operator, now())
    if number is None:
        raise TooLate(
            Saying("这笔理赔的解除提议已在等待批准。", "The release of this claim is already waiting for approval.")
        )
    _record(connection, now, AuditKind.REPLAY_PROPOSED, claim_id, number, why, operator)
    return number


def approve(
    connection: Connection, proposal_no: int, operator: str, shard_count: int, now: Clock, seen: str | None = None
) -> Hold:
    """A second operator approves: the claim is released from what holds it now, and paid, and the proposal closed.

    ``seen`` is the digest of what the operator has looked at, if they did so before. Raises NoProposal, TooLate,
    OwnProposal and NotHeld.
    """
    proposal = _to_decide(connection, proposal_no, operator)
    reason = f"{proposal.reason} (proposed by {proposal.proposed_by}, approved by {operator})"
    hold = _release(connection, proposal.subject, operator, shard_count, now, reason, seen)
    clearing_proposals.decide(connection, proposal_no, operator, "approved", now())
    return hold


def reject(connection: Connection, proposal_no: int, reason: str, operator: str, now: Clock) -> ClearingProposal:
    """A second operator rejects; another proposal can be made. Raises NoProposal, TooLate and OwnProposal."""
    proposal = _to_decide(connection, proposal_no, operator)
    _record(connection, now, AuditKind.REPLAY_REJECTED, proposal.subject, proposal_no, mask_text(reason), operator)
    clearing_proposals.decide(connection, proposal_no, operator, "rejected", now())
    return proposal


def _release(
    connection: Connection, claim_id: str, operator: str, shard_count: int, now: Clock, reason: str, seen: str | None
) -> Hold:
    """Under the locks of all shards, as a group may have grown and pools may have to pay."""
    with ledger_act(connection, range(shard_count), now) as journal:
        decide_waiting(connection, journal, shard_count)
        hold = hold_of(connection, claim_id, shard_count)
        if seen is not None and seen != hold.digest:
            raise TooLate(
                Saying(
                    "暂缓的原因在此期间变了,请重新查看后再决定。",
                    "What holds the claim has changed meanwhile: look again, then decide.",
                )
            )
        households = empty_world(connection, shard_count).by_household
        group = sorted(group_rows.linked_to(connection, [hold.person_id], households=households))
        _decide(connection, journal, ReleaseHold(hold.claim_id, hold.person_id, hold.found, group, operator, reason))
        decide_waiting_pools(connection, journal, shard_count)
    return hold


def _decide(connection: Connection, journal: LedgerJournal, act: ReleaseHold) -> None:
    world = load_persons(connection, act.persons, len(journal.shards))
    release_hold(Processor(world, journal), act)
    journal.write()


def _to_decide(connection: Connection, proposal_no: int, operator: str) -> ClearingProposal:
    proposal = to_decide(connection, clearing_proposals.find(connection, proposal_no), proposal_no, operator)
    if proposal.act is not ClearingAct.HOLD:
        raise NoProposal(
            Saying(f"提议 {proposal_no} 与暂缓支付无关。", f"Proposal {proposal_no} is not about a claim that is held.")
        )
    return proposal


def _record(
    connection: Connection, now: Clock, kind: AuditKind, claim_id: str, number: int, reason: str, operator: str
) -> None:
    subject = {"claim_id": claim_id, "act": ClearingAct.HOLD.value, "proposal": str(number), "reason": reason}
    record_operator_acts(connection, now, [ConsoleAct(kind.value, operator, subject)])
