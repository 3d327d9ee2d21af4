"""The sums of a what-if over columns; the slow twin is `handlers.offline.what_if.Tally`, filled person by person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

from handlers.offline.columns.arrays import Bools, Columns, Ints, claim_ids, columns_of, day_of, sums
from handlers.offline.columns.packing import Packed, unpack
from handlers.offline.columns.usual import STATUSES, Decided, decide
from handlers.offline.columns.vector_rules import NO_TIER, pairs_of
from handlers.offline.what_if import EDGES, LARGEST, Changed, Class, Cost, Tally, all_pairs
from schemas.policy.model import Policies


def tally_of(packed: Packed, before: Policies, after: Policies) -> Tally:
    """What the claims of packed persons cost under both, each person once. Raises DamagedColumns."""
    table = packed.table
    columns = columns_of(table)
    old, new = decide(columns, before), decide(columns, after)
    usual = old.usual & new.usual
    tally = _Tallying(table, columns, usual, old, new).tally()
    for decided in all_pairs(chain(unpack(table.filter(pa.array(~usual))), packed.beyond), before, after):
        tally.take(decided)
    tally.merge(Tally())  # sorts
    return tally


class _Tallying:
    """The sums over the claims of the usual persons."""

    def __init__(self, table: pa.Table, columns: Columns, usual: Bools, old: Decided, new: Decided) -> None:
        self._table, self._columns, self._old, self._new = table, columns, old, new
        self._taken = usual[columns.claim_person]
        self._change = np.where(self._taken, new.benefit - old.benefit, 0)

    def tally(self) -> Tally:
        taken, old, new = self._taken, self._old, self._new
        tally = Tally(claims=int(taken.sum()))
        for side, decided in (("before", old), ("after", new)):
            counts = np.bincount(decided.status[taken], minlength=len(STATUSES))
            tally.statuses.update({(side, status): int(n) for status, n in zip(STATUSES, counts, strict=True) if n})
        person = self._columns.claim_person[taken]
        counted = np.unique(person)
        tally.persons = len(counted)
        by_person = sums(self._change[taken], person, self._columns.persons)
        _classes(tally.claims_by_change, self._change[taken])
        _classes(tally.persons_by_change, by_person[counted])
        paid = np.flatnonzero(taken & ((old.benefit > 0) | (new.benefit > 0)))
        areas, names = self._areas(paid)
        _costs(tally.by_area, areas, [(name,) for name in names], old.benefit[paid], new.benefit[paid])
        months, month_names = self._months(paid)
        _costs(tally.by_month, months, [(name,) for name in month_names], old.benefit[paid], new.benefit[paid])
        for cost in tally.by_month.values():
            tally.total.merge(cost)
        self._tiers(tally)
        tally.largest = self._largest()
        return tally

    def _areas(self, rows: Ints) -> tuple[Ints, list[str]]:
        """For each claim the area of the first coverage that holds the day and names one, or an empty word."""
        area = self._columns.area
        claim, coverage = pairs_of(self._columns, rows)
        known = area.codes[coverage] < len(area.names)
        found, place = np.unique(claim[known], return_index=True)
        codes = np.full(len(rows), len(area.names), np.int64)
        codes[found] = area.codes[coverage[known][place]]
        return codes, [*area.names, ""]

    def _months(self, rows: Ints) -> tuple[Ints, list[str]]:
        months = self._columns.discharged[rows].astype("datetime64[D]").astype("datetime64[M]")
        once, place = np.unique(months, return_inverse=True)
        return place, [str(month) for month in once]

    def _tiers(self, tally: Tally) -> None:
        for decided, is_new in ((self._old, False), (self._new, True)):
            for ruled in decided.ruled:
                taken = self._taken[ruled.rows]
                for paid in ruled.paid:
                    at = np.flatnonzero(taken & (paid.amount > 0) & (paid.tier != NO_TIER))
                    keys = [(paid.scheme.id, tier.name) for tier in paid.scheme.tiers]
                    amount, nothing = paid.amount[at], np.zeros(len(at), np.int64)
                    sides = (nothing, amount) if is_new else (amount, nothing)
                    _costs(tally.by_tier, paid.tier[at], keys, *sides)

    def _largest(self) -> list[Changed]:
        """The claims that change most, and all that change as much as the last of them."""
        size = np.abs(self._change)
        rows = np.flatnonzero(size)
        if len(rows) > LARGEST:
            rows = rows[size[rows] >= np.partition(size[rows], -LARGEST)[-LARGEST]]
        columns = self._columns
        areas, names = self._areas(rows)
        persons = self._table.column("person_id").take(pa.array(columns.claim_person[rows])).to_pylist()
        claims = claim_ids(self._table).take(pa.array(rows)).to_pylist()
        burden = columns.copay[rows] + columns.out_of_catalogue[rows]
        numbers = (columns.discharged[rows], burden, self._old.benefit[rows], self._new.benefit[rows])
        return [
            Changed(claim_id, person_id, names[area], str(day_of(day)), owed, before, after)
            for claim_id, person_id, area, day, owed, before, after in zip(
                claims, persons, areas.tolist(), *(each.tolist() for each in numbers), strict=True
            )
        ]


def _classes(classes: defaultdict[int, Class], change: Ints) -> None:
    """Counts changes (fen) by their class, as `what_if.class_of` numbers them."""
    size = np.abs(change)
    rank = np.where(size > 0, np.searchsorted(np.array(EDGES, np.int64), size, side="left") + 1, 0)
    numbers, place = np.unique(np.where(change > 0, rank, -rank), return_inverse=True)
    summed, counts = sums(change, place, len(numbers)), np.bincount(place, minlength=len(numbers))
    for number, count, total in zip(numbers.tolist(), counts.tolist(), summed.tolist(), strict=True):
        classes[number].count += count
        classes[number].sum += total


def _costs(
    costs: defaultdict[tuple[str, ...], Cost],
    group: Ints,
    keys: Sequence[tuple[str, ...]],
    before: Ints,
    after: Ints,
) -> None:
    """Adds up what claims cost by the number of their key."""
    numbers, place = np.unique(group, return_inverse=True)
    columns = [sums(each, place, len(numbers)) for each in ((before > 0) * 1, before, (after > 0) * 1, after)]
    for number, *cost in zip(numbers.tolist(), *(column.tolist() for column in columns), strict=True):
        costs[keys[number]].merge(Cost(*cost))
