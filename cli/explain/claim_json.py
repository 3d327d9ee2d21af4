"""One claim as one JSON document: the decision as `huzhu adjudicate` prints it, and what it rests on."""

from __future__ import annotations

from typing import Any

from cli.explain.claim_text import ClaimPage, Payout
from handlers.words.pool_sentences import waiting_words
from schemas.dates import format_instant
from schemas.decisions import to_json
from schemas.facts import AidDecided, EncounterDischarged, IncidentRecorded, SettlementPosted
from schemas.ids import trigger_of
from schemas.money import format_yuan
from schemas.policy.model import Policy, Term
from schemas.pool_records import WaitingNow


def document(page: ClaimPage) -> dict[str, Any]:
    """Everything on the page but its sentences; what there is none of is null, such as a ``stay``, or a ``policy``.

    ``payouts`` is null when the claim comes from files, which know of none. ``waiting`` is what waits for the money of
    pools, with its place in the queue as it is now.
    """
    stay = trigger_of(page.claim.claim_id) == "stay"
    return {
        "claim": to_json(page.decision),
        "group_waits": page.group_waits,
        "deceased": page.deceased,
        "stay": None if page.claim.discharge is None else _stay(page.claim.discharge),
        "incident": None if page.claim.incident is None else _incident(page.claim.incident),
        "aid": None if page.claim.aid is None else _aid(page.claim.aid),
        "bills": [_bill(bill) for bill in page.claim.live],
        "bills_voided": page.claim.settlements - len(page.claim.live) if stay else 0,
        "policy": None if page.policy is None or page.term is None else _policy(page.policy, page.term),
        "payouts": None if page.payouts is None else [_payout(payout) for payout in page.payouts],
        "waiting": [_waiting(each) for each in page.waiting],
    }


def _stay(discharge: EncounterDischarged) -> dict[str, Any]:
    return {
        "admitted_on": discharge.admitted_on.isoformat(),
        "discharged_on": discharge.discharged_on.isoformat(),
        "facility_id": discharge.facility_id,
        "facility_level": discharge.facility_level,
        "care_type": discharge.care_type,
    }


def _incident(incident: IncidentRecorded) -> dict[str, Any]:
    loss = incident.verified_loss
    return {
        "kind": incident.kind,
        "occurred_on": incident.occurred_on.isoformat(),
        "degree": incident.degree,
        "days": incident.days,
        "verified_loss": None if loss is None else format_yuan(loss),
    }


def _aid(aid: AidDecided) -> dict[str, Any]:
    return {
        "level": aid.level,
        "amount": format_yuan(aid.amount),
        "emergency": aid.emergency,
        "decided_on": aid.decided_on.isoformat(),
    }


def _bill(bill: SettlementPosted) -> dict[str, Any]:
    return {
        "settlement_id": bill.settlement_id,
        "version": bill.version,
        "final": bill.final,
        "settled_at": format_instant(bill.settled_at),
        **{name: format_yuan(getattr(bill, name)) for name in bill.money_fields},
    }


def _policy(policy: Policy, term: Term) -> dict[str, Any]:
    return {
        "policy_id": policy.id,
        "title": policy.title,
        "status": policy.status,
        "sha256": policy.sha256,
        "first_day": term.first.isoformat(),
        "last_day": None if term.last_day is None else term.last_day.isoformat(),
    }


def _payout(payout: Payout) -> dict[str, Any]:
    order = payout.instruction
    return {
        "payout_id": order.payout_id,
        "scheme_id": order.scheme_id,
        "kind": order.kind,
        "amount": format_yuan(order.amount),
        "payee": order.payee,
        "payee_id": order.payee_id,
        "payer": order.payer,
        "treaty_id": order.treaty_id,
        "instructed_at": format_instant(order.occurred_at),
        "reported": None if payout.report is None else payout.report.status,
        "contradictory": payout.doubtful,
        "reissued_as": payout.reissued_as,
        "reversal_of": order.reversal_of,
        "set_off_of": order.set_off_of,
        "set_off_of_claim": payout.clearing.kept_for,
        "manner": payout.clearing.manner,
        "left": None if payout.clearing.left is None else format_yuan(payout.clearing.left),
    }


def _waiting(each: WaitingNow) -> dict[str, Any]:
    said = waiting_words(each)
    return {
        "scheme_id": each.scheme_id,
        "pool_id": each.pool_id,
        "amount": format_yuan(each.amount),
        "position": each.position,
        "zh": said.zh,
        "en": said.en,
    }
