"""From accounts to columns, and from the columns of some persons back to accounts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from itertools import chain
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from handlers.claims.adjudicate import canonical_order
from handlers.claims.decidable import CoverageView, Decidable, DecidableClaim, MembershipView, Trace, nights_of
from handlers.claims.payees import taken_off
from handlers.offline.columns.layout import CLAIM, COVERAGE, MEMBERSHIP, SCHEMA
from schemas.dates import SHANGHAI
from schemas.ids import ClaimId, FacilityId, PersonId
from schemas.refusals import Refusal

FEN_MAX = 2**63 - 1
"""The highest amount in a column."""

_NOON = time(12)

_ROWS_AT_ONCE = 1_000
"""Persons that are unpacked together: as Python objects they take ten times the memory of columns."""


# What adjudication reads of a fact, under the same names: a fact itself takes ten times as long to make.


class CompactStay(NamedTuple):
    facility_level: str
    care_type: str
    admitted_on: date
    discharged_on: date
    diagnoses: Sequence[str]


class CompactAdvance(NamedTuple):
    scheme_id: str
    amount: int


class CompactBill(NamedTuple):
    """It has ids only where it has advances: nothing else depends on them."""

    settled_at: datetime
    final: bool
    copay: int
    out_of_catalogue: int
    settlement_id: str = ""
    facility_id: FacilityId = FacilityId("")
    advances: tuple[CompactAdvance, ...] = ()


class CompactCoverage(NamedTuple):
    """``coverage_id`` is its place in the order of the ids: nothing else depends on them."""

    coverage_id: str
    programme: str
    category: str
    area: str | None
    pool_id: str | None
    ended_reason: str | None
    valid_from: date
    valid_to: date | None


class CompactMembership(NamedTuple):
    membership_id: str
    household_id: str
    unit: str
    valid_from: date
    valid_to: date | None


class CompactIncident(NamedTuple):
    kind: str
    occurred_on: date
    degree: str | None
    verified_loss: int | None
    days: int | None


class CompactAid(NamedTuple):
    level: str
    amount: int
    decided_on: date


class CompactDeath(NamedTuple):
    died_on: date


class Packed(NamedTuple):
    """Accounts as columns, and those that no column holds, as the bills of a claim add up to more than FEN_MAX."""

    table: pa.Table
    beyond: Sequence[Decidable]


@dataclass(slots=True)
class _Lists:
    """The items of a list column, and where those of each row end."""

    items: list[tuple[Any, ...]] = field(default_factory=list)
    ends: list[int] = field(default_factory=lambda: [0])

    def array(self, kind: pa.StructType) -> pa.Array:
        columns = list(zip(*self.items, strict=True)) or [()] * kind.num_fields
        parts = [pa.array(column, one.type) for column, one in zip(columns, kind, strict=True)]
        items = pa.StructArray.from_arrays(parts, fields=list(kind))
        listed = pa.list_(pa.field("element", kind, nullable=False))
        return pa.ListArray.from_arrays(pa.array(self.ends, pa.int32()), items, type=listed)


def pack(accounts: Iterable[Decidable]) -> Packed:
    """A row for each account that has a claim."""
    beyond: list[Decidable] = []
    persons: list[str] = []
    deaths: list[date | None] = []
    claims, coverages, memberships = _Lists(), _Lists(), _Lists()
    for account in accounts:
        own = sorted(map(account.claim, account.claim_ids()), key=canonical_order)
        if any(claim.copay + claim.out_of_catalogue > FEN_MAX for claim in own):
            beyond.append(account)
            continue
        if not own:
            continue
        persons.append(account.person_id)
        deaths.append(None if account.death is None else account.death.died_on)
        invoices = {name: trace.invoices for name, trace in account.traces()}
        claims.items += [(*_claim(claim), sorted(set(invoices[claim.claim_id]))) for claim in own]
        claims.ends.append(len(claims.items))
        coverages.items += map(_coverage, account.recorded_coverages())
        coverages.ends.append(len(coverages.items))
        memberships.items += sorted(map(_membership, account.recorded_memberships()))
        memberships.ends.append(len(memberships.items))
    lines, refusals = [0] * len(persons), [""] * len(persons)
    lists = (claims.array(CLAIM), coverages.array(COVERAGE), memberships.array(MEMBERSHIP))
    return Packed(_table(persons, deaths, lists, lines, refusals), beyond)


def pack_refused(refused: Sequence[tuple[int, Refusal]]) -> pa.Table:
    """A row for each refused line."""
    nothing = _Lists(ends=[0] * (len(refused) + 1))
    told = [json.dumps(refusal.model_dump(mode="json"), ensure_ascii=False) for _, refusal in refused]
    persons, deaths = [""] * len(refused), [None] * len(refused)
    lines = [line for line, _ in refused]
    lists = [nothing.array(kind) for kind in (CLAIM, COVERAGE, MEMBERSHIP)]
    return _table(persons, deaths, lists, lines, told)


def refused_of(table: pa.Table) -> list[tuple[int, Refusal]]:
    """The refused lines among the rows of a table."""
    rows = table.select(["line", "refusal"]).filter(pc.greater(table.column("line"), 0)).to_pylist()
    return [(row["line"], Refusal.model_validate_json(row["refusal"])) for row in rows]


def _table(
    persons: list[str],
    deaths: Sequence[date | None],
    lists: Sequence[pa.Array],
    lines: list[int],
    refusals: list[str],
) -> pa.Table:
    return pa.table([pa.array(persons, pa.string()), pa.array(deaths, pa.date32()), *lists, lines, refusals], SCHEMA)


def _claim(claim: DecidableClaim) -> tuple[Any, ...]:
    """What a claim's row says, but for its invoices."""
    summed = (claim.claim_id, claim.settlements, len(claim.live), claim.copay, claim.out_of_catalogue, claim.filed_on)
    stay = claim.discharge
    advances = [(each.facility_id, each.scheme_id, each.amount) for each in taken_off(claim)]
    if stay is None:
        day = claim.policy_date
        return (*summed, None, None, day, day, (), advances, _occasion(claim))
    return (
        *summed,
        str(stay.facility_level),
        str(stay.care_type),
        stay.admitted_on,
        stay.discharged_on,
        stay.diagnoses,
        advances,
        None,
    )


def _occasion(claim: DecidableClaim) -> dict[str, Any] | None:
    incident, aid = claim.incident, claim.aid
    if incident is not None:
        told = {"degree": incident.degree, "verified_loss": incident.verified_loss, "days": incident.days}
        return {"trigger": "incident", "kind": incident.kind, **told}
    return None if aid is None else {"trigger": "aid", "kind": aid.level, "amount": aid.amount}


def _coverage(coverage: CoverageView) -> tuple[Any, ...]:
    named = (coverage.programme, coverage.category, coverage.area, coverage.pool_id)
    reason = None if coverage.ended_reason is None else str(coverage.ended_reason)
    return (*named, reason, coverage.valid_from, coverage.valid_to)


def _membership(membership: MembershipView) -> tuple[Any, ...]:
    named = (membership.membership_id, membership.household_id, str(membership.unit))
    return (*named, membership.valid_from, membership.valid_to)


@dataclass(slots=True)
class PackedAccount:
    """A person as a row tells of them (a `Decidable`). All live bills of a claim are one, their sum.

    Each of its advances is one more, without other amounts. ``invoices`` are those of the claims that have any.
    """

    person_id: PersonId
    death: CompactDeath | None
    claims: dict[ClaimId, DecidableClaim]
    coverages: list[CompactCoverage]
    memberships: list[CompactMembership]
    invoices: dict[ClaimId, list[str]]

    def claim_ids(self) -> set[ClaimId]:
        """Every encounter that has a discharge or a settlement, and every other occasion."""
        return set(self.claims)

    def claim(self, claim_id: ClaimId) -> DecidableClaim:
        """The claim for one encounter."""
        return self.claims[claim_id]

    def traces(self) -> Iterable[tuple[ClaimId, Trace]]:
        """Of each claim what no other one must have."""
        for claim_id, claim in self.claims.items():
            stay = claim.discharge
            yield (
                claim_id,
                Trace(self.invoices.get(claim_id, ()), None if stay is None or claim.voided else nights_of(stay)),
            )

    def recorded_memberships(self) -> Sequence[MembershipView]:
        """The memberships of households that were not voided."""
        return self.memberships

    def recorded_coverages(self) -> Iterable[CoverageView]:
        """The coverages that were not voided, in order of their ids."""
        return self.coverages


def unpack(table: pa.Table) -> Iterator[PackedAccount]:
    """The accounts of the persons in a table; the rows of refused lines have no claims."""
    for row in chain.from_iterable(batch.to_pylist() for batch in table.to_batches(_ROWS_AT_ONCE)):
        if not row["claims"]:
            continue
        person_id, died_on = PersonId(row["person_id"]), row["died_on"]
        claims = {each["claim_id"]: _claim_of(person_id, each) for each in row["claims"]}
        coverages = [CompactCoverage(_place(index), **each) for index, each in enumerate(row["coverages"])]
        memberships = [CompactMembership(**each) for each in row["memberships"]]
        death = None if died_on is None else CompactDeath(died_on)
        invoices = {each["claim_id"]: each["invoices"] for each in row["claims"] if each["invoices"]}
        yield PackedAccount(person_id, death, claims, coverages, memberships, invoices)


def _claim_of(person_id: PersonId, row: dict[str, Any]) -> DecidableClaim:
    if row["occasion"] is not None:
        return _occasional_claim(person_id, row)
    day, filed_on = row["discharged_on"], row["filed_on"]
    stay = None
    if day is not None:
        stay = CompactStay(row["facility_level"], row["care_type"], row["admitted_on"], day, row["diagnoses"])
    bill = _sum_of_bills(filed_on, row["copay"], row["out_of_catalogue"])
    advances = [_advance(bill.settled_at, index, each) for index, each in enumerate(row["advances"])]
    live = (bill, *advances) if row["live"] else ()
    return DecidableClaim(row["claim_id"], person_id, stay, row["settlements"], live)


def _occasional_claim(person_id: PersonId, row: dict[str, Any]) -> DecidableClaim:
    claim_id, day, told = row["claim_id"], row["discharged_on"], row["occasion"]
    if told["trigger"] == "aid":
        return DecidableClaim(claim_id, person_id, None, 0, (), aid=CompactAid(told["kind"], told["amount"], day))
    incident = CompactIncident(told["kind"], day, told["degree"], told["verified_loss"], told["days"])
    return DecidableClaim(claim_id, person_id, None, 0, (), incident=incident)


def _advance(settled_at: datetime, index: int, row: dict[str, Any]) -> CompactBill:
    """A bill of one advance; ``index`` keeps the order in which they are paid back."""
    advance = CompactAdvance(row["scheme_id"], row["amount"])
    return CompactBill(settled_at, False, 0, 0, _place(index), row["facility_id"], (advance,))


def _place(index: int) -> str:
    """In place of an id: sorts as the index does."""
    return f"{index:09}"


def _sum_of_bills(filed_on: date | None, copay: int, out_of_catalogue: int) -> CompactBill:
    """One bill in place of all that are live."""
    filed_at = datetime.combine(filed_on or date.min, _NOON, SHANGHAI)
    return CompactBill(filed_at, filed_on is not None, copay, out_of_catalogue)


def with_sums(claim: DecidableClaim, copay: int, out_of_catalogue: int) -> DecidableClaim:
    """An unpacked claim with other amounts (fen)."""
    bill = _sum_of_bills(claim.filed_on, copay, out_of_catalogue)
    advances = [other for other in claim.live if other.advances]
    return replace(claim, live=(bill, *advances) if claim.live else ())
