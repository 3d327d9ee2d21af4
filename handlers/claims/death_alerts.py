"""What is to be looked at about deaths that funeral lists know and no registry has recorded (time.md, section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handlers.words import death_sentences
from schemas.canonical import derived_id
from schemas.facts import PersonDied
from schemas.funeral_lists import DeathReport, MatchDeaths
from schemas.ids import PersonId
from schemas.outbound import AlertCode, AlertRaised, AlertWithdrawn

_REPORTED = AlertCode.DEATH_REPORTED


def alert_id(person_id: PersonId) -> str:
    """The id of the alert about a person, the same whichever lists name them."""
    return derived_id("AT", _REPORTED, person_id)


def reported(
    person_id: PersonId, reports: Sequence[DeathReport], act: MatchDeaths, recorded_at: datetime
) -> AlertRaised:
    """An act made it so that these lists name a living member."""
    said = death_sentences.reported(reports)
    return AlertRaised(
        event_id=derived_id("AL", _REPORTED, person_id, act.list_id, act.sha256, recorded_at.isoformat()),
        occurred_at=recorded_at,
        code=_REPORTED,
        claim_id=None,
        person_id=person_id,
        alert_id=alert_id(person_id),
        reported=tuple(reports),
        zh=said.zh,
        en=said.en,
    )


def not_listed(person_id: PersonId, act: MatchDeaths, recorded_at: datetime) -> AlertWithdrawn:
    """The list no longer names the person, and no other does."""
    event_id = derived_id("AW", _REPORTED, person_id, act.list_id, act.sha256, recorded_at.isoformat())
    zh, en = death_sentences.not_listed(act.list_id)
    return _withdrawn(person_id, event_id, zh, en, recorded_at)


def recorded(fact: PersonDied, recorded_at: datetime) -> AlertWithdrawn:
    """The registry has recorded the death."""
    event_id = derived_id("AW", _REPORTED, fact.person_id, fact.version)
    return _withdrawn(fact.person_id, event_id, *death_sentences.RECORDED, recorded_at)


def _withdrawn(person_id: PersonId, event_id: str, zh: str, en: str, recorded_at: datetime) -> AlertWithdrawn:
    return AlertWithdrawn(
        event_id=event_id,
        occurred_at=recorded_at,
        alert_id=alert_id(person_id),
        code=_REPORTED,
        claim_id=None,
        person_id=person_id,
        zh=zh,
        en=en,
    )
