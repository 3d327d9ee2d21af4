"""A person's long years, decided again only from the claim on that an event touches.

A claim depends on those before it in the year's order, through the year's sums, and on none after it. So what comes
before the touched claim keeps its decision, and so does what comes after it from where the sums are again what they
were. The slow twin is `Account.claims_affected_by` with `adjudicate`, which decides the whole year: the same
adjudications, but for those that say what was said before.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from handlers.claims.account import Account, claim_told_of
from handlers.claims.adjudicate import (
    Adjudication,
    DecidingPerson,
    adjudicate,
    adjudicate_claim,
    canonical_order,
)
from handlers.claims.traces import Traces
from handlers.claims.year_sums import Sums, Years
from schemas.facts import Fact
from schemas.ids import ClaimId
from schemas.policy.model import Policies

LONG = 48
"""Years in which so many claims are decided at once are remembered; fewer are as quickly decided again."""

Place = tuple[date, ClaimId]
"""Where a claim stands in the order of its year (`canonical_order`)."""


@dataclass(slots=True)
class LongYear:
    """The claims of one policy year that count, in order: ``before[i]`` are the year's sums before ``places[i]``.

    One more at the end are those after all of them.
    """

    places: list[Place] = field(default_factory=list)
    before: list[Sums] = field(default_factory=lambda: [()])

    def moved(self, out: Place | None, into: Place | None) -> tuple[int, int, Sums]:
        """Takes a claim out and puts it in, either of which may be missing.

        Returns from where on the year is to be decided again, from where on it may be found unchanged, and the sums
        before the first of these.
        """
        size = len(self.places)
        left, entered = size, size
        if out is not None:
            left = bisect_left(self.places, out)
            assert self.places[left] == out, "a claim stands where its last decision put it"
            sums = self.before[left]
            del self.places[left], self.before[left]
        if into is None:
            return left, left, sums
        entered = bisect_left(self.places, into)
        if out is None or entered < left:
            sums = self.before[entered]
        self.places.insert(entered, into)
        self.before.insert(entered, sums)
        if out is None:
            return entered, entered + 1, sums
        return min(left, entered), max(left + (entered < left), entered + 1), sums


@dataclass(slots=True)
class LongYears:
    """The long years of one person, as they were decided under some policies."""

    policies: Policies
    traces: Traces
    years: dict[date, LongYear] = field(default_factory=dict)


def applied(account: Account, fact: Fact, policies: Policies) -> list[Adjudication]:
    """Applies an accepted fact; the claims that it can have changed, decided again, in canonical order."""
    known = account.long_years
    claim_id = claim_told_of(fact)
    if (
        known is not None
        and known.policies is policies
        and claim_id is not None
        and not known.traces.may_meet(account, claim_id, fact)
    ):
        out = _place(account, claim_id, policies)
        known.traces.take_out(claim_id, account.trace(claim_id))
        account.apply(fact)
        known.traces.put_in(claim_id, account.trace(claim_id))
        account.long_years = known
        return _from_the_claim_on(account, known, claim_id, out)
    affected = account.claims_affected_by(fact, policies)
    account.apply(fact)
    affected |= account.claims_affected_by(fact, policies)
    if len(affected) < LONG or policies.life_schemes:  # then no year stands by itself
        return adjudicate(account, policies, affected, account.twice())
    account.long_years = LongYears(policies, Traces.of(account))
    return _whole(account, account.long_years, affected)


def _place(account: Account, claim_id: ClaimId, policies: Policies) -> tuple[date, Place] | None:
    """The policy year to which a claim's amounts count, and its place there; None if they count to no year."""
    day = account.counting_day(claim_id)
    year = None if day is None else policies.year(day)
    return None if day is None or year is None else (year, (day, claim_id))


def _from_the_claim_on(
    account: Account, known: LongYears, claim_id: ClaimId, out: tuple[date, Place] | None
) -> list[Adjudication]:
    policies, found = known.policies, list[Adjudication]()
    into = _place(account, claim_id, policies)
    if into is None and account.knows(claim_id):
        found += adjudicate(account, policies, [claim_id], known.traces.twice)
    for year in {place[0] for place in (out, into) if place is not None}:
        long_year = known.years.get(year)
        if long_year is None:
            found += _whole(account, known, account.claims_of_year(year, policies))
            continue
        moves = (place[1] if place is not None and place[0] == year else None for place in (out, into))
        found += _rest(account, known, long_year, year, *long_year.moved(*moves))
    found.sort(key=lambda each: canonical_order(each.claim))
    return found


def _rest(
    account: Account, known: LongYears, long_year: LongYear, year: date, start: int, free: int, sums: Sums
) -> list[Adjudication]:
    """Decides a year again from a place on, until its sums are what they were; not before the place ``free``."""
    years = Years.of_year(year, sums)
    person = DecidingPerson.of(account, known.policies, years, known.traces.twice)
    found, places, before = list[Adjudication](), long_year.places, long_year.before
    for at in range(start, len(places)):
        if at >= free and before[at] == sums:
            return found
        before[at] = sums
        claim = account.claim(places[at][1])
        found.append(adjudicate_claim(claim, person))
        sums = years.sums_of(year)
    before[len(places)] = sums
    return found


def _whole(account: Account, known: LongYears, claim_ids: Iterable[ClaimId]) -> list[Adjudication]:
    """Decides claims that make whole policy years, and remembers the years."""
    policies, years = known.policies, Years()
    person = DecidingPerson.of(account, policies, years, known.traces.twice)
    claims = sorted(map(account.claim, claim_ids), key=canonical_order)
    found, met = [], dict[date, LongYear]()
    for claim in claims:
        placed = _place(account, claim.claim_id, policies)
        if placed is not None:
            year, place = placed
            long_year = met.setdefault(year, LongYear())
            long_year.places.append(place)
        found.append(adjudicate_claim(claim, person))
        if placed is not None:
            long_year.before.append(years.sums_of(year))
    known.years |= met
    return found
