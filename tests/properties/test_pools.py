"""The laws of pools (groups.md, section 3) over random lives: facts in any order, steps at any moment in between."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.restrictions import FREE
from schemas.facts import OnShortage
from schemas.records import BenefitRow, InstructionRow
from tests.properties.pool_ledger import (
    PERSONS,
    POOLS,
    YEARS,
    PoolLedger,
    free_needed,
    money_of,
    pool_lives,
    without_pools,
)
from tests.properties.strategies import (
    Body,
    Decision,
    History,
    Ledger,
    decide,
    deliveries,
    due_of,
    fen,
    net_of,
    newest,
    tried,
)
from tests.support.builders import contribution, pool

MAY_NOT_OWE = ("queue", "pro_rata")


@st.composite
def moments(draw: st.DrawFn, facts: Sequence[Body]) -> list[Body | tuple[str, frozenset[str]]]:
    """The facts in any order, or corrections last, and between them steps of pools that reach all persons or some."""
    moments_: list[Body | tuple[str, frozenset[str]]] = []
    order = draw(deliveries(facts))
    for body in sorted(order, key=lambda body: body["version"]) if draw(st.booleans()) else order:
        moments_.append(body)
        for pool_id in draw(st.lists(st.sampled_from(POOLS), max_size=2)):
            reach = frozenset(PERSONS) if draw(st.booleans()) else draw(st.frozensets(st.sampled_from(PERSONS)))
            moments_.append((pool_id, reach))
    return moments_


def lived(
    ledger: PoolLedger, happens: Sequence[Body | tuple[str, frozenset[str]]]
) -> Iterator[tuple[list[Body], str | None, list[InstructionRow]]]:
    """What came before each moment, the pool whose step it was, if it was one, and what was instructed in it.

    At the end the pools come to rest, each with a step of its own.
    """
    taken: list[Body] = []
    for each in happens:
        if isinstance(each, tuple):
            yield taken, each[0], ledger.step(*each)
        else:
            taken.append(each)
            yield taken, None, ledger.take(each)
    for pool_id in sorted(ledger.restless):
        yield taken, pool_id, ledger.step(pool_id)


def bare(decisions: dict[str, Decision]) -> dict[str, Decision]:
    """Decisions without the names of pools and without what waits for them."""
    return {
        claim_id: {
            **{name: value for name, value in decision.items() if name != "waiting"},
            "benefits": [
                {name: value for name, value in line.items() if name != "pool_id"} for line in decision["benefits"]
            ],
        }
        for claim_id, decision in decisions.items()
    }


def served(ledger: PoolLedger, pool_id: str) -> list[BenefitRow]:
    """Whom the pool's queue is to serve, in canonical order."""
    return [row for row in ledger.benefits_of(pool_id) if row.waiting > row.left_by_close]


# Due does not depend on money ---------------------------------------------------------------------------------------


@tried
@given(pool_lives(), st.data())
def test_what_is_due_is_what_the_fund_would_owe(history: History, data: st.DataObject) -> None:
    """In whatever order facts come and steps are done: law 1 for what is due, in every mode."""
    ledger = PoolLedger(*history.policies, at_once=False)
    for _ in lived(ledger, data.draw(moments(history.facts))):
        pass
    fresh = decide(without_pools(history.policies), *newest(history.facts))
    assert fresh == bare(ledger.decisions())


@tried
@given(pool_lives(), st.data())
def test_what_is_due_is_released_or_waits(history: History, data: st.DataObject) -> None:
    """After every moment by the rows, and at rest by the decision: what it does not call waiting was instructed."""
    ledger = PoolLedger(*history.policies, at_once=False)
    for _ in lived(ledger, data.draw(moments(history.facts))):
        rows = [row for held in ledger.world.benefits.values() for row in held.values()]
        assert {(row.claim_id, row.scheme_id): row.released for row in rows if row.released} == ledger.net
        assert all(0 <= row.released <= row.benefit for row in rows)
    due, net = due_of(ledger.decisions()), ledger.net
    for claim_id, decision in ledger.decisions().items():
        for line in decision.get("waiting", ()):
            place = (claim_id, line["scheme_id"])
            assert fen(line["amount"]) > 0
            net[place] = net.get(place, 0) + fen(line["amount"])
    assert due == net


# Money --------------------------------------------------------------------------------------------------------------


@tried
@given(pool_lives(rules=MAY_NOT_OWE, steady=True), st.data())
def test_a_pool_that_may_not_owe_never_does(history: History, data: st.DataObject) -> None:
    """After every moment; restricted money has paid only its schemes, and before free money."""
    ledger, given_ = PoolLedger(*history.policies, at_once=False), list[InstructionRow]()
    for taken, _, instructions in lived(ledger, data.draw(moments(history.facts))):
        for each in instructions:
            given_.append(each)
            for pool_id in POOLS:
                money = money_of(pool_id, taken, given_)
                assert money.balance >= 0
                assert free_needed(money.received, money.released) <= money.received.get(FREE, 0)


@tried
@given(pool_lives(), st.data())
def test_no_release_makes_a_pool_owe(history: History, data: st.DataObject) -> None:
    """Money that was spent may be voided, and the rule may change: then nothing is released until it is covered."""
    ledger = PoolLedger(*history.policies, at_once=False)
    for taken, stepped, instructions in lived(ledger, data.draw(moments(history.facts))):
        for pool_id in POOLS:
            money = money_of(pool_id, taken, ledger.instructions)
            standing = ledger.pool(pool_id)
            assert money.balance == standing.money.balance
            if stepped == pool_id:
                assert ("POOL_OVERDRAWN" in standing.alerts) == (money.balance < 0)
                if instructions and standing.on_shortage is not OnShortage.OWE:
                    assert free_needed(money.received, money.released) <= money.received.get(FREE, 0)


# Order --------------------------------------------------------------------------------------------------------------


@tried
@given(pool_lives(rules=("queue",)), st.data())
def test_nobody_is_overtaken_and_nobody_waits_whom_the_money_covers(history: History, data: st.DataObject) -> None:
    """A step pays the first of the queue, each whole; the money does not cover the next."""
    ledger = PoolLedger(*history.policies, at_once=False)
    happens, queues = data.draw(moments(history.facts)), dict[str, list[BenefitRow]]()
    for _, stepped, instructions in lived(ledger, happens):
        if stepped is not None:
            before, paid = queues.get(stepped, []), net_of(instructions)
            first = {(row.claim_id, row.scheme_id): row.waiting for row in before[: len(paid)]}
            assert paid == first
        queues = {pool_id: served(ledger, pool_id) for pool_id in POOLS}
    for pool_id in POOLS:
        money = money_of(pool_id, history.facts, ledger.instructions)
        if queues[pool_id] and ledger.pool(pool_id).on_shortage is not None:
            row = queues[pool_id][0]
            money.released[row.scheme_id] = money.released.get(row.scheme_id, 0) + row.waiting
            assert free_needed(money.received, money.released) > money.received.get(FREE, 0)


@tried
@given(pool_lives(), st.data())
def test_what_was_released_is_taken_back_only_where_less_is_due(history: History, data: st.DataObject) -> None:
    """Not because somebody earlier appeared, money went away, or another pool has to pay."""
    ledger = PoolLedger(*history.policies, at_once=False)
    ledger.take(*(contribution("G9-" + pool_id, pool_id, 10_000) for pool_id in POOLS))
    for _, stepped, instructions in lived(ledger, data.draw(moments(history.facts))):
        due = due_of(ledger.decisions())
        recovered = {(row.claim_id, row.scheme_id) for row in instructions if row.kind == "recovery"}
        assert stepped is None or not recovered
        for place in recovered:
            assert due.get(place, 0) == ledger.net.get(place, 0)


# With enough money --------------------------------------------------------------------------------------------------


@tried
@given(pool_lives(pools=("V1",)), st.sampled_from(("queue", "owe")), st.data())
def test_with_enough_money_a_pool_changes_nothing_but_its_name(
    history: History, rule: str, data: st.DataObject
) -> None:
    """Each decision is published once as before, and each instruction differs by the name only."""
    named: Body = {"pool_id": "V1"}
    lives = [body | named if "category" in body else body for body in history.facts if "person_id" in body]
    order = data.draw(deliveries(lives))
    funded, plain = PoolLedger(*history.policies), Ledger(*without_pools(history.policies))
    funded.take(pool("V1", rule), contribution("G1", "V1", 1_000_000))
    funded.take(*order)
    plain.take(*order)
    for topic in ("decisions", "instructions"):
        ours = [json.loads(row.value) for row in funded.sent if topic in row.topic]
        theirs = [json.loads(row.value) for row in plain.sent if topic in row.topic]
        assert sorted(map(_unnamed, ours)) == sorted(map(_unnamed, theirs))


def _unnamed(document: Body) -> str:
    document.pop("pool_id", None)
    document.pop("policy_sha256", None)
    for line in document.get("benefits", ()):
        line.pop("pool_id", None)
    return json.dumps(document, sort_keys=True)


# Released, where that does not depend on when -----------------------------------------------------------------------


@tried
@given(pool_lives(rules=("pro_rata",), steady=True), st.data())
def test_a_close_gives_everybody_the_same_whatever_came_first(history: History, data: st.DataObject) -> None:
    """Law 1 for what is released, given the close of a year: where no pool was named, it was paid at once."""
    nets = []
    for _ in range(2):
        ledger = PoolLedger(*history.policies, at_once=False)
        for _ in lived(ledger, data.draw(moments(history.facts))):
            pass
        for pool_id in POOLS:
            ledger.close(pool_id, YEARS[-1])
        nets.append(ledger.net)
    assert nets[0] == nets[1]


# Law 7 --------------------------------------------------------------------------------------------------------------


@tried
@given(pool_lives(), st.data())
def test_a_replay_of_events_and_steps_sends_the_same_bytes(history: History, data: st.DataObject) -> None:
    """What a step did is in its bytes: nothing else is asked for the money again."""
    ledger = PoolLedger(*history.policies, at_once=False)
    for _ in lived(ledger, data.draw(moments(history.facts))):
        pass
    for pool_id in POOLS:
        if ledger.pool(pool_id).on_shortage is OnShortage.PRO_RATA:
            for year in YEARS:
                ledger.close(pool_id, year)
    assert ledger.sent == ledger.replayed().sent


@tried
@given(pool_lives(), st.data())
def test_batches_with_steps_change_no_byte(history: History, data: st.DataObject) -> None:
    """One event a batch or all in one, as long as the steps are at the same moments."""
    happens = data.draw(moments(history.facts))
    together = PoolLedger(*history.policies, at_once=False)
    apart = PoolLedger(*history.policies, one_batch=False, at_once=False)
    for ledger in (together, apart):
        for _ in lived(ledger, happens):
            pass
    assert together.sent == apart.sent
