"""The laws of households (groups.md, section 2) and those of claims.md with them, over the pure core."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date

from hypothesis import assume, given
from hypothesis import strategies as st

from handlers.claims.households import linked
from tests.oracle import calculator
from tests.properties.explained import assert_explained
from tests.properties.household_strategies import (
    PERSONS,
    GroupLedger,
    crowded_years,
    lines_of,
    member_facts,
    member_of,
    person_of,
    told,
    towns,
)
from tests.properties.strategies import (
    Body,
    History,
    decide,
    deliveries,
    due_of,
    fen,
    newest,
    publishing_orders,
    tried,
)
from tests.support.builders import membership_void

Unit = tuple[str, str]


def units_of(facts: list[Body]) -> dict[str, tuple[Unit, bool]]:
    """The unit of each claim that has a discharge, and whether several memberships hold its day, by the oracle."""
    ledger = calculator.Ledger()
    for line in lines_of(facts):
        ledger.consider(calculator.read_event(line))
    claims = [claim for claim in calculator.claims_of(ledger) if claim.discharge is not None]
    return {claim.id: (claim.unit, len(claim.memberships_held) > 1) for claim in claims}


def days_of(facts: list[Body]) -> dict[str, date]:
    """The day of discharge of each claim that has one."""
    return {
        str(body["encounter_id"]): date.fromisoformat(str(body["discharged_on"]))
        for body in facts
        if "discharged_on" in body
    }


# Law 1: the set of facts decides ------------------------------------------------------------------------------------


@tried
@given(towns() | crowded_years(), st.data())
def test_order_repetition_and_delay_change_nothing(history: History, data: st.DataObject) -> None:
    """Facts in any order, groups decided at once or late: the end is what the newest versions give at once."""
    ledger = GroupLedger(*history.policies, at_once=False)
    for body in data.draw(deliveries(history.facts)):
        ledger.take(body)
        if data.draw(st.booleans()):
            ledger.decide_groups()
    ledger.decide_groups()
    fresh = decide(history.policies, *newest(history.facts))
    assert fresh == ledger.decisions()
    assert due_of(fresh) == ledger.net


@tried
@given(towns(), st.data())
def test_batches_change_no_byte(history: History, data: st.DataObject) -> None:
    """One event a batch or all in one: the same messages go out."""
    order = data.draw(deliveries(history.facts))
    together, apart = GroupLedger(*history.policies), GroupLedger(*history.policies, one_batch=False)
    together.take(*order)
    apart.take(*order)
    assert together.sent == apart.sent


@tried
@given(towns(), st.data())
def test_a_policy_may_be_published_at_any_time(history: History, data: st.DataObject) -> None:
    """Policies published before, between or after the facts, the first by household among them: the same end."""
    order = data.draw(publishing_orders(history.policies))
    facts = data.draw(deliveries(history.facts))
    ledger = GroupLedger()
    for text in order:
        many = data.draw(st.integers(0, len(facts)))
        ledger.take(*facts[:many])
        facts = facts[many:]
        instructed = ledger.publish(text)
        households = {name: account.households() for name, account in ledger.world.accounts.items()}
        if not ledger.world.policies.household_schemes:
            households = {name: set() for name in households}
        for group in linked(households):
            kinds = [row.kind for row in instructed if row.person_id in group]
            assert kinds == sorted(kinds, key=lambda kind: kind == "payment"), "recoveries come first in each group"
    ledger.take(*facts)
    fresh = decide(history.policies, *newest(history.facts))
    assert fresh == ledger.decisions()
    assert due_of(fresh) == ledger.net


# Names and order ----------------------------------------------------------------------------------------------------


@tried
@given(towns() | crowded_years(), st.data())
def test_names_and_order_of_members_change_nothing(history: History, data: st.DataObject) -> None:
    """Persons and households called otherwise, and coming in another order, get the same to the last sentence."""
    names: dict[object, str] = dict(zip(PERSONS, data.draw(st.permutations(("P4", "a", "P10", "赵"))), strict=True))
    names |= zip(("HH1", "HH2", "HH3"), data.draw(st.permutations(("HH1", "z", "0"))), strict=True)
    facts = newest(history.facts)
    renamed = [
        {name: names[value] if name in ("person_id", "household_id") else value for name, value in body.items()}
        for body in data.draw(st.permutations(facts))
    ]
    assert told(decide(history.policies, *facts), "person_id") == told(decide(history.policies, *renamed), "person_id")


# Caps ---------------------------------------------------------------------------------------------------------------


Place = tuple[str, date, Unit]  # scheme, policy year, unit


def beyond_caps(net: Mapping[tuple[str, str], int], facts: list[Body], texts: tuple[str, ...]) -> dict[Place, int]:
    """What a scheme has paid in a policy year to a unit, where that is more than all its releases allow (fen)."""
    policies = calculator.read_policies(texts)
    units, days = units_of(facts), days_of(facts)
    paid: Counter[Place] = Counter()
    caps: dict[Place, list[int | None]] = {}
    for (claim_id, scheme_id), amount in net.items():
        (release,) = (each for each in policies if each.in_force(days[claim_id]))
        (scheme,) = (each for each in release.schemes if each.id == scheme_id)
        place = (scheme_id, release.year_of(days[claim_id]), units[claim_id][0])
        paid[place] += amount
        cap = scheme.cap_per_household_year
        caps.setdefault(place, []).append(None if cap is None else int(cap * 100))
    return {place: amount for place, amount in paid.items() if _is_over(amount, caps[place])}


def _is_over(amount: int, caps: list[int | None]) -> bool:
    known = [cap for cap in caps if cap is not None]
    return len(known) == len(caps) and amount > max(known)


@tried
@given(towns() | crowded_years(), st.data())
def test_the_cap_of_a_unit_holds_after_every_instruction(history: History, data: st.DataObject) -> None:
    """However members join, move and are corrected, no payment of a group passes the cap of any unit of it."""
    ledger, taken = GroupLedger(*history.policies), list[Body]()
    net: Counter[tuple[str, str]] = Counter()
    for body in data.draw(deliveries(history.facts)):
        taken.append(body)
        facts = newest(taken)
        instructions = ledger.take(body)
        kinds = [row.kind for row in instructions]
        assert sorted(kinds, reverse=True) == kinds, "a payment went out before a recovery"
        for row in instructions:
            net[row.claim_id, row.scheme_id] += row.amount if row.kind == "payment" else -row.amount
            if row.kind == "payment":
                assert not beyond_caps(+net, facts, history.policies)
        assert not beyond_caps(+net, facts, history.policies)
        assert due_of(decide(history.policies, *facts)) == dict(+net)


# Laws 2 and 3: what may be owed, and what has been instructed -------------------------------------------------------


@tried
@given(towns() | crowded_years(), st.data())
def test_instructions_of_a_group_lead_to_what_is_due_and_never_beyond_the_burden(
    history: History, data: st.DataObject
) -> None:
    """Per claim and scheme revisions are 1, 2, 3..., balances join, and they end at a benefit within the burden."""
    ledger = GroupLedger(*history.policies)
    ledger.take(*data.draw(deliveries(history.facts)))
    ends: dict[tuple[str, str], tuple[int, int]] = {}
    for row in ledger.instructions:
        revision, balance = ends.get((row.claim_id, row.scheme_id), (0, 0))
        signed = row.amount if row.kind == "payment" else -row.amount
        assert (revision + 1, balance, balance + signed) == (row.revision, row.balance_before, row.balance_after)
        assert row.amount > 0
        assert row.balance_after >= 0
        ends[row.claim_id, row.scheme_id] = (row.revision, row.balance_after)
    assert due_of(ledger.decisions()) == ledger.net
    for decision in ledger.decisions().values():
        amounts = [fen(benefit["benefit"]) for benefit in decision["benefits"]]
        assert all(amount >= 0 for amount in amounts)
        assert sum(amounts) == fen(decision["total_benefit"]) <= fen(decision["personal_burden"])


# Moving -------------------------------------------------------------------------------------------------------------


@tried
@given(towns() | crowded_years(), st.data())
def test_moving_out_and_back_leaves_no_trace(history: History, data: st.DataObject) -> None:
    """A membership that was changed and set right, or recorded and voided, leaves decisions and money as they were."""
    straight, moving = GroupLedger(*history.policies), GroupLedger(*history.policies)
    straight.take(*history.facts)
    moving.take(*history.facts)
    line = [body for body in newest(history.facts) if body["event_type"] == "membership.recorded"]
    assume(line)
    held = data.draw(st.sampled_from(line))
    away = data.draw(
        st.sampled_from(
            (
                {"household_id": "HH1"},
                {"household_id": "HH2"},
                {"household_id": "HH-elsewhere"},
                {"unit": "single"},
                {"unit": "collective"},
                {"valid_from": "2020-06-30", "valid_to": "2020-12-31"},
            )
        )
    )
    version, person_id = int(held["version"]), str(held["person_id"])
    visit = member_of(person_id, "HH3", "2020-02-29", membership_id="visit")
    moving.take({**held, **away, "version": version + 1}, visit)
    back = [{**held, "version": version + 2}, membership_void("visit", person_id=person_id)]
    moving.take(*data.draw(st.permutations(back)))
    assert straight.decisions() == moving.decisions()
    assert straight.net == moving.net
    overlapping = {name: row.overlapping for name, row in straight.world.claims.items()}
    assert overlapping == {name: row.overlapping for name, row in moving.world.claims.items()}
    households = {name: row.household_id for name, row in straight.world.claims.items()}
    assert households == {name: row.household_id for name, row in moving.world.claims.items()}


@tried
@given(towns(), st.data())
def test_a_fact_outside_the_component_changes_nothing_in_it(history: History, data: st.DataObject) -> None:
    """Strangers with households of their own, and their claims, cause no decision and no instruction here."""
    strange = data.draw(member_facts("Q1", ("E0", "E9"), ("other-1",))) + data.draw(
        member_facts("Q2", ("E8", "e0"), ("other-1", "other-2"))
    )
    alone, beside = GroupLedger(*history.policies), GroupLedger(*history.policies)
    alone.take(*history.facts)
    left = list(history.facts)
    while left or strange:
        mine = bool(left) and (not strange or data.draw(st.booleans()))
        before = len(beside.batches[-1].outcome.decisions)
        caused = beside.take(left.pop(0) if mine else strange.pop(0))
        decided = [row.claim_id for row in beside.batches[-1].outcome.decisions[before:]]
        persons = {beside.world.claims[name].person_id for name in [*decided, *(row.claim_id for row in caused)]}
        assert all((person_id in PERSONS) == mine for person_id in persons)
    here = {name: decision for name, decision in beside.decisions().items() if person_of(decision) in PERSONS}
    assert alone.decisions() == here
    assert alone.net == {place: amount for place, amount in beside.net.items() if place[0] in here}


# Units --------------------------------------------------------------------------------------------------------------


@tried
@given(towns())
def test_the_unit_of_a_claim_is_the_oracles(history: History) -> None:
    """The household that the ledger keeps with a claim, and whether memberships overlap, by an independent program."""
    assume("household" in "".join(history.policies))
    ledger = GroupLedger(*history.policies)
    ledger.take(*history.facts)
    units = units_of(newest(history.facts))
    for claim_id, row in ledger.world.claims.items():
        if row.status in ("adjudicated", "not_covered"):
            (kind, name), overlapping = units[claim_id]
            assert (name if kind == "household" else None, overlapping) == (row.household_id, row.overlapping)


# Law 6: the explanation is enough -----------------------------------------------------------------------------------


@tried
@given(towns() | crowded_years())
def test_the_explanation_alone_gives_the_benefit(history: History) -> None:
    """An independent program recomputes every benefit from its lines, which name the sums of the right unit."""
    facts = newest(history.facts)
    decisions = decide(history.policies, *facts)
    for decision in decisions.values():
        assert_explained(decision)
    units, days = units_of(facts), days_of(facts)
    releases = {each.id: each for each in calculator.read_policies(history.policies)}
    so_far: Counter[tuple[object, ...]] = Counter()  # what was paid, or measured in one way, to a person or a unit
    decided = [name for name in decisions if decisions[name]["benefits"]]
    for name in sorted(decided, key=lambda name: (days[name], name)):
        decision = decisions[name]
        release = releases[str(decision["policy_id"])]
        for benefit in decision["benefits"]:
            (scheme,) = (each for each in release.schemes if each.id == benefit["scheme_id"])
            own = (scheme.id, release.year_of(days[name]), person_of(decision))
            unit = (scheme.id, release.year_of(days[name]), units[name][0])
            running = (scheme.accumulates, *(own if scheme.accumulates == "person_year" else unit))
            for line in decision["explanation"]:
                if line["scheme_id"] != scheme.id:
                    continue
                if line["step"] == "cap_per_year":
                    assert so_far["paid", *own] == fen(line["inputs"]["paid_before"])
                if line["step"] == "cap_per_household_year":
                    assert so_far["paid", *unit] == fen(line["inputs"]["paid_before"])
                if line["step"] == "bracket" and scheme.accumulates != "stay":
                    assert so_far[running] == fen(line["inputs"]["year_before"])
            so_far["paid", *own] += fen(benefit["benefit"])
            so_far["paid", *unit] += fen(benefit["benefit"])
            if benefit["tier"] is not None and benefit.get("reason") != "FILED_LATE":
                so_far[running] += fen(benefit["measured"])
