"""What temporary aid can be granted on a day, and the event by which two people grant it (time.md, section 5).

Whether it can is tried on the facts that are known: the policy has the level, the amount is within it, something of it
would be paid after the yearly caps, and nothing of it is taken from another claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from handlers.claims.account import Account
from handlers.claims.adjudicate import adjudicate_together
from handlers.claims.read import Reading, read
from handlers.words.aid_sentences import (
    AFTER_DEATH,
    COME_IN,
    NO_AMOUNT,
    NO_LEVELS,
    TAKEN_FROM_ANOTHER,
    USED_UP,
    over_level,
    unknown_level,
)
from schemas.aid_records import AidWanted
from schemas.bilingual import Saying
from schemas.canonical import canonical_json, derived_id
from schemas.dates import format_instant, shanghai_date
from schemas.decisions import Status
from schemas.ids import PersonId, claim_of_aid
from schemas.money import format_yuan
from schemas.policy.model import Policies
from schemas.refusals import Refusal

SOURCE = "huzhu-console"
"""Who sends the events that two people make in the console."""


class Outlook(NamedTuple):
    """What of an aid would be paid on the facts that are known (fen), or why it cannot be granted."""

    benefit: int
    why_not: Saying | None = None


def levels_on(day: date, policies: Policies) -> dict[str, int]:
    """The levels of aid of the policy in force on a day, each with the most that some scheme pays (fen)."""
    policy, found = policies.on(day), dict[str, int]()
    for scheme in () if policy is None else policy.schemes:
        for level, most in (scheme.levels or {}).items():
            found[level] = max(most, found.get(level, 0))
    return found


def aid_id_of(wanted: AidWanted, proposed_by: str, moment: datetime) -> str:
    """The id of an aid, which follows from what is proposed, by whom and when.

    It begins with the moment, as claims of one day are decided in order of their ids: who was granted aid first keeps
    it when a yearly cap runs out.
    """
    when = moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return derived_id(f"AID-{when}", *wanted, proposed_by, format_instant(moment))


def aid_decided(aid_id: str, wanted: AidWanted, decided_by: str, countersigned_by: str, moment: datetime) -> bytes:
    """The event that grants an aid: decided on the day on which the second person agrees."""
    at = format_instant(moment)
    event = {
        "event_type": "aid.decided",
        "event_id": derived_id("EV", "aid.decided", aid_id, at),
        "occurred_at": at,
        "source": SOURCE,
        "person_id": wanted.person_id,
        "aid_id": aid_id,
        "version": 1,
        "level": wanted.level,
        "amount": format_yuan(wanted.amount),
        "emergency": wanted.emergency,
        "decided_on": shanghai_date(moment).isoformat(),
        "decided_by": decided_by,
        "countersigned_by": countersigned_by,
        "reason": wanted.reason,
    }
    return canonical_json(event if wanted.alert_id is None else event | {"alert_id": wanted.alert_id})


def outlook(
    aid_id: str,
    wanted: AidWanted,
    proposed_by: str,
    moment: datetime,
    accounts: Mapping[PersonId, Account],
    policies: Policies,
) -> Outlook:
    """What would be paid if the aid were granted at a moment; the person's account is among ``accounts``, and changed.

    The accounts are those of all who are decided with the person.
    """
    if accounts[wanted.person_id].knows(claim_of_aid(aid_id)):
        return Outlook(0, COME_IN)
    levels = levels_on(shanghai_date(moment), policies)
    if not levels:
        return Outlook(0, NO_LEVELS)
    if wanted.level not in levels:
        return Outlook(0, unknown_level(wanted.level, levels))
    if wanted.amount <= 0:
        return Outlook(0, NO_AMOUNT)
    reading = read(aid_decided(aid_id, wanted, proposed_by, proposed_by, moment), as_of=moment)
    if isinstance(reading, Refusal):
        return Outlook(0, Saying(reading.zh, reading.en))
    if wanted.amount > levels[wanted.level]:
        return Outlook(0, over_level(wanted.level, levels[wanted.level]))
    return _tried(reading, claim_of_aid(aid_id), accounts, policies)


def _tried(reading: Reading, claim_id: str, accounts: Mapping[PersonId, Account], policies: Policies) -> Outlook:
    before = {each.claim.claim_id: each.total_benefit for each in adjudicate_together(accounts.values(), policies)}
    accounts[reading.fact.person_id].apply(reading.fact)
    decided = adjudicate_together(accounts.values(), policies)
    found = next(each for each in decided if each.claim.claim_id == claim_id)
    if found.status is Status.AFTER_DEATH:
        return Outlook(0, AFTER_DEATH)
    if any(each.total_benefit < before.get(each.claim.claim_id, 0) for each in decided):
        return Outlook(0, TAKEN_FROM_ANOTHER)
    benefit = found.total_benefit
    return Outlook(benefit, None if benefit else USED_UP)
