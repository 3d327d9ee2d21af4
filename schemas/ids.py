"""Ids of different things, which the type checker keeps apart. Each is the text its sender chose."""

from __future__ import annotations

from typing import NewType

PersonId = NewType("PersonId", str)
EncounterId = NewType("EncounterId", str)
FacilityId = NewType("FacilityId", str)
PolicyId = NewType("PolicyId", str)
PayoutId = NewType("PayoutId", str)
StatementId = NewType("StatementId", str)
ClaimId = NewType("ClaimId", str)
"""The id of the encounter that is claimed for (`claim_of`)."""


def claim_of(encounter_id: EncounterId) -> ClaimId:
    """An encounter makes one claim, under its own id."""
    return ClaimId(encounter_id)
