"""What passes between the pure decisions and the ledger: deliveries in, rows out.

Plain frozen records, so that `handlers` (which makes them) and `infra` (which stores them) need not know each other.
Amounts are fen, hashes are lower-case hexadecimal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from schemas.alert_records import AlertChange
from schemas.canonical import NO_HASH
from schemas.closed_days import ClosedDay
from schemas.decisions import Status
from schemas.facts import Kind
from schemas.ids import ClaimId, EncounterId, FacilityId, PayoutId, PersonId, PolicyId
from schemas.pool_records import ContributionRow, PoolRow, PoolWork
from schemas.treaty.treaty_model import FUND


class Delivery(NamedTuple):
    """One message of a Kafka partition; ``traceparent`` is that of its headers (schemas/traceparent.py)."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """All messages of ``[start, end)`` of one partition."""

    topic: str
    partition: int
    start: int
    end: int
    deliveries: tuple[Delivery, ...]


class EventRow(NamedTuple):
    """One event as it was taken in, whatever became of it: the original bytes and where they came from.

    ``number`` is the position in its batch. An act of an operator has no offset.
    """

    number: int
    shard: int
    topic: str
    partition: int
    offset: int | None
    key: bytes | None
    value: bytes | None
    recorded_at: datetime
    disposition: str


class FactRow(NamedTuple):
    """An accepted event's place in its line of versions; ``number`` says which event of the batch it is."""

    kind: Kind
    subject_id: str
    version: int
    person_id: PersonId
    content_sha256: str
    number: int


class SubjectRow(NamedTuple):
    """An id, bound to its person (and a settlement to its encounter) by the first accepted event that names it."""

    kind: Kind
    subject_id: str
    person_id: PersonId
    encounter_id: EncounterId | None


class RefusalRow(NamedTuple):
    number: int
    code: str
    pointers: list[str]
    zh: str
    en: str


class ClaimRow(NamedTuple):
    """A claim as last decided. ``fingerprint`` tells whether a new outcome differs.

    ``discharged_on`` is its policy date, of whatever occasion; an incident or aid that was voided keeps the last one.
    The patient pays what the benefits leave of the burden; sums assured leave all of it.

    ``advanced``: a facility has advanced money for it, now or at some time, so it has rows of `FacilityRow`.
    ``household_id`` is the household with whose sums it was counted, None where it was counted alone or where no scheme
    counts by household. ``overlapping`` says that several memberships hold its day.
    ``twice`` says why it may be there twice, and ``hold_released`` what of that two people have looked at
    (handlers/claims/twice.py); ``held`` that nothing more is paid for it meanwhile. ``crossings`` are the steps of
    watches that it crosses (handlers/watches/kept_crossings.py).
    """

    claim_id: ClaimId
    person_id: PersonId
    shard: int
    revision: int
    status: Status
    fingerprint: str
    policy_sha256: str | None
    discharged_on: date | None
    personal_burden: int
    total_benefit: int
    advanced: bool = False
    household_id: str | None = None
    overlapping: bool = False
    twice: str = ""
    held: bool = False
    hold_released: str = ""
    patient_pays: int = 0
    crossings: str = ""


class InvoiceRow(NamedTuple):
    """What links everybody who names an invoice, and the first person who did."""

    link: str
    person_id: PersonId


class SharedInvoiceRow(NamedTuple):
    """A person whose claims are decided with those of others who name the same invoice."""

    link: str
    person_id: PersonId


class ReleaseHold(NamedTuple):
    """An operator's order to pay a claim that is held.

    ``released`` are code, invoice and other claim of what two people have looked at. ``persons`` are all whose claims
    are decided together with it, in order of their ids.
    """

    claim_id: ClaimId
    person_id: PersonId
    released: list[list[str]]
    persons: list[PersonId]
    operator: str
    reason: str


class MembershipRow(NamedTuple):
    """The household to which the newest version of a membership links its person; None if it links to none."""

    membership_id: str
    person_id: PersonId
    household_id: str | None


class GroupWork(NamedTuple):
    """A person whose claims wait to be decided with those of others, because of event ``number``.

    ``households`` link the person, or did so before the event, and so do invoices that others name
    (`handlers.claims.twice.link_of`). ``moved``: it was a membership. ``traceparent`` is that of the event.
    """

    number: int
    person_id: PersonId
    shard: int
    households: list[str]
    moved: bool
    traceparent: str | None = None


class GroupStep(NamedTuple):
    """Persons whose claims are decided together, in order of their ids; those of ``moved`` have just changed."""

    persons: list[PersonId]
    moved: list[PersonId]


class DecisionRow(NamedTuple):
    """One decision of a claim, as published."""

    claim_id: ClaimId
    revision: int
    number: int
    value: bytes


class BenefitRow(NamedTuple):
    """What a scheme owes for a claim now, and what of it was ``released``: instructed so far, net, to all payees.

    ``instruction_revision`` is that of the person or the estate, and ``paid_by`` says who has paid their part
    (handlers/claims/payers.py). All is released at once, but what a pool pays: ``pool_id`` names it, and is empty where
    a pool should pay and the coverage names none. Its queue is in order of ``discharged_on``, claim and ``place``, the
    scheme's in the policy. The last decision said that ``told`` fen wait, and the close of a year left
    ``left_by_close`` fen unpaid. While the claim is ``held`` nothing more is released, and it is in no queue.
    """

    claim_id: ClaimId
    scheme_id: str
    tier: str | None
    basis: str | None
    measured: int
    benefit: int
    reason: str | None
    instruction_revision: int
    policy_id: PolicyId | None
    policy_sha256: str | None
    paid_by: str = ""
    released: int = 0
    pool_id: str | None = None
    discharged_on: date | None = None
    place: int = 0
    told: int = 0
    left_by_close: int = 0
    held: bool = False

    @property
    def waiting(self) -> int:
        """What is due and waits for a pool's money, in fen; nothing while the claim is held."""
        return 0 if self.held else self.benefit - self.released


class FacilityRow(NamedTuple):
    """What a facility has advanced for a claim and scheme, and what of it is paid back, which is also instructed, net.

    ``known``: the claim's policy has the scheme. The person, or the estate, gets the rest of the benefit. ``paid_by``
    says who has paid ``amount`` (handlers/claims/payers.py).
    """

    claim_id: ClaimId
    scheme_id: str
    facility_id: FacilityId
    advanced: int
    amount: int
    instruction_revision: int
    known: bool
    paid_by: str = ""


class InstructionRow(NamedTuple):
    """One payout instruction. The balance is the net sum instructed for (claim, scheme, payee) before and after it.

    ``payee_id`` is the facility's, or empty for the person or the estate.

    ``reissue_of`` names the failed payout that this one orders again, ``reversal_of`` the one that it takes off the
    books. ``payer`` is the fund, or the lead of the treaty ``treaty_id``. ``set_off_of`` names the recovery against
    which a payment is set off: it is kept back, and no money moves by it. ``pool_id`` is the pool whose money it is.
    """

    payout_id: PayoutId
    claim_id: ClaimId
    scheme_id: str
    revision: int
    kind: str
    amount: int
    balance_before: int
    balance_after: int
    person_id: PersonId
    number: int
    value: bytes
    reissue_of: str | None = None
    reversal_of: str | None = None
    payee_id: str = ""
    payer: str = FUND
    treaty_id: str | None = None
    set_off_of: str | None = None
    pool_id: str | None = None

    @property
    def moves_money(self) -> bool:
        """Whether whoever pays has to pay or collect because of it."""
        return self.reversal_of is None and self.set_off_of is None


class Posting(NamedTuple):
    """One leg of an entry in the books: fen to the debit of an account, or below zero to its credit.

    Entries are counted from 1 within their event, legs within their entry. ``effective_on`` is the day of discharge,
    ``booked_on`` the day of recording in Shanghai. ``reference`` names the payout or the statement.
    """

    number: int
    entry: int
    leg: int
    account: str
    amount: int
    effective_on: date
    booked_on: date
    reference: str


class PayoutStateRow(NamedTuple):
    """What the reports of one payout under one person add up to; a payout without reports has none.

    ``decided_by`` is the content hash of the report that made the state, ``last_status`` what the newest one says;
    the two differ only where reports contradict each other. ``matched``: the person's instruction is there; reports
    may come before it.
    """

    payout_id: PayoutId
    person_id: PersonId
    state: str
    last_status: str
    reported_at: datetime
    reference: str
    decided_by: str
    reports: int
    contradictions: int
    matched: bool = True


class PayoutState(StrEnum):
    """The state of a payout. A book entry takes a failed payout off the books: it moves no money."""

    INSTRUCTED = "instructed"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    BOOK = "book"


class PayoutRecord(NamedTuple):
    """One payout of the ledger; ``reissued_as`` names the payout that was ordered in its place.

    ``payee_id`` is the facility's, or empty for the person or the estate. ``payer`` is the fund, or the lead of the
    treaty ``treaty_id``. ``set_off_of`` names the recovery for which a payment is kept back. A recovery that was set
    off or waived says so by its ``manner`` (`Manner`), and what it has ``left`` to be set off.
    """

    payout_id: PayoutId
    claim_id: ClaimId
    scheme_id: str
    revision: int
    kind: str
    amount: int
    instructed_at: datetime
    state: PayoutState
    reported_at: datetime | None
    reference: str | None
    reports: int
    contradictions: int
    reissue_of: str | None
    reversal_of: str | None
    reissued_as: str | None
    payee_id: str = ""
    payer: str = FUND
    treaty_id: str | None = None
    set_off_of: str | None = None
    manner: str | None = None
    left: int | None = None


class AuditRow(NamedTuple):
    shard: int
    seq: int
    number: int
    kind: str
    actor: str
    value: bytes


class OutboxRow(NamedTuple):
    """A message to be sent to partition ``shard`` of ``topic``; ``seq`` has no gaps within the shard.

    ``traceparent`` is that of the event that caused it, and becomes a header.
    """

    shard: int
    seq: int
    topic: str
    key: bytes | None
    value: bytes
    traceparent: str | None = None


class InboxRow(NamedTuple):
    """An event that the API has acknowledged and that waits for Kafka: its bytes, and the line it belongs to.

    ``version`` is 0 for an event without versions. ``shard`` is its partition of ``topic``. ``household_id`` is the
    household to which a membership would link its person. ``traceparent`` is that of the request.
    """

    shard: int
    topic: str
    person_id: PersonId
    value: bytes
    kind: Kind
    subject_id: str
    version: int
    content_sha256: str
    encounter_id: EncounterId | None
    household_id: str | None = None
    traceparent: str | None = None


class Replay(NamedTuple):
    """An operator's order to send a refused event again, corrected or as it was, to its inbound topic.

    ``refused_no`` is the ledger's number of the refused event; ``shard`` is where the message goes.
    """

    refused_no: int
    shard: int
    topic: str
    key: bytes | None
    value: bytes
    operator: str
    reason: str


class Reissue(NamedTuple):
    """An operator's order to reissue a payout that failed or was returned."""

    payout_id: PayoutId
    person_id: PersonId
    operator: str
    reason: str


class Manner(StrEnum):
    """How a recovery is settled that nobody collects: against the person's next payments, or not at all."""

    SET_OFF = "set_off"
    WAIVED = "waived"


class SettleRecovery(NamedTuple):
    """An operator's order to set a recovery off, or to waive it; ``manner`` is a `Manner`."""

    payout_id: PayoutId
    person_id: PersonId
    manner: str
    operator: str
    reason: str


class SettledRecovery(NamedTuple):
    """A recovery of ``amount`` fen that an operator settled in event ``number``.

    ``left`` fen still wait for a payment against which they are set off; 0 for one that was waived. ``payer``,
    ``treaty_id`` and ``pool_id`` are those of the recovery.
    """

    payout_id: PayoutId
    person_id: PersonId
    manner: str
    amount: int
    left: int
    payer: str
    treaty_id: str | None
    reason: str
    operator: str
    number: int
    pool_id: str | None = None


class Export(NamedTuple):
    """An operator's act of taking data out of the ledger.

    ``filter`` says which rows, as the command or page does; ``sha256`` is that of the exported bytes.
    """

    what: str
    filter: dict[str, str]
    rows: int
    sha256: str
    operator: str


class CheckpointRow(NamedTuple):
    """A checkpoint as the ledger keeps it; the tree continues from ``frontier`` (handlers/audit/merkle.py)."""

    shard: int
    size: int
    root: str
    key_id: str
    made_at: datetime
    note: str
    frontier: bytes


@dataclass(slots=True)
class ShardState:
    """The ends of a shard's sequences; sequences start at 1, so 0 means none yet.

    What is recorded has no time before ``not_before``: a month that was issued or closed gets nothing more.
    ``redated`` counts the claims whose row got another day or household though no decision changed. Their audit entry
    is that of the event, which may be another shard's: with this count a process that remembers them knows.
    """

    shard: int
    audit_seq: int = 0
    audit_hash: str = NO_HASH
    outbox_seq: int = 0
    not_before: datetime | None = None
    redated: int = 0


@dataclass(slots=True)
class Outcome:
    """Everything one batch adds to the ledger, in order.

    ``set_off_left`` says what recoveries that were set off have left now, in fen.
    """

    events: list[EventRow] = field(default_factory=list)
    facts: list[FactRow] = field(default_factory=list)
    subjects: list[SubjectRow] = field(default_factory=list)
    refusals: list[RefusalRow] = field(default_factory=list)
    claims: dict[ClaimId, ClaimRow] = field(default_factory=dict)
    decisions: list[DecisionRow] = field(default_factory=list)
    benefits: dict[tuple[ClaimId, str], BenefitRow] = field(default_factory=dict)
    facilities: dict[tuple[ClaimId, str, FacilityId], FacilityRow] = field(default_factory=dict)
    instructions: list[InstructionRow] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    payout_states: dict[tuple[PayoutId, PersonId], PayoutStateRow] = field(default_factory=dict)
    memberships: dict[str, MembershipRow] = field(default_factory=dict)
    invoices: list[InvoiceRow] = field(default_factory=list)
    shared_invoices: list[SharedInvoiceRow] = field(default_factory=list)
    group_work: list[GroupWork] = field(default_factory=list)
    pools: dict[str, PoolRow] = field(default_factory=dict)
    contributions: dict[str, ContributionRow] = field(default_factory=dict)
    pool_work: list[PoolWork] = field(default_factory=list)
    closed_days: list[ClosedDay] = field(default_factory=list)
    settled: list[SettledRecovery] = field(default_factory=list)
    set_off_left: dict[PayoutId, int] = field(default_factory=dict)
    alerts: list[AlertChange] = field(default_factory=list)
    audit: list[AuditRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
