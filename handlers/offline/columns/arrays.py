"""The columns of many persons as numpy arrays of whole numbers: fen, days since 1970-01-01, and codes of words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.facts import UnitKind

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

EPOCH = date(1970, 1, 1).toordinal()
FIRST, LAST = date.min.toordinal() - EPOCH, date.max.toordinal() - EPOCH

NEVER = 2**40
"""In place of a day that does not come: later than every day."""


class DamagedColumns(Exception):
    """Columns that hold what was never packed."""


def number_of(day: date) -> int:
    """A day as a number of days since 1970-01-01."""
    return day.toordinal() - EPOCH


def day_of(number: int) -> date:
    """The day of a number of days since 1970-01-01."""
    return date.fromordinal(number + EPOCH)


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words: a code for each row, and the word of each code. No word has the code of an empty row."""

    codes: Ints
    names: list[str]

    def any_of(self, words: Collection[str]) -> Bools:
        """Which rows hold one of some words."""
        return self.where([name in words for name in self.names])

    def where(self, chosen: list[bool]) -> Bools:
        """Which rows hold one of the words that are chosen by their codes."""
        return np.array([*chosen, False], np.bool_)[self.codes]

    def numbers(self, of: dict[str, int], otherwise: int) -> Ints:
        """For each row the number of its word."""
        return np.array([*(of.get(name, otherwise) for name in self.names), otherwise], np.int64)[self.codes]


@dataclass(frozen=True, slots=True)
class Columns:
    """The claims and coverages of some persons, the persons' one after the other, in the order of the layout."""

    died: Ints
    claim_person: Ints
    settlements: Ints
    live: Ints
    copay: Ints
    out_of_catalogue: Ints
    filed: Ints
    level: Words
    care: Words
    admitted: Ints
    discharged: Ints
    diagnosis_claim: Ints
    diagnosis: Words
    coverage_first: Ints
    coverage_count: Ints
    programme: Words
    category: Words
    area: Words
    ended_reason: Words
    valid_from: Ints
    valid_to: Ints
    linked: Bools
    """Which persons a membership links to a household, on whatever days."""
    occasional: Bools
    """Which persons have a claim for another occasion than a stay."""

    @property
    def persons(self) -> int:
        return len(self.died)

    @property
    def claims(self) -> int:
        return len(self.claim_person)


def columns_of(table: pa.Table) -> Columns:
    """The columns of a table whose schema is that of the layout; rows of refused lines are persons without claims.

    Raises DamagedColumns.
    """
    claims, coverages = whole(table.column("claims")), whole(table.column("coverages"))
    claim, coverage = claims.flatten(), coverages.flatten()
    diagnoses = claim.field("diagnoses")
    covers = _numbers(coverages.value_lengths())
    return Columns(
        died=_days(whole(table.column("died_on"))),
        claim_person=_owners(claims),
        settlements=_numbers(claim.field("settlements")),
        live=_numbers(claim.field("live")),
        copay=_numbers(claim.field("copay")),
        out_of_catalogue=_numbers(claim.field("out_of_catalogue")),
        filed=_days(claim.field("filed_on")),
        level=_words(claim.field("facility_level")),
        care=_words(claim.field("care_type")),
        admitted=_days(claim.field("admitted_on")),
        discharged=_days(claim.field("discharged_on")),
        diagnosis_claim=_owners(diagnoses),
        diagnosis=_words(diagnoses.flatten()),
        coverage_first=np.cumsum(covers) - covers,
        coverage_count=covers,
        programme=_words(coverage.field("programme")),
        category=_words(coverage.field("category")),
        area=_words(coverage.field("area")),
        ended_reason=_words(coverage.field("ended_reason")),
        valid_from=_days(coverage.field("valid_from")),
        valid_to=_days(coverage.field("valid_to")),
        linked=linked_persons(table),
        occasional=_having(claims, claim.field("occasion")),
    )


def _having(lists: pa.ListArray, item: pa.Array) -> Bools:
    """Which rows have an item in their list that is there."""
    having = np.zeros(len(lists), np.bool_)
    having[_owners(lists)[item.is_valid().to_numpy(zero_copy_only=False)]] = True
    return having


def linked_persons(table: pa.Table) -> Bools:
    """Which persons a membership links to a household, on whatever days."""
    linked = np.zeros(len(table), np.bool_)
    linked[households_in(table)[0]] = True
    return linked


def households_in(table: pa.Table) -> tuple[Ints, pa.Array]:
    """The rows of persons, and the household to which a membership links each of them; a row may come often."""
    memberships = whole(table.column("memberships"))
    membership = memberships.flatten()
    rows = np.flatnonzero(pc.equal(membership.field("unit"), UnitKind.HOUSEHOLD).to_numpy(zero_copy_only=False))
    return _owners(memberships)[rows], membership.field("household_id").take(pa.array(rows))


def invoices_in(table: pa.Table) -> tuple[Ints, pa.Array]:
    """The rows of persons, and an invoice of each of them; a row may come often."""
    claims = whole(table.column("claims"))
    invoices = claims.flatten().field("invoices")
    return _owners(claims)[_owners(invoices)], invoices.flatten()


def claim_ids(table: pa.Table) -> pa.Array:
    """The ids of the claims, in the order of the columns."""
    return whole(table.column("claims")).flatten().field("claim_id")


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _owners(lists: pa.ListArray) -> Ints:
    """For each item of the lists the row that it is in."""
    return np.repeat(np.arange(len(lists)), _numbers(lists.value_lengths()))


def _numbers(array: pa.Array) -> Ints:
    numbers: Ints = array.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def _days(array: pa.Array) -> Ints:
    """Days as numbers; one that is left out never comes."""
    days = _numbers(pc.fill_null(array.cast(pa.int32()).cast(pa.int64()), NEVER))
    if len(days) and not ((FIRST <= days) & ((days <= LAST) | (days == NEVER))).all():
        raise DamagedColumns
    return days


def _words(array: pa.Array) -> Words:
    encoded = array.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    return Words(_numbers(pc.fill_null(encoded.indices, len(names))), names)


def months_later(days: Ints, months: int) -> Ints:
    """For each day the same some months later, or the last of a month that is too short, as `schemas.dates` has it."""
    dates = days.astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    later = (month + months).astype("datetime64[D]") + (dates - month.astype("datetime64[D]"))
    last = (month + (months + 1)).astype("datetime64[D]") - np.timedelta64(1, "D")
    found: Ints = np.minimum(later, last).astype(np.int64)
    return found


def firsts(*keys: Ints) -> Ints:
    """For each row the first of those before it, and itself, that have the same keys without a break between them."""
    count = len(keys[0])
    begins = np.zeros(count, np.bool_)
    begins[:1] = True
    for key in keys:
        begins[1:] |= key[1:] != key[:-1]
    return np.maximum.accumulate(np.where(begins, np.arange(count), 0))


def sums(numbers: Ints, group: Ints, groups: int) -> Ints:
    """The sum of the numbers of each group."""
    found = np.zeros(groups, np.int64)
    np.add.at(found, group, numbers)
    return found
