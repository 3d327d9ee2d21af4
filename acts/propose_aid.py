"""Granting temporary aid (临时救助): one operator proposes, another one countersigns or rejects.

Countersigning sends the event `aid.decided` to its topic, where it arrives like any other. In the audit log a proposal
and its rejection have the kinds of those about refused events, with ``aid_id`` and the act in the subject.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from acts.four_eyes import TooLate, Unusable, to_decide
from acts.ledger_act import ledger_act
from acts.published_policies import published_policies
from acts.record_operator_acts import record_operator_acts
from handlers.audit.operator_acts import aid_countersigned
from handlers.claims.granting_aid import Outlook, aid_decided, aid_id_of, outlook
from handlers.claims.recall import accounts_of
from handlers.words.aid_sentences import CHANGED, NO_PERSON, NOT_OF_PERSON, WAITS_ALREADY
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.ledger import aid_proposals, alert_rows, group_rows, reads
from infra.sharding import shard_of
from schemas.access.console_rights import ConsoleAct
from schemas.aid_records import AidProposal, AidWanted
from schemas.money import format_yuan
from schemas.outbound import AuditKind

ACT = "aid"
"""What proposals of aid are called in the audit log."""


class Granted(NamedTuple):
    """An aid that was countersigned, and what will be paid of it on the facts that were known (fen)."""

    proposal: AidProposal
    expected: int


def expected(connection: Connection, proposal: AidProposal, moment: datetime) -> Outlook:
    """What would be paid if somebody countersigned the proposal at a moment; locks and writes nothing."""
    return _outlook(connection, proposal.aid_id, proposal.wanted, proposal.proposed_by, moment)


def propose_aid(connection: Connection, wanted: AidWanted, operator: str, now: Clock) -> int:
    """Proposes to grant an aid; returns the proposal's number.

    Raises Unusable for an aid that cannot be granted as things are now, and TooLate when one waits for the person.
    """
    wanted, moment = wanted._replace(reason=mask_text(wanted.reason)), now()
    if wanted.alert_id is not None:
        alert = alert_rows.named(connection, [wanted.alert_id]).get(wanted.alert_id)
        if alert is None or alert.person_id != wanted.person_id:
            raise Unusable(NOT_OF_PERSON)
    aid_id = aid_id_of(wanted, operator, moment)
    _usable(_outlook(connection, aid_id, wanted, operator, moment))
    number = aid_proposals.propose(connection, aid_id, wanted, operator, moment)
    if number is None:
        raise TooLate(WAITS_ALREADY)
    _record(connection, now, AuditKind.REPLAY_PROPOSED, number, aid_id, wanted, wanted.reason, operator)
    return number


def countersign_aid(
    connection: Connection, proposal_no: int, operator: str, shard_count: int, now: Clock, seen: int | None = None
) -> Granted:
    """A second operator countersigns: the aid is decided today, its event sent, and the proposal closed.

    Under the locks of the shards of all who share a household with the person: of two who are granted aid at the same
    moment, the second is tried when the first is on its way.

    ``seen`` is what they have seen that would be paid (fen), if they did so before. Raises NoProposal, TooLate,
    OwnProposal, and Unusable for an aid that cannot be granted any more.
    """
    proposal = to_decide(connection, aid_proposals.find(connection, proposal_no), proposal_no, operator)
    wanted = proposal.wanted
    shard = shard_of(wanted.person_id, shard_count)
    shards = {shard, *(shard_of(each, shard_count) for each in group_rows.linked_to(connection, [wanted.person_id]))}
    with ledger_act(connection, shards, now) as journal:
        moment = journal.recorded_at
        benefit = _usable(expected(connection, proposal, moment))
        if seen is not None and seen != benefit:
            raise TooLate(CHANGED)
        aid_countersigned(journal, shard, aid_decided(proposal.aid_id, wanted, proposal.proposed_by, operator, moment))
    aid_proposals.decide(connection, proposal_no, operator, "approved", moment)
    return Granted(proposal, benefit)


def reject_aid(connection: Connection, proposal_no: int, reason: str, operator: str, now: Clock) -> AidProposal:
    """A second operator rejects; another proposal can be made. Raises NoProposal, TooLate and OwnProposal."""
    proposal = to_decide(connection, aid_proposals.find(connection, proposal_no), proposal_no, operator)
    why = mask_text(reason)
    _record(connection, now, AuditKind.REPLAY_REJECTED, proposal_no, proposal.aid_id, proposal.wanted, why, operator)
    aid_proposals.decide(connection, proposal_no, operator, "rejected", now())
    return proposal


def _usable(found: Outlook) -> int:
    if found.why_not is not None:
        raise Unusable(found.why_not)
    return found.benefit


def _outlook(connection: Connection, aid_id: str, wanted: AidWanted, proposed_by: str, moment: datetime) -> Outlook:
    """With all who share a household with the person, as yearly caps of a household count what they got.

    What was countersigned for them and has not come in yet counts too.
    """
    group = sorted(group_rows.linked_to(connection, [wanted.person_id]))
    facts = reads.newest_facts(connection, group)
    facts += [_sent(each) for each in aid_proposals.on_the_way(connection, group)]
    accounts = accounts_of(facts)
    if wanted.person_id not in accounts:
        return Outlook(0, NO_PERSON)
    return outlook(aid_id, wanted, proposed_by, moment, accounts, published_policies(connection))


def _sent(proposal: AidProposal) -> bytes:
    """The event of a proposal that was countersigned."""
    second, moment = proposal.decided_by, proposal.decided_at
    assert second is not None, proposal.proposal_no
    assert moment is not None, proposal.proposal_no
    return aid_decided(proposal.aid_id, proposal.wanted, proposal.proposed_by, second, moment)


def _record(
    connection: Connection,
    now: Clock,
    kind: AuditKind,
    number: int,
    aid_id: str,
    wanted: AidWanted,
    reason: str,
    operator: str,
) -> None:
    subject = {"act": ACT, "aid_id": aid_id, "proposal": str(number), "level": wanted.level}
    subject |= {"amount": format_yuan(wanted.amount), "reason": reason}
    record_operator_acts(connection, now, [ConsoleAct(kind.value, operator, subject)])
