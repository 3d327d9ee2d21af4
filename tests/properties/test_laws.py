"""The laws of claims.md, section 7, attacked with random policies, facts, corrections and orders."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from handlers.offline.book import Book
from schemas.decisions import StepKind, to_json
from schemas.ids import ClaimId
from tests.oracle import calculator
from tests.oracle.cases import random_case, random_household_case
from tests.oracle.occasion_cases import random_occasion_case
from tests.properties.explained import assert_explained, recomputed
from tests.properties.strategies import (
    AMOUNTS,
    Body,
    History,
    Ledger,
    Net,
    bill_of,
    brackets,
    busy_years,
    coverage_from,
    decide,
    deliveries,
    discharge_of,
    due_of,
    fen,
    histories,
    net_of,
    newest,
    policy,
    publishing_orders,
    scheme,
    stay_of,
    successions,
    tried,
    void_of,
    yuan,
)
from tests.support.builders import encode, policies

# Law 1: the set of facts decides ------------------------------------------------------------------------------------


@tried
@given(histories() | busy_years(), st.data())
def test_order_repetition_and_delay_change_nothing(history: History, data: st.DataObject) -> None:
    """Facts in any order, repeated, older versions late: the last decisions and the money are the same."""
    straight, disordered = Ledger(*history.policies), Ledger(*history.policies)
    straight.take(*history.facts)
    disordered.take(*data.draw(deliveries(history.facts)))
    assert straight.decisions() == disordered.decisions()
    assert straight.net == disordered.net


@tried
@given(histories() | busy_years(), st.data())
def test_corrections_end_where_a_fresh_adjudication_ends(history: History, data: st.DataObject) -> None:
    """After any corrections the ledger holds what the newest versions alone, decided at once, would give."""
    ledger = Ledger(*history.policies)
    ledger.take(*data.draw(deliveries(history.facts)))
    fresh = decide(history.policies, *newest(history.facts))
    assert fresh == ledger.decisions()
    assert due_of(fresh) == ledger.net


def _published_meanwhile(history: History, data: st.DataObject) -> Ledger:
    """A ledger into which the facts came in some order and repetition, with the policies published among them."""
    order = data.draw(publishing_orders(history.policies))
    facts = data.draw(deliveries(history.facts))
    positions = sorted(data.draw(st.integers(0, len(facts))) for _ in order)
    ledger = Ledger()
    for position in range(len(facts) + 1):
        while positions and positions[0] <= position:
            positions.pop(0)
            kinds = [row.kind for row in ledger.publish(order.pop(0))]
            assert sorted(kinds, reverse=True) == kinds, "a payment went out before a recovery"
        if position < len(facts):
            ledger.take(facts[position])
    return ledger


@tried
@given(histories(), st.data())
def test_a_policy_may_be_published_at_any_time(history: History, data: st.DataObject) -> None:
    """Policies published before, between or after the facts, in either order, lead to the same end."""
    ledger = _published_meanwhile(history, data)
    fresh = decide(history.policies, *newest(history.facts))
    assert fresh == ledger.decisions()
    assert due_of(fresh) == ledger.net


NOT_OF_DUES = ("explanation", "advances", "payees", "alerts", "held")
"""Members that say why an amount is due, to whom, and what to look at, but not how much."""


@tried
@given(histories(successions()), st.data())
def test_a_succession_leaves_what_the_oracle_computes(history: History, data: st.DataObject) -> None:
    """Whenever a policy was succeeded, before, among or after the facts, the end is that of an independent program."""
    ledger = _published_meanwhile(history, data)
    lines = [encode(body) for body in newest(history.facts)]
    texts = data.draw(st.permutations(history.policies))
    claims, refused = calculator.adjudicate(texts, lines)
    assert [] == refused
    expected: dict[str, Body] = {str(claim["claim_id"]): claim for claim in claims}
    for claim_id, decision in ledger.decisions().items():
        assert expected[claim_id] == {name: value for name, value in decision.items() if name not in NOT_OF_DUES}
    assert expected.keys() == ledger.decisions().keys()
    assert due_of(expected) == ledger.net


@tried
@given(histories(), st.data())
def test_batches_change_no_byte(history: History, data: st.DataObject) -> None:
    """One event a batch or all in one: the same messages go out."""
    order = data.draw(deliveries(history.facts))
    together, apart = Ledger(*history.policies), Ledger(*history.policies, one_batch=False)
    together.take(*order)
    apart.take(*order)
    assert together.sent == apart.sent


@tried
@given(histories())
def test_what_is_said_twice_is_only_audited(history: History) -> None:
    """A duplicate or a stale version sends one audit entry and nothing else."""
    ledger = Ledger(*history.policies)
    ledger.take(*history.facts)
    before = len(ledger.sent)
    ledger.take(*history.facts)
    sent = [row.topic for row in ledger.sent[before:]]
    assert ["audit.events"] * len(history.facts) == sent


# Law 1: only the sums of a bill count -------------------------------------------------------------------------------


def _final_bills(history: History) -> list[Body]:
    return [body for body in newest(history.facts) if body.get("final") is True]


def _part(original: Body, number: int, copay: int, out_of_catalogue: int) -> Body:
    """An interim bill beside a final one, settled at some other time."""
    encounter, settlement_id = str(original["encounter_id"]), f"{original['settlement_id']}-part-{number}"
    when = f"2020-0{number + 1}-01T00:00:00+08:00"
    part: Body = {"settlement_id": settlement_id, "final": False, "settled_at": when}
    return bill_of(encounter, yuan(copay), yuan(out_of_catalogue), **part)


def _same_end(history: History, facts: Sequence[Body]) -> None:
    """The facts instead of the history's lead to the same decisions and money."""
    fresh = decide(history.policies, *newest(history.facts))
    ledger = Ledger(*history.policies)
    ledger.take(*facts)
    assert fresh == ledger.decisions()
    assert due_of(fresh) == ledger.net


@tried
@given(histories(), st.data())
def test_splitting_a_bill_changes_nothing(history: History, data: st.DataObject) -> None:
    """A final bill cut into a final one and interim bills, before or after it, is worth the same."""
    finals = _final_bills(history)
    assume(finals)
    whole = data.draw(st.sampled_from(finals))
    copay, out_of_catalogue = fen(str(whole["copay"])), fen(str(whole["out_of_catalogue"]))
    parts = []
    for number in range(data.draw(st.integers(1, 3))):
        here = data.draw(st.integers(0, copay)), data.draw(st.integers(0, out_of_catalogue))
        copay, out_of_catalogue = copay - here[0], out_of_catalogue - here[1]
        parts.append(_part(whole, number, *here))
    kept = {name: whole[name] for name in ("settlement_id", "settled_at")} | {"version": whole["version"] + 1}
    rest = bill_of(str(whole["encounter_id"]), yuan(copay), yuan(out_of_catalogue), **kept)
    extra = data.draw(st.permutations([*parts, rest]))
    _same_end(history, [*history.facts, *extra])


@tried
@given(histories(), st.data())
def test_a_zero_bill_changes_nothing(history: History, data: st.DataObject) -> None:
    """A bill of nothing beside a final one is worth nothing and files nothing, in any place."""
    finals = _final_bills(history)
    assume(finals)
    facts = list(history.facts)
    zero = _part(data.draw(st.sampled_from(finals)), 0, 0, 0)
    facts.insert(data.draw(st.integers(0, len(facts))), zero)
    _same_end(history, facts)


@tried
@given(histories(), st.data(), st.booleans())
def test_voiding_and_posting_again_changes_nothing(history: History, data: st.DataObject, other_id: bool) -> None:
    """A bill voided and posted again, under its own id or a new one, is worth the same."""
    finals = _final_bills(history)
    assume(finals)
    original = data.draw(st.sampled_from(finals))
    encounter, settlement_id = str(original["encounter_id"]), original["settlement_id"]
    voided = void_of(encounter, original["version"] + 1, settlement_id=settlement_id)
    again = {"settlement_id": "S-again", "version": 1} if other_id else {"version": original["version"] + 2}
    _same_end(history, [*history.facts, *data.draw(st.permutations([voided, {**original, **again}]))])


# Laws 2 and 3: what may be owed, and what has been instructed -------------------------------------------------------


@dataclass(frozen=True)
class Caps:
    """The limits and the policy year that the policy texts give to a claim and a scheme, read with tomllib alone."""

    texts: tuple[str, ...]

    def release(self, day: date) -> dict[str, Any] | None:
        started = [release for release in map(tomllib.loads, self.texts) if release["policy"]["effective_from"] <= day]
        newest_of_all = max(started, key=lambda release: release["policy"]["effective_from"], default=None)
        end = None if newest_of_all is None else newest_of_all["policy"].get("effective_to")
        return newest_of_all if end is None or day < end else None

    def year(self, day: date) -> date | None:
        release = self.release(day)
        if release is None:
            return None
        first = date.fromisoformat(f"{day.year}-{release['policy']['year_starts']}")
        return first if day >= first else first.replace(year=day.year - 1)

    def cap(self, day: date, scheme_id: str, name: str) -> int | None:
        """A cap in fen; None where there is none."""
        for table in (self.release(day) or {"scheme": []})["scheme"]:
            if table["id"] == scheme_id and name in table:
                return fen(table[name])
        return None


def _assert_within(caps: Caps, days: Mapping[ClaimId, date | None], burdens: Mapping[ClaimId, int], net: Net) -> None:
    """No instructed amount is negative or over the burden, a stay's cap or a year's cap."""
    for billed, burden in burdens.items():
        assert sum(amount for (claim, _), amount in net.items() if claim == billed) <= burden
    years: Counter[tuple[str, date]] = Counter()
    limits: dict[tuple[str, date], list[int | None]] = {}
    for (claim_id, scheme_id), amount in net.items():
        day = days[ClaimId(claim_id)]
        assert day is not None
        year = caps.year(day)
        assert year is not None, "money is out for a day without a policy"
        assert amount > 0
        per_stay = caps.cap(day, scheme_id, "cap_per_stay")
        assert per_stay is None or amount <= per_stay
        years[scheme_id, year] += amount
        limits.setdefault((scheme_id, year), []).append(caps.cap(day, scheme_id, "cap_per_year"))
    for place, total in years.items():
        known = [limit for limit in limits[place] if limit is not None]
        assert len(known) < len(limits[place]) or total <= max(known)


@tried
@given(histories() | busy_years(), st.data())
def test_every_cap_holds_at_every_moment(history: History, data: st.DataObject) -> None:
    """However facts come and are corrected, after each single instruction no cap is passed.

    What one fact causes is instructed in two strokes, recoveries and then payments. A claim that moves to another
    policy year counts there as soon as the recoveries are done.
    """
    caps = Caps(history.policies)
    ledger = Ledger(*history.policies)
    seen: Counter[tuple[str, str]] = Counter()
    for body in data.draw(deliveries(history.facts)):
        instructions = ledger.take(body)
        kinds = [row.kind for row in instructions]
        assert sorted(kinds, reverse=True) == kinds, "a payment went out before a recovery"
        days = {claim_id: row.discharged_on for claim_id, row in ledger.world.claims.items()}
        burdens = {claim_id: row.personal_burden for claim_id, row in ledger.world.claims.items()}
        for row in instructions:
            if row.kind == "payment":
                _assert_within(caps, days, burdens, +seen)
            seen[row.claim_id, row.scheme_id] += row.amount if row.kind == "payment" else -row.amount
            assert seen[row.claim_id, row.scheme_id] >= 0
        _assert_within(caps, days, burdens, dict(+seen))


@tried
@given(histories() | busy_years(), st.data())
def test_instructions_lead_from_one_balance_to_the_next(history: History, data: st.DataObject) -> None:
    """Per claim, scheme and payee revisions are 1, 2, 3..., balances join, amounts are positive, ids never return."""
    ledger = Ledger(*history.policies)
    ledger.take(*data.draw(st.just(list(history.facts)) | deliveries(history.facts)))
    ends: dict[tuple[str, str, str], tuple[int, int]] = {}
    for row in ledger.instructions:
        revision, balance = ends.get((row.claim_id, row.scheme_id, row.payee_id), (0, 0))
        signed = row.amount if row.kind == "payment" else -row.amount
        assert (revision + 1, balance, balance + signed) == (row.revision, row.balance_before, row.balance_after)
        assert row.amount > 0
        ends[row.claim_id, row.scheme_id, row.payee_id] = (row.revision, row.balance_after)
    assert len(ledger.instructions) == len({row.payout_id for row in ledger.instructions})
    assert due_of(ledger.decisions()) == ledger.net


@tried
@given(histories())
def test_a_claim_never_gets_more_than_its_burden(history: History) -> None:
    """Benefits are not negative, add up to the total, and with what the patient pays to the burden."""
    for decision in decide(history.policies, *newest(history.facts)).values():
        amounts = [fen(benefit["benefit"]) for benefit in decision["benefits"]]
        burden, patient_pays = fen(decision["personal_burden"]), fen(decision["patient_pays"])
        assert all(amount >= 0 for amount in amounts)
        assert sum(amounts) == fen(decision["total_benefit"]) == burden - patient_pays
        assert patient_pays >= 0
        assert all((fen(each["benefit"]) == 0) == ("reason" in each) for each in decision["benefits"])


@tried
@given(histories())
def test_the_layers_of_one_basis_share_it(history: History) -> None:
    """Schemes on the copay never pay more than the copay, those on the rest never more than the rest."""
    facts = newest(history.facts)
    bills = [body for body in facts if body["event_type"] == "settlement.posted"]
    for claim_id, decision in decide(history.policies, *facts).items():
        for basis in ("copay", "out_of_catalogue"):
            billed = sum(fen(str(body[basis])) for body in bills if body["encounter_id"] == claim_id)
            paid = sum(fen(each["benefit"]) for each in decision["benefits"] if each["basis"] == basis)
            assert paid <= billed


# Law 2: years -------------------------------------------------------------------------------------------------------


def _exactly(rates: Mapping[str, str], amount: int) -> Fraction:
    """f(amount), each slice at its own rate, in exact fen."""
    overs = [(fen(over), Fraction(rate)) for over, rate in rates.items()]
    ends = [over for over, _ in overs[1:]] + [amount]
    slices = [(min(amount, end) - over, rate) for (over, rate), end in zip(overs, ends, strict=True)]
    return sum((size * rate for size, rate in slices if size > 0), Fraction(0))


def _half_up(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))


@tried
@given(brackets(), st.integers(1, 366))
def test_a_year_of_one_fen_bills_does_not_drift(rates: dict[str, str], bills: int) -> None:
    """After each of up to 366 bills of one fen, a year has paid f(number of bills), rounded once."""
    scaled = {yuan(fen(over) // 100): rate for over, rate in rates.items()}  # edges that so small a year can reach
    yearly = policy(scheme(brackets=scaled, accumulates="person_year"))
    facts = [coverage_from()]
    for number in range(bills):
        facts += stay_of(f"E{number:03d}", str(date(2020, 1, 1) + timedelta(days=number)), "0.01")
    decisions = decide(yearly, *facts)
    paid = 0
    for number in range(bills):
        paid += fen(str(decisions[f"E{number:03d}"]["total_benefit"]))
        assert _half_up(_exactly(scaled, number + 1)) == paid


@tried
@given(brackets(), st.lists(st.sampled_from(AMOUNTS), min_size=1, max_size=5), st.data())
def test_a_higher_bill_never_lowers_a_year(rates: dict[str, str], bills: list[int], data: st.DataObject) -> None:
    """With one yearly scheme, raising one bill never lowers what the year pays, and the year pays f of its sum."""
    yearly = policy(scheme(brackets=rates, accumulates="person_year"))
    place = data.draw(st.integers(0, len(bills) - 1))
    raised = [*bills]
    raised[place] += data.draw(st.integers(1, 300_000))

    def paid(amounts: Iterable[int]) -> int:
        stays = (stay_of(f"E{number}", f"2020-0{number + 1}-01", yuan(amount)) for number, amount in enumerate(amounts))
        return sum(due_of(decide(yearly, coverage_from(), *(body for each in stays for body in each))).values())

    assert _half_up(_exactly(rates, sum(bills))) == paid(bills)
    assert paid(bills) <= paid(raised)


@tried
@given(brackets(), st.sampled_from(AMOUNTS), st.sampled_from(AMOUNTS), st.integers(1, 2_000_000))
def test_a_franchise_is_all_or_nothing(rates: dict[str, str], threshold: int, under: int, over: int) -> None:
    """Up to its threshold a scheme pays nothing; one fen more and f of the whole amount counts."""
    limited = policy(scheme(brackets=rates, threshold=yuan(threshold)))

    def paid(amount: int) -> int:
        return sum(due_of(decide(limited, coverage_from(), *stay_of("E1", "2020-01-01", yuan(amount)))).values())

    assert paid(min(under, threshold)) == 0
    assert _half_up(_exactly(rates, threshold + over)) == paid(threshold + over)


# Law 5: nothing is lost ---------------------------------------------------------------------------------------------


def test_every_message_becomes_exactly_one_event() -> None:
    """Whatever arrives is accepted, a duplicate, stale, or refused with its bytes kept; nothing else exists."""
    dispositions: Counter[str] = Counter()
    for seed in range(60):
        case = random_case(seed)
        ledger = Ledger(*case.policy_texts)
        for line in case.lines:
            ledger.deliver(line)
        outcome = ledger.batches[0].outcome
        assert case.lines == [row.value for row in outcome.events]
        by_disposition = Counter(row.disposition for row in outcome.events)
        topics = Counter(row.topic for row in outcome.outbox)
        assert by_disposition["accepted"] == len(outcome.facts)
        assert by_disposition["refused"] == len(outcome.refusals) == topics["claims.deadletter"]
        assert len(outcome.decisions) == topics["claims.decisions"]
        assert len(outcome.instructions) == topics["payouts.instructions"]
        audited = len(case.lines) + len(outcome.decisions) + len(outcome.instructions) + topics["alerts"]
        assert audited == topics["audit.events"]
        accounts = ledger.world.accounts.values()
        assert {name for account in accounts for name in account.claim_ids()} == set(ledger.world.claims)
        dispositions.update(by_disposition)
    assert {"accepted", "duplicate", "stale", "refused"} == set(dispositions)


# Law 6: the explanation is enough -----------------------------------------------------------------------------------


@tried
@given(histories() | busy_years())
def test_the_explanation_alone_gives_the_benefit(history: History) -> None:
    """An independent program recomputes every benefit, to the fen, from the lines of its explanation."""
    for decision in decide(history.policies, *newest(history.facts)).values():
        assert_explained(decision)


def test_every_step_is_met_and_explained() -> None:
    """On the oracle's random cases, too, which meet each kind of step; so none goes unexplained."""
    met: Counter[str] = Counter()
    makers = (random_case, random_household_case, random_occasion_case)
    for case in (make(seed) for seed in range(120) for make in makers):
        book = Book()
        for line in case.lines:
            book.take(line)
        for decision in book.decide(policies(*case.policy_texts)):
            met += assert_explained(json.loads(json.dumps(to_json(decision))))
    assert {str(kind) for kind in StepKind} == set(met)


@pytest.mark.parametrize("wrong", ["amount", "rate", "to"])
def test_a_wrong_explanation_is_noticed(wrong: str) -> None:
    """The recomputation fails when a line says one fen, or one part in a hundred, too much."""
    decision = decide(policy(scheme(brackets={"0.00": "0.5"})), coverage_from(), *stay_of("E1", "2020-01-01", "10.00"))[
        "E1"
    ]
    explanation: Any = decision["explanation"]
    line = explanation[0]
    assert Decimal("5.00") == recomputed([line])
    if wrong == "amount":
        line["amount"] = "5.01"
    else:
        line["inputs"][wrong] = str(Decimal(line["inputs"][wrong]) + Decimal("0.01"))
    with pytest.raises(AssertionError):
        recomputed([line])


def test_the_watch_over_caps_notices() -> None:
    """The check that guards the caps fails for one fen too much in a year, a stay or a claim."""
    caps = Caps((policy(scheme(cap_per_stay="60.00", cap_per_year="100.00")),))
    first, second = ClaimId("E1"), ClaimId("E2")
    days: dict[ClaimId, date | None] = {first: date(2020, 1, 1), second: date(2020, 12, 31)}
    burdens = {first: 9_000, second: 5_000}
    _assert_within(caps, days, burdens, {("E1", "s"): 6_000, ("E2", "s"): 4_000})
    for net in (
        {("E1", "s"): 6_000, ("E2", "s"): 4_001},
        {("E1", "s"): 6_001},
        {("E2", "s"): 5_001},
        {("E1", "s"): -1},
    ):
        with pytest.raises(AssertionError):
            _assert_within(caps, days, burdens, net)


def test_a_claim_that_moves_to_another_year_makes_room() -> None:
    """A claim that a corrected discharge moves to another year gives its place in the old year to the next claim."""
    ledger = Ledger(policy(scheme(cap_per_year="100.00")))
    ledger.take(coverage_from(), *stay_of("E1", "2020-05-01", "100.00"), *stay_of("E2", "2020-06-01", "70.00"))
    assert {("E1", "s"): 10_000} == ledger.net
    moved = ledger.take(discharge_of("E1", "2021-05-01", version=2))
    assert {("E1", "s"): 10_000, ("E2", "s"): 7_000} == ledger.net
    assert {("E2", "s"): 7_000} == net_of(moved)
