"""From tables of facts to the packed rows of their persons, many persons at once.

The slow twin is `handlers.offline.book.Book` with `packing.pack`. Of the persons here nobody shares an id with anybody
else, so `handlers.claims.admit` can refuse a fact only where a version of its id comes twice, or where a bill changes
its encounter. These ids are in doubt: their lines are read again and go through `admit`, which has the rules. Of all
other ids the highest version counts (tests/properties/test_by_person.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from handlers.claims.admit import Disposition, Registry, admit
from handlers.claims.read import Reading, read
from handlers.offline.columns.arrays import LAST, NEVER, Bools, Ints, sums, whole
from handlers.offline.columns.fact_tables import Tables
from handlers.offline.columns.layout import ADVANCE, CLAIM, COVERAGE, MEMBERSHIP, OCCASION, SCHEMA
from handlers.offline.columns.packing import Packed, PackedAccount, unpack, with_sums
from handlers.offline.columns.texts import Keys, keys_of
from schemas.refusals import Refusal

_SUM_MAX = 2.0**62
"""Fen: a sum that is roughly below it is exact in 64 bits."""


class Judged(NamedTuple):
    """What became of lines, by where they begin: those that count, and those that were refused."""

    accepted: list[int]
    refused: list[tuple[int, Refusal]]


def admit_lines(lines: Iterable[tuple[int, bytes]]) -> Judged:
    """Takes lines that were readable before in their order, by the rules."""
    registry: Registry = {}
    accepted: list[int] = []
    refused: list[tuple[int, Refusal]] = []
    for position, line in lines:
        reading = read(line)
        assert isinstance(reading, Reading), "it was readable before"
        outcome = admit(reading, registry)
        if isinstance(outcome, Refusal):
            refused.append((position, outcome))
        elif outcome is Disposition.ACCEPTED:
            accepted.append(position)
    return Judged(accepted, refused)


def positions_of(tables: Tables, keys: Keys) -> Ints:
    """Where the facts of the persons with some keys were read, in that order."""
    found = [_numbers(table, "position")[_with_keys(table, keys)] for table in tables]
    return np.sort(np.concatenate(found))


def _with_keys(table: pa.Table, keys: Keys) -> Bools:
    return np.isin(keys_of(whole(table.column("person_id"))), keys)


class _Kind(NamedTuple):
    """The facts of one kind, each with the numbers of its person and of its line of versions.

    For bills the last is the number of the claim, for stays and occasions that of the line, which is the claim's.
    """

    table: pa.Table
    person: Ints
    line: Ints
    claim: Ints

    def numbers(self, name: str) -> Ints:
        """A column of whole numbers, or of flags."""
        numbers: Ints = _numbers(self.table, name)
        return numbers

    def at(self, rows: Ints | Bools) -> _Kind:
        """Some of the facts."""
        chosen = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return _Kind(self.table.take(pa.array(chosen)), self.person[rows], self.line[rows], self.claim[rows])

    def in_doubt(self) -> Ints:
        """The lines of which a version comes twice, or whose bills name two claims."""
        version = self.numbers("version")
        order = np.lexsort((version, self.line))
        one, other = order[:-1], order[1:]
        doubtful = (version[one] == version[other]) | (self.claim[one] != self.claim[other])
        lines: Ints = self.line[one][(self.line[one] == self.line[other]) & doubtful]
        return lines

    def newest(self) -> _Kind:
        """The highest version of each line."""
        order = np.lexsort((self.numbers("version"), self.line))
        last = np.ones(len(order), np.bool_)
        last[:-1] = self.line[order[1:]] != self.line[order[:-1]]
        return self.at(order[last])


class _Facts(NamedTuple):
    """The facts of some persons, by kind."""

    stays: _Kind
    bills: _Kind
    coverages: _Kind
    deaths: _Kind
    memberships: _Kind
    movements: _Kind
    occasions: _Kind


def _of(kind: _Kind, chosen: Bools) -> _Kind:
    """The facts of the persons who are chosen."""
    return kind.at(chosen[kind.person])


class Gathering:
    """The persons of some tables, which hold all their facts; those with a key among ``rivals`` are left out.

    Of those with a key among ``named``, and of nobody else, the invoices are kept.
    """

    def __init__(self, tables: Tables, rivals: Keys, named: Keys) -> None:
        if len(rivals):
            kinds = [table.filter(pa.array(~_with_keys(table, rivals))) for table in tables]
        else:
            kinds = list(tables)
        stays, bills, coverages, deaths, memberships, movements, occasions = kinds
        self._persons, *persons = _coded(*(each.column("person_id") for each in kinds))
        self._named = np.zeros(len(self._persons), np.bool_)
        if len(named):
            self._named = np.isin(keys_of(self._persons), named)
        self._claims, of_stay, of_bill, of_occasion = _coded(
            stays.column("id"), bills.column("encounter_id"), occasions.column("id")
        )
        _, of_settlement = _coded(bills.column("id"))
        _, of_coverage = _coded(coverages.column("id"))
        _, of_membership = _coded(memberships.column("id"))
        _, of_movement = _coded(movements.column("id"))
        self._facts = _Facts(
            _Kind(stays, persons[0], of_stay, of_stay),
            _Kind(bills, persons[1], of_settlement, of_bill),
            _Kind(coverages, persons[2], of_coverage, of_coverage),
            _Kind(deaths, persons[3], persons[3], persons[3]),
            _Kind(memberships, persons[4], of_membership, of_membership),
            _Kind(movements, persons[5], of_movement, of_movement),
            _Kind(occasions, persons[6], of_occasion, of_occasion),
        )

    def in_doubt(self) -> Ints:
        """Where the facts were read that only the rules judge, in that order."""
        found = []
        for kind in self._facts:
            found.append(kind.numbers("position")[np.isin(kind.line, kind.in_doubt())])
        return np.sort(np.concatenate(found))

    def packed(self, left_out: Ints) -> Packed:
        """The rows of all who have a claim; the facts that were read at some positions do not count."""
        facts = _Facts(*(kind.at(~np.isin(kind.numbers("position"), left_out)).newest() for kind in self._facts))
        bills = facts.bills
        amount = (bills.numbers("copay") + bills.numbers("out_of_catalogue")).astype(np.float64)
        high = np.bincount(bills.claim, amount, len(self._claims)) >= _SUM_MAX
        beyond = np.zeros(len(self._persons), np.bool_)
        beyond[bills.person[high[bills.claim]]] = True
        if not beyond.any():
            return Packed(self._table(facts), [])
        fit, rest = (
            self._table(
                facts._replace(
                    stays=_of(facts.stays, chosen), bills=_of(bills, chosen), occasions=_of(facts.occasions, chosen)
                )
            )
            for chosen in (~beyond, beyond)
        )
        summed = self._exact_sums(_of(bills, beyond))
        return Packed(fit, [_with_sums(account, summed) for account in unpack(rest)])

    def _exact_sums(self, bills: _Kind) -> dict[str, tuple[int, int]]:
        """Copay and out of catalogue (fen) of each claim, in numbers of any size."""
        claims = self._claims.take(pa.array(bills.claim)).to_pylist()
        found: dict[str, tuple[int, int]] = {}
        for claim_id, *amounts in zip(
            claims, bills.numbers("copay").tolist(), bills.numbers("out_of_catalogue").tolist(), strict=True
        ):
            copay, out_of_catalogue = found.get(claim_id, (0, 0))
            found[claim_id] = (copay + amounts[0], out_of_catalogue + amounts[1])
        return found

    def _table(self, facts: _Facts) -> pa.Table:
        stays, bills, coverages, deaths, memberships, _, occasions = facts
        owner = np.full(len(self._claims), -1, np.int64)
        day = np.full(len(self._claims), LAST, np.int64)
        for kind in (stays, bills, occasions):
            owner[kind.claim] = kind.person
        day[stays.claim] = stays.numbers("discharged_on")
        day[occasions.claim] = np.minimum(occasions.numbers("on"), LAST)
        claims = _in_canonical_order(self._claims, owner, day)
        counts = np.bincount(owner[claims], minlength=len(self._persons))
        rows = np.flatnonzero(counts)
        died = np.full(len(self._persons), NEVER, np.int64)
        died[deaths.person] = deaths.numbers("died_on")
        of_claims = _claim_columns(self._claims, claims, facts)
        of_claims.append(_invoice_lists(claims, _of(bills, self._named), len(self._claims)))
        covers, belongs = (
            kind.at(kind.numbers("live") & (counts > 0)[kind.person]) for kind in (coverages, memberships)
        )
        return pa.table(
            [
                self._persons.take(pa.array(rows)),
                _days(died[rows]),
                _lists(counts[rows], of_claims, CLAIM),
                _lists(np.bincount(covers.person, minlength=len(counts))[rows], _coverage_columns(covers), COVERAGE),
                _lists(np.bincount(belongs.person, minlength=len(counts))[rows], _of_members(belongs), MEMBERSHIP),
                np.zeros(len(rows), np.int64),
                pa.array([""] * len(rows), pa.string()),
            ],
            SCHEMA,
        )


def _with_sums(account: PackedAccount, summed: dict[str, tuple[int, int]]) -> PackedAccount:
    """The account with other amounts."""
    claims = {name: with_sums(claim, *summed.get(name, (0, 0))) for name, claim in account.claims.items()}
    return replace(account, claims=claims)


def _in_canonical_order(ids: pa.Array, owner: Ints, days: Ints) -> Ints:
    """The claims that have an owner: each person's by policy date, those without one last, and by their ids."""
    claims = np.flatnonzero(owner >= 0)
    person, day = owner[claims], days[claims]
    order = np.lexsort((day, person))
    one, other = order[:-1], order[1:]
    alike = (day[one] == day[other]) & (person[one] == person[other])
    unclear = np.union1d(one[alike], other[alike])
    rank = np.zeros(len(claims), np.int64)
    rank[unclear] = _ranks(ids.take(pa.array(claims[unclear])))
    in_order: Ints = claims[np.lexsort((rank, day, person))]
    return in_order


def _claim_columns(ids: pa.Array, claims: Ints, facts: _Facts) -> list[Any]:
    """The columns of `layout.CLAIM` but for the last."""
    stays, bills, occasions = facts.stays, facts.bills, facts.occasions
    stay, occasion = np.full((2, len(ids)), -1, np.int64)
    stay[stays.claim] = np.arange(len(stays.claim))
    stay = stay[claims]
    happened = occasions.numbers("live")
    occasion[occasions.claim[happened]] = np.flatnonzero(happened)
    occasion = occasion[claims]
    live = bills.numbers("live")
    filing = live & bills.numbers("final")
    filed = np.full(len(ids), NEVER, np.int64)
    np.minimum.at(filed, bills.claim[filing], bills.numbers("settled_on")[filing])
    held = pa.array(stay, mask=stay < 0)

    def of_stay(name: str) -> pa.Array:
        return whole(stays.table.column(name)).take(held)

    on = np.append(occasions.numbers("on"), NEVER)[occasion]
    diagnoses = CLAIM.field("diagnoses").type
    listed = pa.concat_arrays([whole(stays.table.column("diagnoses")).cast(diagnoses), pa.array([[]], diagnoses)])
    return [
        ids.take(pa.array(claims)),
        np.bincount(np.append(bills.claim, occasions.claim[~happened]), minlength=len(ids))[claims],
        np.bincount(bills.claim[live], minlength=len(ids))[claims],
        *(sums(bills.numbers(name), bills.claim, len(ids))[claims] for name in ("copay", "out_of_catalogue")),
        _days(filed[claims]),
        of_stay("facility_level"),
        of_stay("care_type"),
        *(_days(np.minimum(pc.fill_null(of_stay(name), NEVER).to_numpy(), on)) for name in _STAY_DAYS),
        listed.take(pa.array(np.where(stay < 0, len(listed) - 1, stay))),
        _advance_lists(claims, bills.at(live), len(ids)),
        _occasions(occasions.table, pa.array(occasion, mask=occasion < 0)),
    ]


_STAY_DAYS = ("admitted_on", "discharged_on")


def _occasions(table: pa.Table, rows: pa.Array) -> pa.Array:
    """The occasions in some rows of a table, and nothing where there is no row."""
    parts = [whole(table.column(each.name)) for each in OCCASION]
    return pa.StructArray.from_arrays(parts, fields=list(OCCASION)).take(rows)


def _advance_lists(claims: Ints, bills: _Kind, known: int) -> pa.Array:
    """What was taken off the bills of each claim, in the order in which it is paid back."""
    column = whole(bills.table.column("advances"))
    rows = np.flatnonzero(pc.is_valid(column).to_numpy(zero_copy_only=False))
    found: dict[int, list[dict[str, Any]]] = {}
    for claim, advances in zip(bills.claim[rows].tolist(), column.take(pa.array(rows)).to_pylist(), strict=True):
        found.setdefault(claim, []).extend(advances)
    counts = np.zeros(known, np.int64)
    for claim, advances in found.items():
        advances.sort(key=lambda each: (each["settled_at"], each["settlement_id"]))
        counts[claim] = len(advances)
    items = [each for claim in claims[counts[claims] > 0].tolist() for each in found[claim]]
    columns = [[each[one.name] for each in items] for one in ADVANCE]
    return _lists(counts[claims], columns, ADVANCE)


def _invoice_lists(claims: Ints, bills: _Kind, known: int) -> pa.Array:
    """The invoices of each claim's bills, each once and in order."""
    found: dict[int, set[str]] = {}
    for claim, invoice in zip(bills.claim.tolist(), bills.table.column("invoice_no").to_pylist(), strict=True):
        if invoice is not None:
            found.setdefault(claim, set()).add(invoice)
    counts = np.zeros(known, np.int64)
    counts[list(found)] = [len(each) for each in found.values()]
    listed = [invoice for claim in claims[counts[claims] > 0].tolist() for invoice in sorted(found[claim])]
    ends = np.concatenate([[0], np.cumsum(counts[claims])]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(listed, pa.string()), type=CLAIM.field("invoices").type)


def _coverage_columns(covers: _Kind) -> list[Any]:
    """The columns of `layout.COVERAGE`: each person's in order of their ids."""
    return _listed(covers, ["programme", "category", "area", "pool_id", "ended_reason"])


def _of_members(memberships: _Kind) -> list[Any]:
    """The columns of `layout.MEMBERSHIP`: each person's in order of their ids."""
    return _listed(memberships, ["id", "household_id", "unit"])


def _listed(kind: _Kind, named: list[str]) -> list[Any]:
    """Some words of facts, and the days on which they are valid: each person's in order of their ids."""
    ids = whole(kind.table.column("id"))
    table = kind.table.take(pa.array(np.lexsort((_ranks(ids), kind.person))))
    words = [whole(table.column(name)) for name in named]
    return [*words, *(_days(_numbers(table, name)) for name in ("valid_from", "valid_to"))]


def _lists(counts: Ints, columns: list[Any], kind: pa.StructType) -> pa.Array:
    """A list for each row, which holds so many of the items one after the other."""
    parts = [pa.array(column, one.type) for column, one in zip(columns, kind, strict=True)]
    items = pa.StructArray.from_arrays(parts, fields=list(kind))
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), items, type=pa.list_(pa.field("element", kind, nullable=False)))


def _coded(*columns: pa.ChunkedArray) -> list[Any]:
    """The words of some columns, each once, and for each column the numbers of its words."""
    chunks = [chunk for column in columns for chunk in column.chunks]
    encoded = pa.concat_arrays([pa.array([], pa.string()), *chunks]).dictionary_encode()
    numbers = encoded.indices.cast(pa.int64()).to_numpy(zero_copy_only=False)
    ends = np.cumsum([len(column) for column in columns])
    return [encoded.dictionary, *np.split(numbers, ends[:-1])]


def _ranks(texts: pa.Array) -> Ints:
    """The place of each text when all are sorted by code point, as their UTF-8 bytes are."""
    order = pc.array_sort_indices(texts.cast(pa.binary())).to_numpy().astype(np.int64)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _days(numbers: Ints) -> pa.Array:
    """Days, and nothing for one that never comes."""
    never = numbers == NEVER
    return pa.array(np.where(never, 0, numbers).astype(np.int32), pa.int32(), mask=never).cast(pa.date32())


def _numbers(table: pa.Table, name: str) -> Any:
    return table.column(name).to_numpy()
