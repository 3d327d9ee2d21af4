"""Households drawn at random, and a ledger in memory that decides their members together."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from handlers.claims.group_step import recompute_group
from handlers.claims.households import linked
from schemas.ids import PersonId
from schemas.records import GroupStep, GroupWork, InstructionRow
from tests.properties.strategies import (
    AMOUNTS,
    DAYS,
    EDGES,
    LIMITS,
    SCHEME_IDS,
    Body,
    Decision,
    History,
    Ledger,
    bill_of,
    brackets,
    coverage_from,
    coverages,
    discharge_of,
    encounters,
    policy,
    releases,
    scheme,
    schemes,
    seldom,
    stay_of,
    void_of,
    yuan,
)
from tests.support.builders import death, encode, membership, membership_void

PERSONS = ("P1", "P2", "P3", "P4")
HOUSEHOLDS = ("HH1", "HH2", "HH3")
CLAIMS = ("E1", "E10", "E2", "e3", "E4", "E5", "E6", "E7")


class GroupLedger(Ledger):
    """A ledger that decides groups as the worker does: after each event, or later, when it is told to."""

    def __init__(self, *texts: str, one_batch: bool = True, at_once: bool = True) -> None:
        """``at_once`` false leaves the groups to `decide_groups`."""
        super().__init__(*texts, one_batch=one_batch)
        self.at_once = at_once
        self.waiting: list[GroupWork] = []

    def deliver(self, value: bytes, key: bytes | None = None) -> list[InstructionRow]:
        given = super().deliver(value, key)
        queued = self.batches[-1].outcome.group_work
        self.waiting += queued
        queued.clear()  # the worker takes what it decides off the queue
        return given + self.decide_groups() if self.at_once else given

    def decide_groups(self) -> list[InstructionRow]:
        """Decides everybody whom households link, or did before, to somebody who waits."""
        batch, waiting = self.batches[-1], self.waiting
        before = len(batch.outcome.instructions)
        links = {name: account.households() for name, account in self.world.accounts.items()}
        for row in waiting:
            links.setdefault(row.person_id, set()).update(row.households)
        names, moved = {row.person_id for row in waiting}, {row.person_id for row in waiting if row.moved}
        self.waiting = []
        for group in linked(links):
            if not names.isdisjoint(group):
                recompute_group(batch, GroupStep(group, [name for name in group if name in moved]))
        return batch.outcome.instructions[before:]


def of(person_id: str, *bodies: Body) -> list[Body]:
    """The same facts of another person."""
    return [{**body, "person_id": person_id} for body in bodies]


def member_of(person_id: str, household_id: str = "HH1", valid_from: str = "2000-01-01", **fields: Any) -> Body:
    """The membership M-<person>."""
    given = {"membership_id": f"M-{person_id}", "valid_from": valid_from, **fields}
    return membership(household_id=household_id, person_id=person_id, **given)


def told(decisions: Mapping[str, Decision], *without: str) -> dict[str, Decision]:
    """Decisions without some of their members."""
    return {
        claim_id: {name: value for name, value in decision.items() if name not in without}
        for claim_id, decision in decisions.items()
    }


# At random ----------------------------------------------------------------------------------------------------------

BY_HOUSEHOLD = ("stay", "person_year", "household_year", "household_year")

household_schemes = functools.partial(
    schemes, ways=BY_HOUSEHOLD, limits_known=(*LIMITS, "cap_per_household_year", "cap_per_household_year")
)


def household_releases() -> st.SearchStrategy[tuple[str, ...]]:
    """Like `releases`, with schemes that count by household, by person or by stay, and change that."""
    return releases(household_schemes)


@st.composite
def memberships(draw: st.DrawFn, person_id: str, membership_id: str, households: Sequence[str]) -> list[Body]:
    """The versions of one membership: corrected, moved, ended, voided."""
    facts = []
    for version in range(1, draw(st.sampled_from((1, 1, 1, 2, 3))) + 1):
        if draw(seldom):
            facts.append(membership_void(membership_id, version, person_id=person_id))
            continue
        valid_from = draw(st.sampled_from(("2000-01-01", "2000-01-01", *DAYS)))
        valid_to = draw(st.sampled_from((None, None, None, *DAYS)))
        ends: Body = {} if valid_to is None or valid_to <= valid_from else {"valid_to": valid_to}
        unit = draw(st.sampled_from(("household",) * 6 + ("single", "collective")))
        where: Body = {"membership_id": membership_id, "version": version, "unit": unit, **ends}
        facts.append(member_of(person_id, draw(st.sampled_from(households)), valid_from, **where))
    return facts


@st.composite
def member_facts(draw: st.DrawFn, person_id: str, claims: Sequence[str], households: Sequence[str]) -> list[Body]:
    """All the facts of one person, who belongs to some households at times."""
    facts = [] if draw(seldom) else [coverage_from(coverage_id=f"C1-{person_id}")]
    if draw(seldom):
        facts += draw(coverages(f"C2-{person_id}"))
    for claim in claims:
        facts += draw(encounters(claim))
    if draw(seldom):
        facts.append(death(draw(st.sampled_from(DAYS))))
    facts = of(person_id, *facts)
    for number in range(draw(st.sampled_from((1, 1, 1, 2, 3)))):
        facts += draw(memberships(person_id, f"M{number}-{person_id}", households))
    return facts


@st.composite
def towns(
    draw: st.DrawFn, drawn: st.SearchStrategy[tuple[str, ...]] | None = None, households: Sequence[str] = HOUSEHOLDS
) -> History:
    """Policies, and all the facts of two to four persons in one to three households, corrections included."""
    persons = PERSONS[: draw(st.sampled_from((2, 2, 3, 4)))]
    known = households[: draw(st.integers(1, len(households)))]
    names = list(draw(st.permutations(CLAIMS)))
    facts: list[Body] = []
    for person_id in persons:
        dealt = [names.pop() for _ in range(draw(st.sampled_from((1, 1, 2))))]
        facts += draw(member_facts(person_id, dealt, known))
    return History(draw(household_releases() if drawn is None else drawn), tuple(facts))


@st.composite
def crowded_years(draw: st.DrawFn) -> History:
    """One year of a household of two or three, whose scheme is capped and whose claims are corrected; one may move."""
    caps = {"cap_per_household_year": yuan(draw(st.sampled_from((9_999, 40_000, 150_000))))}
    if draw(st.booleans()):
        caps["cap_per_year"] = yuan(draw(st.sampled_from(EDGES)))
    layers = [
        scheme(
            scheme_id,
            draw(brackets()),
            None,
            accumulates=draw(st.sampled_from(("stay", "person_year", "household_year"))),
            **caps,
        )
        for scheme_id in SCHEME_IDS[: draw(st.sampled_from((1, 1, 2)))]
    ]
    names = list(draw(st.permutations(CLAIMS)))
    facts: list[Body] = []
    for person_id in PERSONS[: draw(st.sampled_from((2, 2, 3)))]:
        own = [coverage_from(coverage_id=f"C1-{person_id}")]
        for claim in [names.pop() for _ in range(draw(st.sampled_from((1, 2, 2))))]:
            own += stay_of(claim, draw(st.sampled_from(DAYS[:-2])), yuan(draw(st.sampled_from(AMOUNTS[3:]))))
            correction = draw(
                st.sampled_from(("none", "none", "another amount", "another day", "void", "billed again"))
            )
            if correction == "another amount":
                own.append(bill_of(claim, yuan(draw(st.sampled_from(AMOUNTS))), version=2))
            elif correction == "another day":
                own.append(discharge_of(claim, draw(st.sampled_from(DAYS)), version=2))
            elif correction != "none":
                own.append(void_of(claim, 2))
            if correction == "billed again":
                own.append(bill_of(claim, yuan(draw(st.sampled_from(AMOUNTS[3:]))), version=3))
        facts += of(person_id, *own)
        moves = draw(st.sampled_from(("stays", "stays", "moves", "moves and returns", "ends", "is alone", "never was")))
        facts.append(member_of(person_id))
        if moves.startswith("moves"):
            facts.append(member_of(person_id, "HH2", draw(st.sampled_from(DAYS)), version=2))
        if moves == "moves and returns":
            facts.append(member_of(person_id, version=3))
        if moves == "ends":
            facts.append(member_of(person_id, valid_to=draw(st.sampled_from(DAYS)), version=2))
        if moves == "is alone":
            facts.append(member_of(person_id, unit="single", version=2))
        if moves == "never was":
            facts.append(membership_void(f"M-{person_id}", person_id=person_id))
    return History((policy(*layers),), tuple(facts))


def person_of(decision: Decision) -> PersonId:
    return PersonId(str(decision["person_id"]))


def lines_of(facts: Sequence[Body]) -> list[bytes]:
    """The facts as the oracle reads them."""
    return [encode(body) for body in facts]
