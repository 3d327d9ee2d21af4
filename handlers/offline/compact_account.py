"""A person's account from compact records, without the rules of admission where it needs none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from handlers.claims.account import CoverageView, DeathView, DecidableClaim
from handlers.fast.usual_events import DAYS
from handlers.offline.compact_events import (
    BILL,
    COVERAGE,
    DEATH,
    ENCOUNTER_ID,
    LETTER,
    STAY,
    SUBJECT_ID,
    UNCOVERED,
    VERSION,
    VOID,
    CompactRecord,
)
from schemas.ids import ClaimId, PersonId

LineKey = tuple[str, str]
"""A line of versions: the letter of its kind, and its id."""

_LINES = {STAY: STAY, BILL: BILL, VOID: BILL, COVERAGE: COVERAGE, UNCOVERED: COVERAGE, DEATH: DEATH}
"""The letter of the line of versions that a record belongs to."""

# What adjudication reads of a fact, under the same names: a fact itself takes ten times as long to make.


class CompactStay(NamedTuple):
    facility_level: str
    care_type: str
    admitted_on: date
    discharged_on: date
    diagnoses: Sequence[str]


class CompactBill(NamedTuple):
    settled_at: datetime
    final: bool
    copay: int
    out_of_catalogue: int


class CompactCoverage(NamedTuple):
    programme: str
    category: str
    area: str | None
    valid_from: date
    valid_to: date | None


class CompactDeath(NamedTuple):
    died_on: date


@dataclass(slots=True)
class CompactAccount:
    """Of each fact it holds only what `adjudicate` reads (a `Decidable`); None where voided."""

    person_id: PersonId
    stays: dict[ClaimId, CompactStay] = field(default_factory=dict)
    bills: dict[ClaimId, dict[str, CompactBill | None]] = field(default_factory=dict)
    coverages: dict[str, CompactCoverage | None] = field(default_factory=dict)
    death: DeathView | None = None
    _claims: dict[ClaimId, DecidableClaim] = field(default_factory=dict, init=False, repr=False)

    def claim_ids(self) -> set[ClaimId]:
        """Every encounter that has a discharge or a settlement."""
        return self.stays.keys() | self.bills.keys()

    def claim(self, claim_id: ClaimId) -> DecidableClaim:
        """The claim for one encounter; made once, as two policies may ask for it."""
        claim = self._claims.get(claim_id)
        if claim is None:
            bills = self.bills.get(claim_id, {})
            live = tuple([bill for bill in bills.values() if bill is not None])
            claim = DecidableClaim(claim_id, self.person_id, self.stays.get(claim_id), len(bills), live)
            self._claims[claim_id] = claim
        return claim

    def recorded_coverages(self) -> Iterable[CoverageView]:
        """The coverages that were not voided, in order of their ids."""
        if len(self.coverages) < 2:
            return [coverage for coverage in self.coverages.values() if coverage is not None]
        return [coverage for _, coverage in sorted(self.coverages.items()) if coverage is not None]


def doubtful(records: Iterable[CompactRecord]) -> set[LineKey]:
    """The lines of versions in which some record of a person is not plainly news, in the order of arrival.

    In all the others each version is higher than those before it and no settlement changes its encounter, so `admit`
    accepts them all, provided that no other person names the id, which the caller checks.
    """
    latest: dict[LineKey, CompactRecord] = {}
    doubts = set()
    for record in records:
        line = line_of(record)
        before = latest.get(line)
        if before is not None and (
            record[VERSION] <= before[VERSION] or (line[0] == BILL and record[ENCOUNTER_ID] != before[ENCOUNTER_ID])
        ):
            doubts.add(line)
        latest[line] = record
    return doubts


def makes_claims(records: Iterable[CompactRecord]) -> bool:
    """Whether there is a discharge or a settlement among them: without one there is nothing to decide."""
    return any(record[LETTER] in _CLAIMING for record in records)


_CLAIMING = frozenset((STAY, BILL, VOID))


def line_of(record: CompactRecord) -> LineKey:
    """The line of versions that a record belongs to."""
    return (_LINES[record[LETTER]], record[SUBJECT_ID])


def compact_account_of(person_id: PersonId, records: Iterable[CompactRecord]) -> CompactAccount:
    """The account that a person's accepted records make, each newer than those of its id before it."""
    account = CompactAccount(person_id)
    for record in records:
        letter = record[LETTER]
        if letter == COVERAGE:
            _, _, coverage_id, _, programme, category, area, valid_from, valid_to = record
            until = None if valid_to is None else DAYS[valid_to]
            account.coverages[coverage_id] = CompactCoverage(programme, category, area, DAYS[valid_from], until)
        elif letter == BILL:
            _, _, settlement_id, _, encounter_id, settled_at, final, copay, out_of_catalogue = record
            bill = CompactBill(datetime.fromisoformat(settled_at), final, copay, out_of_catalogue)
            account.bills.setdefault(encounter_id, {})[settlement_id] = bill
        elif letter == STAY:
            _, _, encounter_id, _, level, care_type, admitted_on, discharged_on, diagnoses = record
            stay = CompactStay(level, care_type, DAYS[admitted_on], DAYS[discharged_on], diagnoses)
            account.stays[encounter_id] = stay
        elif letter == VOID:
            _, _, settlement_id, _, encounter_id = record
            account.bills.setdefault(encounter_id, {})[settlement_id] = None
        elif letter == UNCOVERED:
            account.coverages[record[SUBJECT_ID]] = None
        elif letter == DEATH:
            _, _, _, _, died_on = record
            account.death = CompactDeath(DAYS[died_on])
    return account


def identities(record: CompactRecord) -> tuple[LineKey, ...]:
    """The ids that a record binds to its person (`admit.claims_of_identity`)."""
    letter = record[LETTER]
    if letter == DEATH:
        return ()
    if letter in (BILL, VOID):
        return ((BILL, record[SUBJECT_ID]), (STAY, record[ENCOUNTER_ID]))
    return ((_LINES[letter], record[SUBJECT_ID]),)
