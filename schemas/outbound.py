"""The other events that leave: payout instructions, audit entries and alerts (claims.md, section 6)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.dates import Instant
from schemas.funeral_lists import DeathReport
from schemas.ids import ClaimId, FacilityId, PayoutId, PersonId, PolicyId
from schemas.money import Fen
from schemas.treaty.treaty_model import FUND


class InstructionKind(StrEnum):
    PAYMENT = "payment"
    RECOVERY = "recovery"


class Payee(StrEnum):
    """Who receives: a facility what it advanced; the rest the person, or the estate once a death is recorded."""

    PERSON = "person"
    ESTATE = "estate"
    FACILITY = "facility"


class PayoutInstructed(BaseModel):
    """An order to an insurer; its ``payout_id`` follows from claim, scheme, payee and revision alone.

    ``amount`` is positive. Revisions count for each payee of a claim and scheme; person and estate are one payee.
    ``payee_id`` names the facility. ``payer`` is who pays, or takes back what it had paid: the public fund, or the lead
    of the treaty ``treaty_id``; instructions of releases before 1.1 have neither. ``reissue_of`` names a failed payout
    that this order replaces, ``reversal_of`` one that this order takes off the books: no money moves by it. A payment
    that is kept back for an earlier recovery names that one twice, in ``set_off_of`` and, as no money moves, in
    ``reversal_of``. ``pool_id`` is the pool whose money it is. What does not apply is left out.
    """

    model_config = ConfigDict(frozen=True)

    event_type: Literal["payout.instructed"] = "payout.instructed"
    event_id: str
    occurred_at: Instant
    payout_id: PayoutId
    claim_id: ClaimId
    person_id: PersonId
    scheme_id: str
    tier: str | None
    kind: InstructionKind
    amount: Annotated[Fen, Field(gt=0)]
    revision: int
    payee: Payee
    policy_id: PolicyId | None
    policy_sha256: str | None
    decision_revision: int
    reissue_of: str | None = None
    reversal_of: str | None = None
    payee_id: FacilityId | None = None
    payer: str = FUND
    treaty_id: str | None = None
    set_off_of: PayoutId | None = None
    pool_id: str | None = None


class AuditKind(StrEnum):
    """What an audit entry records."""

    EVENT_ACCEPTED = "event.accepted"
    EVENT_DUPLICATE = "event.duplicate"
    EVENT_STALE = "event.stale"
    EVENT_REFUSED = "event.refused"
    CLAIM_DECIDED = "claim.decided"
    GROUP_RECOMPUTED = "group.recomputed"
    PAYOUT_INSTRUCTED = "payout.instructed"
    POLICY_PUBLISHED = "policy.published"
    TREATY_PUBLISHED = "treaty.published"
    WATCHES_PUBLISHED = "watches.published"
    MONTH_CLOSED = "month.closed"
    POOL_YEAR_CLOSED = "pool.year_closed"
    HOLD_RELEASED = "hold.released"
    DEATHS_MATCHED = "deaths.matched"
    AID_COUNTERSIGNED = "aid.countersigned"
    STATEMENT_ISSUED = "statement.issued"
    EVENT_REPLAYED = "event.replayed"
    PAYOUT_REISSUED = "payout.reissued"
    RECOVERY_SET_OFF = "recovery.set_off"
    RECOVERY_WAIVED = "recovery.waived"
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    DATA_EXPORTED = "data.exported"
    USER_CREATED = "user.created"
    USER_CHANGED = "user.changed"
    USER_LOCKED = "user.locked"
    SIGNED_IN = "user.signed_in"
    PERSONAL_VIEWED = "personal.viewed"
    PERSONAL_UNMASKED = "personal.unmasked"
    PEOPLE_LOADED = "people.loaded"
    REPLAY_PROPOSED = "replay.proposed"
    REPLAY_REJECTED = "replay.rejected"
    LEDGER_ADOPTED = "ledger.adopted"
    ALERT_RAISED = "alert.raised"
    ALERT_WITHDRAWN = "alert.withdrawn"
    ALERT_TAKEN = "alert.taken"
    ALERT_CLOSED = "alert.closed"


FOLLOWING = (
    AuditKind.CLAIM_DECIDED,
    AuditKind.PAYOUT_INSTRUCTED,
    AuditKind.ALERT_RAISED,
    AuditKind.ALERT_WITHDRAWN,
)
"""What follows from an event. Each event has one entry of another kind, which is about itself."""


class AuditRecorded(BaseModel):
    """One entry of a shard's audit chain: ``hash`` covers every other field, ``prev_hash`` the entry before."""

    model_config = ConfigDict(frozen=True)

    event_type: Literal["audit.recorded"] = "audit.recorded"
    event_id: str
    occurred_at: Instant
    shard: int
    seq: int
    kind: AuditKind
    actor: str
    subject: dict[str, str]
    content_sha256: str
    prev_hash: str
    hash: str


class AlertCode(StrEnum):
    """Why somebody should look."""

    AFTER_DEATH = "AFTER_DEATH"
    REPORT_CONTRADICTS = "REPORT_CONTRADICTS"
    REPORT_UNMATCHED = "REPORT_UNMATCHED"
    ADVANCE_EXCEEDS_DUE = "ADVANCE_EXCEEDS_DUE"
    ADVANCE_UNKNOWN_SCHEME = "ADVANCE_UNKNOWN_SCHEME"
    MEMBERSHIPS_OVERLAP = "MEMBERSHIPS_OVERLAP"
    GROUP_TOO_LARGE = "GROUP_TOO_LARGE"
    NO_POOL = "NO_POOL"
    POOL_OVERDRAWN = "POOL_OVERDRAWN"
    DUPLICATE_INVOICE = "DUPLICATE_INVOICE"
    OVERLAPPING_STAYS = "OVERLAPPING_STAYS"
    DEATH_REPORTED = "DEATH_REPORTED"
    SELF_PAY_HIGH = "SELF_PAY_HIGH"


class AuditCheckpointed(BaseModel):
    """What a shard's audit log held at a moment, signed: ``root`` is that of the RFC 6962 tree of its first entries.

    ``note`` is the text with its signature (schemas/checkpoint.py); the other fields repeat what it says. ``root`` is
    hexadecimal, ``signature`` the 64 bytes of Ed25519 in base64.
    """

    model_config = ConfigDict(frozen=True)

    event_type: Literal["audit.checkpointed"] = "audit.checkpointed"
    event_id: str
    occurred_at: Instant
    shard: int
    size: int
    root: str
    key_id: str
    signature: str
    note: str


class CrossingLine(BaseModel):
    """A stay that adds ``amount`` to the sum over which somebody should look."""

    model_config = ConfigDict(frozen=True)

    claim_id: ClaimId
    person_id: PersonId
    discharged_on: date
    amount: Fen


class AlertRaised(BaseModel):
    """Something that a person should look at. ``claim_id`` is None where a report matches no claim of the person, and
    where it is about the person and no claim.

    ``alert_id`` follows from what it is about, never from when it was noticed: it stays when the amount changes, and
    under it `AlertWithdrawn` takes the alert back. Raised again later, it is open again. Alerts of releases before 1.1
    have none. Alerts about advances name the scheme and the fen that nobody pays back. An alert about a pool names it
    in ``pool_id``, and where the person's id stands. One about a claim that may be there twice names the
    ``other_claims``, which may be of other persons, and their invoice. One about a death that only funeral lists know
    says in ``reported`` which lists, and the day that each gives. One about a claim that crosses a ``step`` of a
    ``watch`` names the ``unit``, a household or the person, and the ``lines`` that add up to the ``sum``. What does not
    apply is left out, but for claim and payout.
    """

    model_config = ConfigDict(frozen=True)

    event_type: Literal["alert.raised"] = "alert.raised"
    event_id: str
    occurred_at: Instant
    code: AlertCode
    claim_id: ClaimId | None
    person_id: PersonId
    payout_id: PayoutId | None = None
    zh: str
    en: str
    alert_id: str | None = None
    scheme_id: str | None = None
    amount: Fen | None = None
    pool_id: str | None = None
    invoice_no: str | None = None
    other_claims: tuple[ClaimId, ...] | None = None
    reported: tuple[DeathReport, ...] | None = None
    watch: str | None = None
    unit: str | None = None
    step: Fen | None = None
    sum: Fen | None = None
    lines: tuple[CrossingLine, ...] | None = None


class AlertWithdrawn(BaseModel):
    """An alert whose reason is gone: the facts no longer support it."""

    model_config = ConfigDict(frozen=True)

    event_type: Literal["alert.withdrawn"] = "alert.withdrawn"
    event_id: str
    occurred_at: Instant
    alert_id: str
    code: AlertCode
    claim_id: ClaimId | None
    person_id: PersonId
    payout_id: PayoutId | None = None
    scheme_id: str | None = None
    pool_id: str | None = None
    watch: str | None = None
    step: Fen | None = None
    zh: str
    en: str
