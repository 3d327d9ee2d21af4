"""What is decided for one claim: status, benefits, and the explanation that adds up to them (claims.md, 4, 5 and 8)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.dates import Instant
from schemas.ids import ClaimId, FacilityId, PersonId, PolicyId
from schemas.money import Fen
from schemas.outbound import AlertCode, Payee
from schemas.policy.model import Basis


class Status(StrEnum):
    """States of a claim, in the order in which they are tested."""

    VOIDED = "voided"
    INCOMPLETE = "incomplete"
    AFTER_DEATH = "after_death"
    NO_POLICY = "no_policy"
    NOT_COVERED = "not_covered"
    ADJUDICATED = "adjudicated"


class Reason(StrEnum):
    """Why a scheme pays nothing for a claim, in the order in which the steps can end it."""

    NOT_IN_SCOPE = "NOT_IN_SCOPE"
    NO_COVERAGE = "NO_COVERAGE"
    WAITING_PERIOD = "WAITING_PERIOD"
    NO_TIER = "NO_TIER"
    FILED_LATE = "FILED_LATE"
    UNDER_THRESHOLD = "UNDER_THRESHOLD"
    NOTHING_DUE = "NOTHING_DUE"
    ALREADY_PAID = "ALREADY_PAID"
    NOTHING_LEFT = "NOTHING_LEFT"
    CAP_REACHED = "CAP_REACHED"
    BELOW_FLOOR = "BELOW_FLOOR"


class StepKind(StrEnum):
    """What can change a scheme's number; the signed amounts of a scheme's steps add up to its benefit."""

    BRACKET = "bracket"
    ROUNDING = "rounding"
    FIXED = "fixed"
    BY_DEGREE = "by_degree"
    PER_DAY = "per_day"
    LEVEL = "level"
    LIMIT_REMAINING = "limit_remaining"
    CAP_PER_STAY = "cap_per_stay"
    CAP_PER_YEAR = "cap_per_year"
    CAP_PER_HOUSEHOLD_YEAR = "cap_per_household_year"
    FLOOR_PER_STAY = "floor_per_stay"


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class ExplanationLine(_Out):
    """One step of one scheme. ``amount`` is signed; ``inputs`` suffice to compute it again."""

    scheme_id: str
    step: StepKind
    amount: Fen
    rule: str
    inputs: dict[str, str]
    zh: str
    en: str


class BenefitLine(_Out):
    """What one scheme owes for one claim; ``reason`` only where it owes nothing, ``pool_id`` only where a pool pays.

    A scheme without brackets may have no ``basis``.
    """

    scheme_id: str
    tier: str | None
    basis: Basis | None
    measured: Fen
    benefit: Fen
    reason: Reason | None = None
    pool_id: str | None = None


class AdvanceLine(_Out):
    """What a facility took off one bill for one scheme."""

    scheme_id: str
    facility_id: FacilityId
    amount: Fen


class PayeeLine(_Out):
    """Who receives how much of what a scheme owes; ``payee_id`` names a facility and is left out otherwise."""

    scheme_id: str
    payee: Payee
    payee_id: FacilityId | None = None
    amount: Fen


class WaitingLine(_Out):
    """What of a scheme's benefit waits for a pool's money, and its place in the queue then, if there is one."""

    scheme_id: str
    pool_id: str
    amount: Fen
    position: int | None = None
    zh: str
    en: str


class ClaimDecision(_Out):
    """One claim as `huzhu adjudicate` prints it. Amounts in yuan on the wire.

    ``advances`` and ``payees`` are there only if a live settlement has advances; otherwise the person or the estate
    receives everything. ``alerts`` is why somebody should look at the claim, in alphabetical order, and ``held`` that
    no payment is instructed until somebody has; both are left out where they do not apply.
    """

    claim_id: ClaimId
    person_id: PersonId
    status: Status
    policy_id: PolicyId | None
    personal_burden: Fen
    benefits: tuple[BenefitLine, ...]
    total_benefit: Fen
    patient_pays: Fen
    explanation: tuple[ExplanationLine, ...]
    advances: tuple[AdvanceLine, ...] | None = None
    payees: tuple[PayeeLine, ...] | None = None
    alerts: tuple[AlertCode, ...] | None = None
    held: Literal[True] | None = None


class ClaimDecided(ClaimDecision):
    """The value in ``claims.decisions``: a decision that differs from the one before, which had ``revision`` - 1.

    ``waiting`` says what waits for the money of a pool; it is left out where nothing does.
    """

    event_type: Literal["claim.decided"] = "claim.decided"
    event_id: str
    occurred_at: Instant
    revision: int
    policy_sha256: str | None
    waiting: tuple[WaitingLine, ...] | None = None


def to_json(decision: ClaimDecision) -> dict[str, object]:
    """The JSON object of a decision. What says nothing, such as the ``reason`` of a benefit that pays, is left out."""
    document = decision.model_dump(mode="json")
    for benefit in document["benefits"]:
        for name in ("reason", "pool_id"):
            if benefit[name] is None:
                del benefit[name]
    if document.get("waiting", ()) is None:
        del document["waiting"]
    for line in document.get("waiting", ()):
        if line["position"] is None:
            del line["position"]
    for name in ("alerts", "held"):
        if document[name] is None:
            del document[name]
    if document["payees"] is None:
        del document["advances"], document["payees"]
    else:
        for payee in document["payees"]:
            if payee["payee_id"] is None:
                del payee["payee_id"]
    return document
