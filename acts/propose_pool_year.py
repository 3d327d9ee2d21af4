"""Closing the year of a pool that pays pro rata: one operator proposes, another one approves or rejects.

In the audit log a proposal and its rejection have the kinds of those about refused events, with ``pool_id`` and
``year`` in the subject.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from acts.close_pool_year import YearClosing, close_pool_year, preview_year
from acts.four_eyes import TooLate, to_decide
from acts.record_operator_acts import record_operator_acts
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.ledger import clearing_proposals
from infra.ledger.clearing_proposals import ClearingProposal
from schemas.access.console_rights import ConsoleAct
from schemas.bilingual import Saying
from schemas.canonical import canonical_json, sha256_hex
from schemas.clearing_acts import ClearingAct
from schemas.dates import shanghai_date
from schemas.outbound import AuditKind


def digest_of(closing: YearClosing) -> str:
    """SHA-256 of what closing a year comes to: whoever approves approves these figures."""
    return sha256_hex(canonical_json(closing._asdict()))


def propose_pool_year(connection: Connection, pool_id: str, year: int, reason: str, operator: str, now: Clock) -> int:
    """Proposes to close a pool's year; returns the proposal's number.

    Raises NotClosableYear if that could not be approved as things are now, and TooLate when a proposal about the pool
    is open already.
    """
    preview_year(connection, pool_id, year, shanghai_date(now()))
    said, first = mask_text(reason), date(year, 1, 1)
    number = clearing_proposals.propose(connection, ClearingAct.POOL_YEAR, pool_id, first, said, operator, now())
    if number is None:
        raise TooLate(
            Saying("这个资金池已有一项年度结算在等待批准。", "The closing of a year of this pool already waits.")
        )
    _record(connection, now, AuditKind.REPLAY_PROPOSED, pool_id, year, number, said, operator)
    return number


def approve_pool_year(
    connection: Connection, proposal_no: int, operator: str, shard_count: int, now: Clock
) -> YearClosing:
    """A second operator approves: the year is closed as things are now, and the proposal too.

    Raises NoProposal, TooLate, OwnProposal and NotClosableYear.
    """
    proposal, year = _to_decide(connection, proposal_no, operator)
    reason = f"{proposal.reason} (proposed by {proposal.proposed_by}, approved by {operator})"
    done = close_pool_year(connection, proposal.subject, year, operator, shard_count, now, reason)
    clearing_proposals.decide(connection, proposal_no, operator, "approved", now())
    return done


def reject_pool_year(
    connection: Connection, proposal_no: int, reason: str, operator: str, now: Clock
) -> ClearingProposal:
    """A second operator rejects; another proposal can be made. Raises NoProposal, TooLate and OwnProposal."""
    proposal, year = _to_decide(connection, proposal_no, operator)
    said = mask_text(reason)
    _record(connection, now, AuditKind.REPLAY_REJECTED, proposal.subject, year, proposal_no, said, operator)
    clearing_proposals.decide(connection, proposal_no, operator, "rejected", now())
    return proposal


def _to_decide(connection: Connection, proposal_no: int, operator: str) -> tuple[ClearingProposal, int]:
    found = clearing_proposals.find(connection, proposal_no)
    closing = None if found is None or found.act is not ClearingAct.POOL_YEAR else found
    proposal = to_decide(connection, closing, proposal_no, operator)
    assert proposal.month is not None, "the closing of a pool is of a year"
    return proposal, proposal.month.year


def _record(
    connection: Connection,
    now: Clock,
    kind: AuditKind,
    pool_id: str,
    year: int,
    number: int,
    reason: str,
    operator: str,
) -> None:
    subject = {"pool_id": pool_id, "year": str(year), "proposal": str(number), "reason": reason}
    record_operator_acts(connection, now, [ConsoleAct(kind.value, operator, subject)])
