"""Pools and lives that wait for their money, drawn at random, and a ledger in memory that does the pools' steps."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations

from hypothesis import strategies as st

from handlers.claims.group_step import recompute_group
from handlers.claims.group_step import step_of as group_step_of
from handlers.claims.restrictions import restriction, schemes_of
from handlers.pools.pool_money import PoolMoney
from handlers.pools.pool_step import Pool, does_something, plan, step_of, take_step
from handlers.pools.pool_year import close_year, of_year
from handlers.pools.pool_year import planned as planned_year
from schemas.facts import OnShortage
from schemas.pool_records import PoolYear, WaitingBenefit
from schemas.records import BenefitRow, EventRow, InstructionRow
from tests.properties.household_strategies import GroupLedger, of
from tests.properties.strategies import (
    AMOUNTS,
    CATEGORIES,
    DAYS,
    SCHEME_IDS,
    Body,
    History,
    Ledger,
    bill_of,
    brackets,
    coverage_from,
    encounters,
    fen,
    newest,
    policy,
    releases,
    scheme,
    schemes,
    seldom,
    stay_of,
    void_of,
    yuan,
)
from tests.support.builders import contribution, contribution_void, coverage_void, encode, owner_of, pool

PERSONS = ("P1", "P2", "P3")
POOLS = ("V1", "V2")
AT_ONCE = 100
"""No life has so many claims that one step would not reach them."""

YEARS = (2020, 2021)
CLAIMS = ("E1", "E10", "E2", "e3", "E4", "E5", "E6")


@dataclass(slots=True)
class Standing:
    """What the ledger keeps of one pool."""

    on_shortage: OnShortage | None = None
    money: PoolMoney = field(default_factory=PoolMoney)
    alerts: frozenset[str] = frozenset()


class PoolLedger(GroupLedger):
    """A ledger that does the steps of pools as the worker does: after each event, or later, when it is told to."""

    def __init__(self, *texts: str, one_batch: bool = True, at_once: bool = True) -> None:
        """``at_once`` false leaves the steps to `step`."""
        super().__init__(*texts, one_batch=one_batch)
        self.steps_at_once = at_once
        self.pools: dict[str, Standing] = {}
        self.restless: set[str] = set()

    def take(self, *bodies: Body) -> list[InstructionRow]:
        given: list[InstructionRow] = []
        for body in bodies:
            given += self.deliver(encode(body), owner_of(body).encode())
        assert [] == [row for batch in self.batches for row in batch.outcome.refusals]
        return given

    def deliver(self, value: bytes, key: bytes | None = None) -> list[InstructionRow]:
        given = super().deliver(value, key)
        self._fold(stirs=True)
        return given + self.rest() if self.steps_at_once else given

    def rest(self) -> list[InstructionRow]:
        """Does the steps of all pools that have work."""
        return [row for pool_id in sorted(self.restless) for row in self.step(pool_id)]

    def step(self, pool_id: str, reach: Collection[str] | None = None) -> list[InstructionRow]:
        """Does a pool's step, for the persons within reach of it, and returns what it instructs."""
        found = self.pool(pool_id)
        batch, standing = self.batches[-1], self.pools[pool_id]
        before = len(batch.outcome.instructions)
        planned, unfinished = plan(found, lambda each: reach is None or each.person_id in reach, AT_ONCE)
        if not unfinished:
            self.restless.discard(pool_id)
        if does_something(planned):
            take_step(batch, planned, standing.on_shortage)
            raised = {code for code, _ in planned.raised}
            standing.alerts = standing.alerts.union(raised).difference(planned.withdrawn)
        self._fold(stirs=False)
        return batch.outcome.instructions[before:]

    def close(self, pool_id: str, year: int) -> list[InstructionRow]:
        """Closes a year of a pool that pays pro rata, as an operator does."""
        found, batch = self.pool(pool_id), self.batches[-1]
        before, served = len(batch.outcome.instructions), of_year(found.queue, self.world.policies, year)
        close_year(batch, planned_year(pool_id, year, "li.na", "", found.money, served))
        self._fold(stirs=False)
        return batch.outcome.instructions[before:]

    def pool(self, pool_id: str) -> Pool:
        """A pool as its step finds it."""
        standing, rows = self.pools.setdefault(pool_id, Standing()), self.benefits_of(pool_id)
        waiting = [(row, self._waiting(row)) for row in rows]
        queue = [each for _, each in waiting if each.open > 0]
        places = {(each.claim_id, each.scheme_id): place for place, each in enumerate(queue, start=1)}
        untold = [
            (each, places.get((each.claim_id, each.scheme_id), 0)) for _, each in waiting if each.waiting != each.told
        ]
        money = PoolMoney(dict(standing.money.received), dict(standing.money.released))
        total = sum(each.waiting for _, each in waiting)
        return Pool(pool_id, standing.on_shortage, money, queue, untold, total, standing.alerts)

    def benefits_of(self, pool_id: str) -> list[BenefitRow]:
        """Those that a pool has to pay, in canonical order."""
        rows = [row for held in self.world.benefits.values() for row in held.values() if row.pool_id == pool_id]
        return sorted(rows, key=lambda row: (row.discharged_on, row.claim_id, row.place))

    def replayed(self) -> PoolLedger:
        """Another ledger, that takes the same events and does what the bytes of the steps among them say."""
        again = PoolLedger(*self.texts, at_once=False)
        for row in [row for batch in self.batches for row in batch.outcome.events]:
            again.take_again(row)
        return again

    def take_again(self, row: EventRow) -> None:
        """Takes an event of another ledger, or does its step."""
        value = row.value or b""
        if row.topic == "operator":
            close_year(self.batches[-1], PoolYear(**json.loads(value)))
        elif row.topic == "ledger":
            said = step_of(value)
            if said is None:
                recompute_group(self.batches[-1], group_step_of(value))
            else:
                take_step(self.batches[-1], *said)
        else:
            Ledger.deliver(self, value, row.key)

    def _waiting(self, row: BenefitRow) -> WaitingBenefit:
        assert row.discharged_on is not None
        person_id, open_ = self.world.claims[row.claim_id].person_id, row.waiting - row.left_by_close
        return WaitingBenefit(row.claim_id, row.scheme_id, person_id, row.discharged_on, row.waiting, open_, row.told)

    def _fold(self, *, stirs: bool) -> None:
        outcome = self.batches[-1].outcome
        for row in outcome.pools.values():
            self.pools.setdefault(row.pool_id, Standing()).on_shortage = OnShortage(row.on_shortage)
        for work in outcome.pool_work:
            self.pools.setdefault(work.pool_id, Standing()).money.add(work.side, work.key, work.amount)
            if stirs:
                self.restless.add(work.pool_id)
        outcome.pool_work.clear()


# What the laws are held against ------------------------------------------------------------------------------------


def free_needed(received: Mapping[str, int], released: Mapping[str, int]) -> int:
    """The free money that is needed at least (Hall): some set of schemes got more than all that may pay for them."""
    most = 0
    for together in _sets(released):
        may = sum(amount for name, amount in received.items() if not together.isdisjoint(schemes_of(name)))
        most = max(most, sum(released[scheme_id] for scheme_id in together) - may)
    return most


def _sets(released: Mapping[str, int]) -> Iterator[frozenset[str]]:
    sizes = (combinations(released, size) for size in range(1, len(released) + 1))
    return map(frozenset, chain.from_iterable(sizes))


def money_of(pool_id: str, facts: Sequence[Body], instructions: Sequence[InstructionRow]) -> PoolMoney:
    """A pool's money by what was received, as the newest versions say, and by what was instructed."""
    money = PoolMoney()
    for body in newest(facts):
        if body["event_type"] == "contribution.received" and body["pool_id"] == pool_id:
            name, amount = restriction(body.get("restricted_to", ())), fen(str(body["amount"]))
            money.received[name] = money.received.get(name, 0) + amount
    for row in instructions:
        if row.pool_id == pool_id:
            signed = row.amount if row.kind == "payment" else -row.amount
            money.released[row.scheme_id] = money.released.get(row.scheme_id, 0) + signed
    return money


def without_pools(texts: Sequence[str]) -> tuple[str, ...]:
    """The same policies, whose schemes the fund pays."""
    return tuple(text.replace(FUNDED, "") for text in texts)


# At random ----------------------------------------------------------------------------------------------------------

FUNDED = 'funded_by = "pool"\n'
_EACH = "[[scheme]]\n"
RULES = ("queue", "queue", "queue", "owe", "pro_rata")
GIFTS = (1, 100, 9_999, 10_001, 50_000, 50_001, 200_000, 333_333, 1_000_000)


def wholly_funded(scheme_id: str) -> st.SearchStrategy[str]:
    """Like `schemes`, funded by pools."""
    return schemes(scheme_id).map(lambda text: text.replace(_EACH, f"{_EACH}{FUNDED}"))


def funded_schemes(scheme_id: str) -> st.SearchStrategy[str]:
    """Most often funded by pools."""
    return seldom.flatmap(lambda otherwise: schemes(scheme_id) if otherwise else wholly_funded(scheme_id))


@st.composite
def pool_coverages(draw: st.DrawFn, person_id: str, coverage_id: str, pools: Sequence[str | None]) -> list[Body]:
    """The versions of one coverage, which may name no pool or move to another one."""
    facts = []
    for version in range(1, draw(st.sampled_from((1, 1, 1, 2, 3))) + 1):
        if draw(seldom):
            facts.append(coverage_void(coverage_id, version, person_id=person_id))
            continue
        named = draw(st.sampled_from(pools))
        where: Body = {} if named is None else {"pool_id": named}
        valid_from = draw(st.sampled_from(("2000-01-01", "2000-01-01", "2000-01-02", *DAYS)))
        category = draw(st.sampled_from((*CATEGORIES, "member")))
        own: Body = {"coverage_id": coverage_id, "version": version, "person_id": person_id, **where}
        facts.append(coverage_from(valid_from, category, **own))
    return facts


@st.composite
def gifts(draw: st.DrawFn, contribution_id: str, pool_id: str, *, steady: bool = False) -> list[Body]:
    """The versions of one contribution: received, corrected and voided, or only received where it is ``steady``."""
    facts = []
    for version in range(1, (1 if steady else draw(st.sampled_from((1, 1, 1, 2, 3)))) + 1):
        if not steady and draw(seldom):
            facts.append(contribution_void(contribution_id, pool_id, version))
            continue
        named = draw(st.sets(st.sampled_from(SCHEME_IDS), min_size=1, max_size=2)) if draw(st.booleans()) else ()
        only: Body = {"restricted_to": sorted(named)} if named else {}
        amount = yuan(draw(st.sampled_from(GIFTS)))
        facts.append(contribution(contribution_id, pool_id, version=version, amount=amount, **only))
    return facts


@st.composite
def moneys(draw: st.DrawFn, pools: Sequence[str], rules: Sequence[str], *, steady: bool) -> list[Body]:
    """What is told of pools and their contributions; seldom nobody records a pool."""
    facts: list[Body] = []
    for pool_id in pools:
        rule = draw(st.sampled_from(rules))
        for version in range(1, draw(st.sampled_from((1, 1, 2)) if not draw(seldom) else st.just(0)) + 1):
            facts.append(pool(pool_id, rule, version))
            rule = rule if steady else draw(st.sampled_from(rules))
        for number in range(draw(st.sampled_from((0, 1, 2, 3)))):
            facts += draw(gifts(f"G{number}-{pool_id}", pool_id, steady=steady))
    return facts


@st.composite
def odd_lives(
    draw: st.DrawFn, pools: Sequence[str] = POOLS, rules: Sequence[str] = RULES, *, steady: bool = False
) -> History:
    """Policies, and all the facts of one to three persons and of the pools that pay them, corrections included."""
    facts: list[Body] = []
    names, named = list(draw(st.permutations(CLAIMS))), pools if steady else (*pools, *pools, *pools, None)
    for person_id in PERSONS[: draw(st.sampled_from((1, 2, 3)))]:
        facts += draw(pool_coverages(person_id, f"C1-{person_id}", named))
        if draw(seldom):
            facts += draw(pool_coverages(person_id, f"C2-{person_id}", named))
        for claim in [names.pop() for _ in range(draw(st.sampled_from((1, 1, 2))))]:
            facts += of(person_id, *draw(encounters(claim)))
    facts += draw(moneys(pools, rules, steady=steady))
    return History(draw(releases(wholly_funded if steady else funded_schemes)), tuple(facts))


@st.composite
def short_years(
    draw: st.DrawFn, pools: Sequence[str] = POOLS, rules: Sequence[str] = RULES, *, steady: bool = False
) -> History:
    """Two or three persons with claims that are all due, some corrected, in pools that just do or do not suffice."""
    layers = [scheme(scheme_id, draw(brackets())) for scheme_id in SCHEME_IDS[: draw(st.sampled_from((1, 2, 2)))]]
    names, facts = list(draw(st.permutations(CLAIMS))), list[Body]()
    for person_id in PERSONS[: draw(st.sampled_from((2, 2, 3)))]:
        for version in range(1, draw(st.sampled_from((1, 2, 3))) + 1):
            own: Body = {"coverage_id": f"C1-{person_id}", "version": version, "person_id": person_id}
            facts.append(coverage_from(**own, pool_id=draw(st.sampled_from(pools))))
        for claim in [names.pop() for _ in range(draw(st.sampled_from((1, 1, 2))))]:
            stay = stay_of(claim, draw(st.sampled_from(DAYS)), yuan(draw(st.sampled_from(AMOUNTS[3:]))))
            for version in range(2, draw(st.sampled_from((1, 2, 3))) + 1):
                amount = draw(st.sampled_from(AMOUNTS))
                stay.append(bill_of(claim, yuan(amount), version=version) if amount else void_of(claim, version))
            facts += of(person_id, *stay)
    facts += draw(moneys(pools, rules, steady=steady))
    return History((policy(*layers).replace(_EACH, f"{_EACH}{FUNDED}"),), tuple(facts))


def pool_lives(
    pools: Sequence[str] = POOLS, rules: Sequence[str] = RULES, *, steady: bool = False
) -> st.SearchStrategy[History]:
    """Odd lives and short years.

    Where they are ``steady`` no pool loses money but by paying, each has the same rule from its first version on, and
    some pool has to pay every benefit.
    """
    return odd_lives(pools, rules, steady=steady) | short_years(pools, rules, steady=steady)
