"""The events that hospitals, registries and insurers send (claims.md, section 3).

Every model is one event type. Unknown fields are allowed: the ledger keeps the original bytes, so nothing that a
sender wrote is lost, and the models hold only what the program reads. Amounts are fen inside and yuan on the wire.
"""

from __future__ import annotations

from abc import abstractmethod
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic.config import JsonDict

from schemas.bilingual import field_error
from schemas.dates import BusinessDate, Instant
from schemas.ids import (
    AID,
    INCIDENT,
    ClaimId,
    EncounterId,
    FacilityId,
    PayoutId,
    PersonId,
    PolicyId,
    StatementId,
    claim_of_aid,
    claim_of_incident,
    trigger_of,
)
from schemas.money import WireYuan
from schemas.number_literals import NumberLiteral


def _no_number(value: object) -> object:
    if isinstance(value, NumberLiteral):  # a str to Python, a number to the sender: 1.50 and 1.5 must not be two ids
        raise field_error("string_type", "应为字符串", "Input should be a valid string")
    return value


_PRINTABLE = StringConstraints(strict=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
_TEXT_ONLY = BeforeValidator(_no_number)
_AS_SCHEMA = WithJsonSchema(
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^\u0000-\u001f\u007f]+$"}
)
# The constraint comes right after the type: behind a validator it would run in Python, four calls per field.
Identifier = Annotated[str, _PRINTABLE, _TEXT_ONLY, _AS_SCHEMA]
"""Any printable string of 1 to 200 characters; ids are the senders' own and are compared by code point."""

PersonIdentifier = Annotated[PersonId, _PRINTABLE, _TEXT_ONLY, _AS_SCHEMA]
EncounterIdentifier = Annotated[EncounterId, _PRINTABLE, _TEXT_ONLY, _AS_SCHEMA]
FacilityIdentifier = Annotated[FacilityId, _PRINTABLE, _TEXT_ONLY, _AS_SCHEMA]
PayoutIdentifier = Annotated[PayoutId, _PRINTABLE, _TEXT_ONLY, _AS_SCHEMA]
PolicyIdentifier = Annotated[PolicyId, _PRINTABLE, _TEXT_ONLY, _AS_SCHEMA]
StatementIdentifier = Annotated[StatementId, _PRINTABLE, _TEXT_ONLY, _AS_SCHEMA]

Version = Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)]
LineNumber = Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)]
Text = Annotated[str, StringConstraints(strict=True, max_length=2000), BeforeValidator(_no_number)]


class FacilityLevel(StrEnum):
    CITY = "city"
    COUNTY = "county"
    TOWN = "town"


class CareType(StrEnum):
    INPATIENT = "inpatient"
    OUTPATIENT_SPECIAL = "outpatient_special"


class Kind(StrEnum):
    """What an id names. The versions of one id of one kind form one line, across event types."""

    ENCOUNTER = "encounter"
    SETTLEMENT = "settlement"
    COVERAGE = "coverage"
    PERSON = "person"
    PAYOUT = "payout"
    STATEMENT = "statement"
    MEMBERSHIP = "membership"
    POOL = "pool"
    CONTRIBUTION = "contribution"
    AID = "aid"
    INCIDENT = "incident"


class Subject(NamedTuple):
    """The line that an event belongs to."""

    kind: Kind
    id: str


def subject_of_claim(claim_id: ClaimId) -> Subject:
    """The line of what a claim is for: an encounter, or another occasion."""
    match trigger_of(claim_id):
        case "aid":
            return Subject(Kind.AID, claim_id.removeprefix(AID))
        case "incident":
            return Subject(Kind.INCIDENT, claim_id.removeprefix(INCIDENT))
        case _:
            return Subject(Kind.ENCOUNTER, claim_id)


class Fact(BaseModel):
    """The four fields of every event, and the line and version that it takes in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    money_fields: ClassVar[tuple[str, ...]] = ()
    owner_field: ClassVar[str] = "person_id"
    """The member on the wire that says whose the event is, and is the key of its message."""
    event_type: str
    event_id: Identifier
    occurred_at: Instant
    source: Identifier
    person_id: PersonIdentifier

    @property
    @abstractmethod
    def subject(self) -> Subject:
        """The line that the event belongs to."""

    @property
    def line_version(self) -> int | None:
        """Position in the subject's line of versions; None for events that have no versions."""
        return getattr(self, "version", None)


class EncounterDischarged(Fact):
    """A hospital stay, or one special outpatient course, has ended."""

    event_type: Literal["encounter.discharged"]
    encounter_id: EncounterIdentifier
    version: Version
    facility_id: FacilityIdentifier
    facility_level: FacilityLevel
    care_type: CareType
    admitted_on: BusinessDate
    discharged_on: BusinessDate
    diagnoses: list[Identifier]

    @property
    def subject(self) -> Subject:
        return Subject(Kind.ENCOUNTER, self.encounter_id)


class CountedDetail(BaseModel):
    """One detail of a national settlement list, and the side of the burden on which it was counted."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    field: Literal["fulamt_ownpay_amt", "preselfpay_amt", "overlmt_selfpay"]
    amount: WireYuan
    side: Annotated[Literal["copay", "out_of_catalogue"], Field(alias="as")]


class NationalOrigin(BaseModel):
    """From which mapping of the national settlement list a settlement was made, and what it counted where."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mapping_id: Identifier
    mapping_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    counted: tuple[CountedDetail, ...]
    acct_pay: WireYuan


_NATIONAL = "how a settlement came out of a national settlement list; another sender may use the name otherwise"


def _if_ours(value: object, handler: ValidatorFunctionWrapHandler) -> NationalOrigin | None:
    """What is not of this form is a field of the sender's own, which the ledger keeps and nobody reads."""
    try:
        origin: NationalOrigin | None = handler(value)
    except ValidationError:
        return None
    return origin


class Advance(BaseModel):
    """What the hospital took off the bill for one scheme: it is paid back what is due (payers.md, section 1)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    scheme_id: Identifier
    amount: WireYuan


ADVANCES_MAX = 50
"""On one bill. Far more than a policy has schemes; each becomes a line of the claim's decisions."""


def _none_listed(value: object) -> object:
    return () if value is None else value


def _or_null(schema: JsonDict) -> None:
    """A list that may be left out may be null as well: its schema says so too."""
    listed: JsonDict = {name: schema.pop(name) for name in ("type", "items", "maxItems")}
    schema["anyOf"] = [listed, {"type": "null"}]


def _at_most(items: int) -> Any:
    return Field(max_length=items, json_schema_extra=_or_null)


class SettlementPosted(Fact):
    """One bill of an encounter; interim bills have ``final`` false. Amounts: yuan on the wire, fen inside."""

    money_fields = (
        "total_charge",
        "basic_insurance_paid",
        "serious_illness_paid",
        "medical_assistance_paid",
        "other_fund_paid",
        "copay",
        "out_of_catalogue",
    )
    event_type: Literal["settlement.posted"]
    settlement_id: Identifier
    version: Version
    encounter_id: EncounterIdentifier
    facility_id: FacilityIdentifier
    settled_at: Instant
    final: Annotated[bool, Field(strict=True)]
    currency: Annotated[str, Field(strict=True), BeforeValidator(_no_number), WithJsonSchema({"const": "CNY"})]
    total_charge: WireYuan
    basic_insurance_paid: WireYuan
    serious_illness_paid: WireYuan
    medical_assistance_paid: WireYuan
    other_fund_paid: WireYuan
    copay: WireYuan
    out_of_catalogue: WireYuan
    invoice_no: Identifier | None = None
    advances: Annotated[tuple[Advance, ...], _at_most(ADVANCES_MAX), BeforeValidator(_none_listed)] = ()
    national: Annotated[NationalOrigin | None, WrapValidator(_if_ours), WithJsonSchema({"description": _NATIONAL})] = (
        None
    )

    @property
    def subject(self) -> Subject:
        return Subject(Kind.SETTLEMENT, self.settlement_id)


class SettlementVoided(Fact):
    """A settlement counts zero from this version on."""

    event_type: Literal["settlement.voided"]
    settlement_id: Identifier
    version: Version
    encounter_id: EncounterIdentifier
    reason: Text

    @property
    def subject(self) -> Subject:
        return Subject(Kind.SETTLEMENT, self.settlement_id)


class EndedReason(StrEnum):
    """Why a coverage ended (time.md, section 6)."""

    INCOME = "income"
    ASSETS = "assets"
    EMPLOYMENT = "employment"
    MOVED = "moved"
    DEATH = "death"
    FRAUD = "fraud"
    REQUEST = "request"


class CoverageRecorded(Fact):
    """A person belongs to a programme, in a category, on the days of ``[valid_from, valid_to)``.

    ``ended_reason`` says why it ends there; a scheme may count it for some months more. Without ``valid_to`` it says
    nothing.
    """

    event_type: Literal["coverage.recorded"]
    coverage_id: Identifier
    version: Version
    programme: Identifier
    category: Identifier
    household_id: Identifier | None = None
    pool_id: Identifier | None = None
    area: Identifier | None = None
    valid_from: BusinessDate
    valid_to: BusinessDate | None = None
    ended_reason: EndedReason | None = None

    @property
    def subject(self) -> Subject:
        return Subject(Kind.COVERAGE, self.coverage_id)


class CoverageVoided(Fact):
    """A coverage never was, from this version on."""

    event_type: Literal["coverage.voided"]
    coverage_id: Identifier
    version: Version
    reason: Text

    @property
    def subject(self) -> Subject:
        return Subject(Kind.COVERAGE, self.coverage_id)


class UnitKind(StrEnum):
    """How a person's claims are counted: with their household's, or alone (单人户, 集体户)."""

    HOUSEHOLD = "household"
    SINGLE = "single"
    COLLECTIVE = "collective"


class MembershipRecorded(Fact):
    """A person belongs to a household on the days of ``[valid_from, valid_to)`` (groups.md, section 2)."""

    event_type: Literal["membership.recorded"]
    membership_id: Identifier
    version: Version
    household_id: Identifier
    unit: UnitKind
    role: Identifier | None = None
    valid_from: BusinessDate
    valid_to: BusinessDate | None = None

    @property
    def subject(self) -> Subject:
        return Subject(Kind.MEMBERSHIP, self.membership_id)


class MembershipVoided(Fact):
    """A membership never was, from this version on."""

    event_type: Literal["membership.voided"]
    membership_id: Identifier
    version: Version
    reason: Text

    @property
    def subject(self) -> Subject:
        return Subject(Kind.MEMBERSHIP, self.membership_id)


class PersonDied(Fact):
    """A person has died; what was treated before still counts."""

    event_type: Literal["person.died"]
    version: Version
    died_on: BusinessDate

    @property
    def subject(self) -> Subject:
        return Subject(Kind.PERSON, self.person_id)


class OccasionFact(Fact):
    """Of an occasion other than a stay, which makes a claim of its own (time.md, sections 5 and 7)."""

    @property
    @abstractmethod
    def claim_id(self) -> ClaimId:
        """The claim that the occasion makes."""


class AidDecided(OccasionFact):
    """Temporary aid was granted to a person (临时救助, 急诊救助). Amounts: yuan on the wire, fen inside, over zero.

    ``emergency``, ``alert_id`` and who decided it are shown and decide nothing.
    """

    money_fields = ("amount",)
    event_type: Literal["aid.decided"]
    aid_id: Identifier
    version: Version
    level: Identifier
    amount: WireYuan
    emergency: Annotated[bool, Field(strict=True)]
    decided_on: BusinessDate
    decided_by: Identifier
    countersigned_by: Identifier
    alert_id: Identifier | None = None
    reason: Text

    @property
    def subject(self) -> Subject:
        return Subject(Kind.AID, self.aid_id)

    @property
    def claim_id(self) -> ClaimId:
        return claim_of_aid(self.aid_id)


class AidVoided(OccasionFact):
    """An aid was never granted, from this version on."""

    event_type: Literal["aid.voided"]
    aid_id: Identifier
    version: Version
    reason: Text

    @property
    def subject(self) -> Subject:
        return Subject(Kind.AID, self.aid_id)

    @property
    def claim_id(self) -> ClaimId:
        return claim_of_aid(self.aid_id)


INCIDENT_DAYS_MAX = 100_000
"""Days of one incident: more than a life has."""

EVIDENCE_MAX = 100
"""Documents that one incident may name."""

_Sha256 = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{64}$"), BeforeValidator(_no_number)]


class IncidentRecorded(OccasionFact):
    """Something happened to a person that a product insures: an injury, a disability, days of nursing.

    ``verified_loss`` is in yuan on the wire and fen inside, not below zero. ``evidence`` holds the SHA-256 of papers;
    it, ``event_code`` and who verified it are shown and decide nothing.
    """

    money_fields = ("verified_loss",)
    event_type: Literal["incident.recorded"]
    incident_id: Identifier
    version: Version
    kind: Identifier
    occurred_on: BusinessDate
    degree: Identifier | None = None
    verified_loss: WireYuan | None = None
    days: Annotated[int, Field(strict=True, ge=0, le=INCIDENT_DAYS_MAX)] | None = None
    event_code: Identifier | None = None
    evidence: Annotated[tuple[_Sha256, ...], _at_most(EVIDENCE_MAX), BeforeValidator(_none_listed)] = ()
    recorded_by: Identifier
    verified_by: Identifier

    @property
    def subject(self) -> Subject:
        return Subject(Kind.INCIDENT, self.incident_id)

    @property
    def claim_id(self) -> ClaimId:
        return claim_of_incident(self.incident_id)


class IncidentVoided(OccasionFact):
    """An incident never was, from this version on."""

    event_type: Literal["incident.voided"]
    incident_id: Identifier
    version: Version
    reason: Text

    @property
    def subject(self) -> Subject:
        return Subject(Kind.INCIDENT, self.incident_id)

    @property
    def claim_id(self) -> ClaimId:
        return claim_of_incident(self.incident_id)


class PayoutStatus(StrEnum):
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"


class PayoutReported(Fact):
    """An insurer says what became of an instruction. Has no version: the same report twice is one report."""

    event_type: Literal["payout.reported"]
    payout_id: PayoutIdentifier
    status: PayoutStatus
    reported_at: Instant
    reference: Identifier
    reason: Text | None = None

    @property
    def subject(self) -> Subject:
        return Subject(Kind.PAYOUT, self.payout_id)


class AnswerVerdict(StrEnum):
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"


INSURER = r"^[a-z0-9][a-z0-9-]{0,63}$"
"""The form of an insurer's id, as treaties have it."""

_InsurerIdentifier = Annotated[
    PersonId,
    StringConstraints(strict=True, pattern=INSURER),
    _TEXT_ONLY,
    WithJsonSchema({"type": "string", "pattern": INSURER}),
    Field(alias="insurer_id"),
]

LISTED_MAX = 10_000
"""Lines that one answer may dispute."""


class StatementAnswered(Fact):
    """An insurer confirms or disputes a statement. Decides no claim and moves no money.

    It belongs to no person: what stands in the place of the person's id is the insurer's.
    """

    owner_field = "insurer_id"
    event_type: Literal["statement.answered"]
    person_id: _InsurerIdentifier
    statement_id: StatementIdentifier
    version: Version
    verdict: AnswerVerdict
    lines: Annotated[tuple[LineNumber, ...], _at_most(LISTED_MAX), BeforeValidator(_none_listed)] = ()
    """The numbers of the lines that are disputed; none if the whole statement is, or if it is confirmed."""
    reasons: Annotated[tuple[Text, ...], _at_most(LISTED_MAX), BeforeValidator(_none_listed)] = ()
    """Why: one for each of the lines, in their order; without lines, one or more for the whole statement."""

    @property
    def subject(self) -> Subject:
        return Subject(Kind.STATEMENT, self.statement_id)


_PoolIdentifier = Annotated[PersonId, _PRINTABLE, _TEXT_ONLY, _AS_SCHEMA, Field(alias="pool_id")]


class PoolFact(Fact):
    """Something about a pool of money (资金池; groups.md, section 3). Decides no claim: due never depends on money.

    It belongs to no person: what stands in the place of the person's id is the pool's.
    """

    owner_field = "pool_id"
    person_id: _PoolIdentifier

    @property
    def pool_id(self) -> str:
        """The pool's id."""
        return self.person_id


class OnShortage(StrEnum):
    """What a pool does when its money does not cover what is due."""

    OWE = "owe"
    QUEUE = "queue"
    PRO_RATA = "pro_rata"


class PoolRecorded(PoolFact):
    """A village's or fund's pool, and its rule for a shortage. ``opened_on`` and ``area`` decide nothing."""

    event_type: Literal["pool.recorded"]
    version: Version
    title: Identifier
    area: Identifier | None = None
    on_shortage: OnShortage = OnShortage.OWE
    opened_on: BusinessDate

    @property
    def subject(self) -> Subject:
        return Subject(Kind.POOL, self.pool_id)


class ContributionKind(StrEnum):
    """Where a contribution comes from."""

    VILLAGER = "villager"
    COLLECTIVE = "collective"
    GOVERNMENT = "government"
    DONATION = "donation"
    LOTTERY = "lottery"
    TRANSFER = "transfer"


RESTRICTED_MAX = 50
"""Schemes that one contribution may name."""


class ContributionReceived(PoolFact):
    """Money that a pool received. Amounts: yuan on the wire, fen inside, over zero.

    ``restricted_to`` are the only schemes that it may pay for; none if it is free. ``heads`` says for how many
    villagers it was paid, ``payer`` who paid it; both are shown and decide nothing.
    """

    money_fields = ("amount",)
    event_type: Literal["contribution.received"]
    contribution_id: Identifier
    version: Version
    kind: ContributionKind
    amount: WireYuan
    received_on: BusinessDate
    heads: Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)] | None = None
    payer: Identifier | None = None
    restricted_to: Annotated[
        tuple[Identifier, ...],
        _at_most(RESTRICTED_MAX),
        BeforeValidator(_none_listed),
    ] = ()
    reference: Identifier

    @property
    def subject(self) -> Subject:
        return Subject(Kind.CONTRIBUTION, self.contribution_id)


class ContributionVoided(PoolFact):
    """A contribution was never received, from this version on."""

    event_type: Literal["contribution.voided"]
    contribution_id: Identifier
    version: Version
    reason: Text

    @property
    def subject(self) -> Subject:
        return Subject(Kind.CONTRIBUTION, self.contribution_id)


FACT_TYPES: dict[str, type[Fact]] = {
    "encounter.discharged": EncounterDischarged,
    "settlement.posted": SettlementPosted,
    "settlement.voided": SettlementVoided,
    "coverage.recorded": CoverageRecorded,
    "coverage.voided": CoverageVoided,
    "person.died": PersonDied,
    "membership.recorded": MembershipRecorded,
    "membership.voided": MembershipVoided,
    "payout.reported": PayoutReported,
    "statement.answered": StatementAnswered,
    "pool.recorded": PoolRecorded,
    "contribution.received": ContributionReceived,
    "contribution.voided": ContributionVoided,
    "aid.decided": AidDecided,
    "aid.voided": AidVoided,
    "incident.recorded": IncidentRecorded,
    "incident.voided": IncidentVoided,
}
"""Every event type that is understood, by its name on the wire."""
