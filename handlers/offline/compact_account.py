"""A person's account from compact events, without the rules of admission where it needs none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, cast

from handlers.claims.account import Account, Claim
from handlers.offline.compact_events import BILL, COVERAGE, DAYS, DEATH, STAY, UNCOVERED, VOID, Record
from schemas.facts import CoverageRecorded, EncounterDischarged, PersonDied, SettlementPosted

Line = tuple[str, str]

_LINES = {STAY: STAY, BILL: BILL, VOID: BILL, COVERAGE: COVERAGE, UNCOVERED: COVERAGE, DEATH: DEATH}
"""The letter of the line of versions that a record belongs to."""

# What adjudication reads of a fact, under the same names: a fact itself takes ten times as long to make.


class _Stay(NamedTuple):
    facility_level: str
    care_type: str
    admitted_on: date
    discharged_on: date
    diagnoses: Sequence[str]


class _Bill(NamedTuple):
    settled_at: datetime
    final: bool
    copay: int
    out_of_catalogue: int


class _Coverage(NamedTuple):
    programme: str
    category: str
    area: str | None
    valid_from: date
    valid_to: date | None


class _Death(NamedTuple):
    died_on: date


@dataclass(slots=True)
class RecordedAccount(Account):
    """An account that decides like any other; what it holds of each fact is only what `adjudicate` reads."""

    stays: dict[str, EncounterDischarged] = field(default_factory=dict)
    bills: dict[str, dict[str, SettlementPosted | None]] = field(default_factory=dict)
    covers: dict[str, CoverageRecorded | None] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)

    def claim_ids(self) -> set[str]:
        return self.stays.keys() | self.bills.keys()

    def claim(self, claim_id: str) -> Claim:
        made = self.claims.get(claim_id)  # asked for once for each of two policies
        if made is None:
            made = self.claims[claim_id] = self._claim(claim_id)
        return made

    def _claim(self, claim_id: str) -> Claim:
        bills = self.bills.get(claim_id, {})
        live = tuple([bill for bill in bills.values() if bill is not None])
        return Claim(claim_id, self.person_id, self.stays.get(claim_id), len(bills), live)

    def recorded_coverages(self) -> Iterable[CoverageRecorded]:
        if len(self.covers) < 2:
            return [each for each in self.covers.values() if each is not None]
        return [each for _, each in sorted(self.covers.items()) if each is not None]


def doubtful(records: Iterable[Record]) -> set[Line]:
    """The lines of versions in which not every record of a person is plainly news, in the order of their arrival.

    In all the others each version is higher than those before it and no settlement changes its encounter, so `admit`
    accepts them all, as long as no other person names the id: the caller knows that.
    """
    seen: dict[Line, Record] = {}
    found = set()
    for record in records:
        line = line_of(record)
        known = seen.get(line)
        if known is not None and (record[3] <= known[3] or (line[0] == BILL and record[4] != known[4])):
            found.add(line)
        seen[line] = record
    return found


def makes_claims(records: Iterable[Record]) -> bool:
    """Whether there is a discharge or a settlement among them: without one there is nothing to decide."""
    return any(record[0] in _CLAIMING for record in records)


_CLAIMING = frozenset((STAY, BILL, VOID))


def line_of(record: Record) -> Line:
    """The line of versions that a record belongs to: the letter of its kind, and its id."""
    return (_LINES[record[0]], record[2])


def account_of(person_id: str, records: Iterable[Record]) -> RecordedAccount:
    """The account that a person's accepted records make, each newer than those of its id before it."""
    account = RecordedAccount(person_id)
    for record in records:
        letter = record[0]
        if letter == COVERAGE:
            _, _, name, _, programme, category, area, valid_from, valid_to = record
            until = None if valid_to is None else DAYS[valid_to]
            cover = _Coverage(programme, category, area, DAYS[valid_from], until)
            account.covers[name] = cast(CoverageRecorded, cover)
        elif letter == BILL:
            _, _, name, _, encounter_id, settled_at, final, copay, out_of_catalogue = record
            bill = _Bill(datetime.fromisoformat(settled_at), final, copay, out_of_catalogue)
            account.bills.setdefault(encounter_id, {})[name] = cast(SettlementPosted, bill)
        elif letter == STAY:
            _, _, name, _, level, care_type, admitted_on, discharged_on, diagnoses = record
            stay = _Stay(level, care_type, DAYS[admitted_on], DAYS[discharged_on], diagnoses)
            account.stays[name] = cast(EncounterDischarged, stay)
        elif letter == VOID:
            account.bills.setdefault(record[4], {})[record[2]] = None
        elif letter == UNCOVERED:
            account.covers[record[2]] = None
        elif letter == DEATH:
            account.death = cast(PersonDied, _Death(DAYS[record[4]]))
    return account


def identities(record: Record) -> tuple[Line, ...]:
    """The ids that a record binds to its person, each with the letter of its kind (`admit.claims_of_identity`)."""
    letter = record[0]
    if letter == DEATH:
        return ()
    if letter in (BILL, VOID):
        return ((BILL, record[2]), (STAY, record[4]))
    return ((_LINES[letter], record[2]),)
