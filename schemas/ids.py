"""Ids of different things, which the type checker keeps apart. Each is the text its sender chose."""

from __future__ import annotations

from typing import Literal, NewType

PersonId = NewType("PersonId", str)
EncounterId = NewType("EncounterId", str)
FacilityId = NewType("FacilityId", str)
PolicyId = NewType("PolicyId", str)
PayoutId = NewType("PayoutId", str)
StatementId = NewType("StatementId", str)
ClaimId = NewType("ClaimId", str)
"""The id of the encounter that is claimed for (`claim_of`), or of another occasion with its prefix."""

Trigger = Literal["stay", "incident", "aid"]
"""What gives occasion to a claim: a stay in hospital, an incident, or temporary aid (time.md, sections 5 and 7)."""

AID, INCIDENT = "aid:", "incident:"
"""With these the ids of claims begin that are for no encounter; no encounter's id does."""


def claim_of(encounter_id: EncounterId) -> ClaimId:
    """An encounter makes one claim, under its own id."""
    return ClaimId(encounter_id)


def claim_of_aid(aid_id: str) -> ClaimId:
    """An aid makes one claim."""
    return ClaimId(AID + aid_id)


def claim_of_incident(incident_id: str) -> ClaimId:
    """An incident makes one claim."""
    return ClaimId(INCIDENT + incident_id)


def trigger_of(claim_id: str) -> Trigger:
    """What a claim is for."""
    if claim_id.startswith(AID):
        return "aid"
    return "incident" if claim_id.startswith(INCIDENT) else "stay"
