"""Temporary aid (临时救助) as two people decide it in the console: what is proposed, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from schemas.ids import ClaimId, PersonId, claim_of_aid


class AidWanted(NamedTuple):
    """What somebody proposes to grant a person: ``amount`` (fen) at a level of the policy.

    ``alert_id`` is the alert that led to it, if one did. The reason holds no personal data.
    """

    person_id: PersonId
    level: str
    amount: int
    emergency: bool
    alert_id: str | None
    reason: str


class AidProposal(NamedTuple):
    """``decision`` is None while nobody has decided. ``aid_id`` follows from what is proposed, by whom and when."""

    proposal_no: int
    aid_id: str
    wanted: AidWanted
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision: str | None

    @property
    def claim_id(self) -> ClaimId:
        """The claim that the aid makes once it is countersigned and has come in."""
        return claim_of_aid(self.aid_id)
