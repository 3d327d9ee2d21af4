"""Releases that share a scheme which counts by household begin their policy years on one day (groups.md, section 2).

The sums of a household follow the scheme's id from release to release, year by year, so years must not overlap.
Releases that share schemes which count by person only are left as they are: some may have been published.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import combinations
from typing import Protocol

from schemas.bilingual import Saying
from schemas.policy.succession import Conflict, Place, nowhere


class Layer(Protocol):
    """What is looked at of a scheme."""

    @property
    def id(self) -> str: ...
    @property
    def by_household(self) -> bool: ...


class Yearly(Protocol):
    """What is looked at of a policy."""

    @property
    def id(self) -> str: ...
    @property
    def year_starts(self) -> str: ...
    @property
    def schemes(self) -> Sequence[Layer]: ...


def year_conflicts(
    policies: Sequence[Yearly], published: Collection[str] = (), place: Place = nowhere
) -> list[Conflict]:
    """Which policies have another ``year_starts`` than an earlier one with which they share such a scheme.

    The remedies never ask to change one of the ids that are ``published``.
    """
    counted = _ids(policies, lambda scheme: scheme.by_household)
    in_order = sorted(enumerate(policies), key=lambda each: each[1].id not in published)
    found, told = [], set[int]()
    for (one, first), (other, second) in combinations(in_order, 2):
        shared = sorted(_ids([first]) & _ids([second]) & counted)
        if not shared or first.year_starts == second.year_starts or second.id in published or other in told:
            continue
        told.add(other)
        found.append(Conflict(other, "year_starts", _said(first, second, shared[0], place(one, "year_starts"))))
    return found


def _ids(policies: Iterable[Yearly], which: Callable[[Layer], bool] = lambda _: True) -> set[str]:
    return {scheme.id for policy in policies for scheme in policy.schemes if which(scheme)}


def _said(first: Yearly, second: Yearly, scheme_id: str, there: str) -> Saying:
    one, other = first.year_starts, second.year_starts
    return Saying(
        f"“{second.id}”的方案年度从 {other} 开始,“{first.id}”{there}从 {one} 开始,但两者都有保障层“{scheme_id}”,"
        f'它按户累计或封顶,年度必须一致:在“{second.id}”中写 year_starts = "{one}",或给其中的这个保障层另取编号',
        f'the policy year of "{second.id}" starts on {other} and that of "{first.id}"{there} on {one}, but both have '
        f'the scheme "{scheme_id}", which counts by household, so they must agree: write year_starts = "{one}" in '
        f'"{second.id}", or give the scheme another id there',
    )
