"""Who is usual: whose claims `vector_rules` decides as the slow twin does; the others are left to it.

In doubt a person is left to the twin. These are, under the policies given:

- whose amounts are negative or so high that sums and products might pass 64 bits, or whose claims are not in order;
- who have a claim for another occasion than a stay;
- who have claims under a policy with rates of a very large common denominator, or with schemes for stays that pay sums
  assured, or only once;
- who have claims of one policy year under two policies, or under two whose years start on different days: sums and
  yearly caps may follow a scheme from one policy to the other;
- for whom a yearly cap may matter;
- whom a membership links to a household, where some scheme counts by household. Everybody else is a unit alone, whose
  sums and caps are the person's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from handlers.offline.columns.arrays import NEVER, Bools, Columns, Ints, day_of, number_of, sums
from handlers.offline.columns.vector_rules import BURDEN_MAX, SCALE_MAX, Chosen, Paid, choose, covered, pay
from schemas.decisions import Status
from schemas.policy.model import Policies, Policy

STATUSES = tuple(Status)
"""A status is its place here."""

ADJUDICATED, NOT_COVERED, NO_POLICY, AFTER_DEATH, INCOMPLETE, VOIDED = (
    STATUSES.index(status)
    for status in (
        Status.ADJUDICATED,
        Status.NOT_COVERED,
        Status.NO_POLICY,
        Status.AFTER_DEATH,
        Status.INCOMPLETE,
        Status.VOIDED,
    )
)


@dataclass(frozen=True, slots=True)
class Ruled:
    """What one policy decided: for the claims at ``rows`` what each of its schemes pays."""

    policy: Policy
    rows: Ints
    paid: list[Paid]


@dataclass(frozen=True, slots=True)
class Decided:
    """Every claim decided under some policies; only what it says about the ``usual`` persons counts."""

    usual: Bools
    status: Ints
    benefit: Ints
    """All schemes of a claim together, in fen."""
    ruled: list[Ruled]


def decide(columns: Columns, policies: Policies) -> Decided:
    """The outcome of each claim, and the persons for whom it is that of the slow twin."""
    usual = _sound(columns) & ~columns.occasional
    if policies.household_schemes:
        usual &= ~columns.linked
    status = _before_policies(columns)
    benefit = np.zeros(columns.claims, np.int64)
    open_rows = np.flatnonzero((status == ADJUDICATED) & usual[columns.claim_person])
    release = _releases(columns.discharged[open_rows], policies)
    status[open_rows[release < 0]] = NO_POLICY
    years = np.zeros(len(open_rows), np.int64)
    chosen: list[tuple[Policy, Chosen]] = []
    for number, policy in enumerate(policies.releases):
        at = np.flatnonzero(release == number)
        rows = open_rows[at]
        years[at] = _years(columns.discharged[rows], policy)
        chosen.append((policy, choose(columns, rows, years[at])))
        if not _plain(policy):
            usual[columns.claim_person[rows]] = False
    usual[columns.claim_person[_passing_on(columns.claim_person, open_rows, release, years, policies)]] = False
    ruled = []
    for policy, its in chosen:
        if not len(its.rows) or not _plain(policy):
            continue
        paid = pay(columns, policy, its)
        for each in paid:
            usual[columns.claim_person[its.rows[each.capped]]] = False
            benefit[its.rows] += each.amount
        status[its.rows[~covered(columns, policy, its)]] = NOT_COVERED
        ruled.append(Ruled(policy, its.rows, paid))
    return Decided(usual, status, benefit, ruled)


def _sound(columns: Columns) -> Bools:
    """The persons whose amounts are small enough, and whose claims are in order."""
    sound = np.ones(columns.persons, np.bool_)
    person = columns.claim_person
    for amount in (columns.copay, columns.out_of_catalogue):
        sound[person[(amount < 0) | (amount > BURDEN_MAX)]] = False
    burden = np.where(sound[person], columns.copay + columns.out_of_catalogue, 0)
    sound &= sums(burden, person, columns.persons) <= BURDEN_MAX
    late = (person[1:] == person[:-1]) & (columns.discharged[1:] < columns.discharged[:-1])
    sound[person[1:][late]] = False
    return sound


def _plain(policy: Policy) -> bool:
    """Whether its schemes for stays pay by brackets, as often as something is due, with rates that fit."""
    stays = [scheme for scheme in policy.schemes if scheme.trigger == "stay"]
    tiers = [tier for scheme in stays for tier in scheme.tiers]
    once = any(scheme.once_per != "claim" for scheme in stays)
    return not once and all(tier.sum_kind is None and tier.scale <= SCALE_MAX for tier in tiers)


def _before_policies(columns: Columns) -> Ints:
    """The status of each claim as far as it depends on no policy; adjudicated where one has to decide."""
    status = np.full(columns.claims, ADJUDICATED, np.int64)
    status[columns.admitted > columns.died[columns.claim_person]] = AFTER_DEATH
    status[(columns.discharged == NEVER) | (columns.filed == NEVER)] = INCOMPLETE
    status[(columns.settlements > 0) & (columns.live == 0)] = VOIDED
    return status


def _releases(days: Ints, policies: Policies) -> Ints:
    """The number of the policy in force on each day, and -1 where there is none."""
    found = np.full(len(days), -1, np.int64)
    for number, policy in enumerate(policies.releases):
        term = policies.term(policy)
        end = NEVER if term.end is None else number_of(term.end)
        found[(days >= number_of(term.first)) & (days < end)] = number
    return found


def _years(days: Ints, policy: Policy) -> Ints:
    """The first day of the policy year that holds each day."""
    if not len(days):
        return days
    low, high = day_of(int(days.min())), day_of(int(days.max()))
    begun = {policy.year_of(low), *(policy.year_of(date(year, 12, 31)) for year in range(low.year, high.year + 1))}
    starts = np.array([number_of(day) for day in sorted(begun)], np.int64)
    return starts[np.searchsorted(starts, days, side="right") - 1]


def _passing_on(person: Ints, rows: Ints, release: Ints, years: Ints, policies: Policies) -> Ints:
    """Claims of a person for whom sums of an earlier policy may count in a later one."""
    decided = release >= 0
    rows, release, years = rows[decided], release[decided], years[decided]
    other = (person[rows[1:]] == person[rows[:-1]]) & (release[1:] != release[:-1])
    if len({policy.year_starts for policy in policies.releases}) == 1:  # then a year comes only once in a row
        other &= years[1:] == years[:-1]
    later: Ints = rows[1:][other]
    return later
