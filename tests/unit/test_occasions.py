"""Incidents, aid and sums assured by example: what each measure owes, what ends it, and what the bill is left with."""

from __future__ import annotations

import pytest

from handlers.claims.read import read
from schemas.refusals import Refusal
from tests.properties.strategies import Body, Ledger, decide, results
from tests.support.assured import ACCIDENT, AID, ASSURED, DISABILITY, LOSS, NURSING
from tests.support.builders import (
    aid,
    aid_void,
    bill,
    coverage,
    death,
    discharge,
    encode,
    incident,
    incident_void,
    membership,
    policy_text,
    void,
)

IN_SCOPE_OF_NONE = ("0.00", "0.00", "NOT_IN_SCOPE")


def policy_of(*schemes: str) -> str:
    return policy_text("assured", "2020-01-01", None, *schemes)


def stay(name: str, admitted_on: str, discharged_on: str) -> list[Body]:
    """A stay with one bill of 10.00."""
    return [discharge(name, discharged_on, admitted_on=admitted_on), bill(f"S-{name}", name, 10)]


def test_every_scheme_is_listed_and_only_those_of_the_occasion_pay() -> None:
    """An incident of degree 2 with a loss of 1,100.00: a fixed sum, the degree's, and half of what is over 100.00."""
    decided = decide(ASSURED, coverage(), incident(degree="2", verified_loss="1100.00"))["incident:I1"]
    paid = [("0.00", "5000.00", None), ("0.00", "6000.00", None), ("1100.00", "500.00", None)]
    assert [*paid, IN_SCOPE_OF_NONE, IN_SCOPE_OF_NONE] == results(decided)
    assert ["member", "member", "member", None, None] == [line["tier"] for line in decided["benefits"]]
    assert [None, None, "verified_loss", None, None] == [line["basis"] for line in decided["benefits"]]


def test_a_sum_assured_leaves_the_bill_as_it_is() -> None:
    """Only what brackets pay lowers what the patient pays, though the sums are more than the whole burden."""
    decided = decide(ASSURED, coverage(), incident(degree="2", verified_loss="1100.00"))["incident:I1"]
    assert ("1100.00", "11500.00", "600.00") == tuple(
        decided[name] for name in ("personal_burden", "total_benefit", "patient_pays")
    )


@pytest.mark.parametrize("degree", [None, "3"])
def test_another_degree_or_none_is_owed_nothing(degree: str | None) -> None:
    """And says so."""
    told = {} if degree is None else {"degree": degree}
    decided = decide(policy_of(DISABILITY), coverage(), incident(**told))["incident:I1"]
    assert [("0.00", "0.00", "NOTHING_DUE")] == results(decided)


def test_another_kind_is_not_in_scope() -> None:
    """Where a scheme lists kinds; the person is covered all the same."""
    decided = decide(policy_of(ACCIDENT), coverage(), incident(kind="illness"))["incident:I1"]
    assert ("adjudicated", [IN_SCOPE_OF_NONE]) == (decided["status"], results(decided))


def test_what_is_paid_once_a_year_is_paid_to_the_first_that_pays() -> None:
    """In canonical order: one that pays nothing uses nothing up, and the new year pays again."""
    days = {"A": "2024-05-01", "B": "2024-05-01", "C": "2024-04-30", "D": "2025-01-01"}
    kinds = {"C": "illness"}
    events = [incident(name, kinds.get(name, "accident"), occurred_on=day) for name, day in days.items()]
    decided = decide(policy_of(ACCIDENT), coverage(), *events)
    reasons = {name: results(decided[f"incident:{name}"])[0][2] for name in days}
    assert {"A": None, "B": "ALREADY_PAID", "C": "NOT_IN_SCOPE", "D": None} == reasons


def test_what_is_paid_once_in_a_life_is_not_paid_in_another_year() -> None:
    """However many years lie between, and in whatever order the incidents are told."""
    once = policy_of(ACCIDENT.replace('"year"', '"life"'))
    events = [incident("late", occurred_on="2030-01-01"), incident("early", occurred_on="2021-01-01")]
    decided = decide(once, coverage(), *events)
    assert [("0.00", "5000.00", None)] == results(decided["incident:early"])
    assert [("0.00", "0.00", "ALREADY_PAID")] == results(decided["incident:late"])
    assert [] == decided["incident:late"]["explanation"]


def test_a_late_fact_of_an_earlier_year_takes_back_what_is_paid_once() -> None:
    """The claim of the earlier day is paid in the place of the other one, though a decade lies between."""
    ledger = Ledger(policy_of(ACCIDENT.replace('"year"', '"life"')))
    ledger.take(coverage(), incident("late", occurred_on="2030-01-01"))
    assert {("incident:late", "accident"): 500_000} == ledger.net
    ledger.take(incident("early", occurred_on="2021-01-01"))
    assert {("incident:early", "accident"): 500_000} == ledger.net


def test_a_claim_that_gets_nothing_uses_nothing_up_in_a_life() -> None:
    """The first incident has no degree, so the second one is the first that pays."""
    once = policy_of(DISABILITY.replace("[[scheme.tier]]", 'once_per = "life"\n[[scheme.tier]]'))
    decided = decide(once, coverage(), incident("A"), incident("B", degree="1"), incident("C", degree="1"))
    reasons = [results(decided[f"incident:{name}"])[0][2] for name in "ABC"]
    assert ["NOTHING_DUE", None, "ALREADY_PAID"] == reasons


def test_what_was_paid_already_still_counts_in_the_running_sum() -> None:
    """The second claim gets nothing, but its 1,000.00 stay measured; the third of the next year starts again."""
    yearly = LOSS.replace('"stay"', '"person_year"').replace("[[scheme.tier]]", 'once_per = "year"\n[[scheme.tier]]')
    losses = [incident(f"I{n}", occurred_on=f"2024-0{n}-01", verified_loss="1000.00") for n in (1, 2)]
    decided = decide(policy_of(yearly), coverage(), *losses)
    assert [("1000.00", "450.00", None)] == results(decided["incident:I1"])
    assert [("1000.00", "0.00", "ALREADY_PAID")] == results(decided["incident:I2"])


@pytest.mark.parametrize(
    ("admitted_on", "discharged_on", "paid"),
    [
        ("2024-03-01", "2024-03-01", "0.00"),
        ("2024-03-01", "2024-03-02", "0.00"),
        ("2024-03-01", "2024-03-03", "150.00"),
        ("2024-02-28", "2024-03-01", "150.00"),
        ("2024-03-01", "2024-03-07", "750.00"),
        ("2024-03-01", "2024-03-08", "750.00"),
    ],
)
def test_days_count_from_the_second_and_five_at_most(admitted_on: str, discharged_on: str, paid: str) -> None:
    """A stay has as many days as nights, at least one; day 1 is not paid, and days 2 to 6 are."""
    decided = decide(policy_of(NURSING), coverage(), *stay("E1", admitted_on, discharged_on))["E1"]
    assert paid == decided["total_benefit"]


def test_a_day_of_two_stays_counts_for_the_first_of_them() -> None:
    """1 to 4 May, then 2 to 12 May: days 2 and 3 of the first are 2 and 3 May, so the other has 4 May and later."""
    stays = [*stay("E1", "2024-05-01", "2024-05-05"), *stay("E3", "2024-05-02", "2024-05-12")]
    decided = decide(policy_of(NURSING), coverage(), *stays)
    assert ["450.00", "750.00"] == [decided[name]["total_benefit"] for name in ("E1", "E3")]
    (line,) = decided["E3"]["explanation"]
    assert {"days": "10", "counted_before": "2", "days_paid": "5"}.items() <= line["inputs"].items()


def test_a_day_that_a_cap_left_unpaid_has_counted() -> None:
    """The cap of a stay leaves the first one 100.00 of 450.00; the other stay has none of its days."""
    capped = NURSING.replace("[[scheme.tier]]", 'cap_per_stay = "100.00"\n[[scheme.tier]]')
    stays = [*stay("E1", "2024-05-01", "2024-05-05"), *stay("E2", "2024-05-01", "2024-05-05")]
    decided = decide(policy_of(capped), coverage(), *stays)
    assert [("0.00", "100.00", None)] == results(decided["E1"])
    assert [("0.00", "0.00", "NOTHING_DUE")] == results(decided["E2"])


def test_the_days_of_an_incident_are_those_that_it_says() -> None:
    """Or none; they have no dates, so those of two incidents of one day both count."""
    nursing = policy_of(NURSING.replace("[[scheme.tier]]", 'trigger = "incident"\n[[scheme.tier]]'))
    decided = decide(nursing, coverage(), incident("A", days=3), incident("B", days=4), incident("C"))
    told = {name: results(decided[f"incident:{name}"])[0] for name in "ABC"}
    assert {"A": ("0.00", "300.00", None), "B": ("0.00", "450.00", None), "C": ("0.00", "0.00", "NOTHING_DUE")} == told


@pytest.mark.parametrize(
    ("level", "amount", "paid", "reason"),
    [
        ("city", "6800.00", "6800.00", None),
        ("city", "6800.01", "6800.00", None),
        ("district", "0.01", "0.01", None),
        ("village", "10.00", "0.00", "NOT_IN_SCOPE"),
    ],
)
def test_an_aid_is_what_was_decided_up_to_its_level(level: str, amount: str, paid: str, reason: str | None) -> None:
    """Without coverage, tier or basis; an unknown level is not in scope, and nobody is not covered."""
    decided = decide(policy_of(AID), aid(level=level, amount=amount))["aid:A1"]
    assert ("adjudicated", [("0.00", paid, reason)]) == (decided["status"], results(decided))
    (line,) = decided["benefits"]
    assert (None, None) == (line["tier"], line["basis"])
    assert ("0.00", "0.00") == (decided["personal_burden"], decided["patient_pays"])


def test_aid_has_the_cap_of_the_household() -> None:
    """Two members in one year share it."""
    shared = policy_of(AID.replace("cap_per_year", "cap_per_household_year"))
    members = [membership(f"M{n}", person_id=f"P{n}") for n in (1, 2)]
    second = aid("A2", "6800.00", person_id="P2", decided_on="2024-12-31")
    decided = decide(shared, *members, aid("A1", "6800.00"), second)
    assert ["6800.00", "1200.00"] == [decided[f"aid:A{n}"]["total_benefit"] for n in (1, 2)]


def test_aid_and_incidents_after_the_day_of_death_pay_nothing() -> None:
    """On that day itself they do."""
    events = [aid(), incident(), aid("A2", decided_on="2024-03-11"), incident("I2", occurred_on="2024-03-11")]
    decided = decide(ASSURED, coverage(), death("2024-03-10"), *events)
    statuses = {name: each["status"] for name, each in decided.items()}
    after, adjudicated = "after_death", "adjudicated"
    assert {"aid:A1": adjudicated, "aid:A2": after, "incident:I1": adjudicated, "incident:I2": after} == statuses


def test_coverage_and_waiting_time_are_those_of_the_day_of_the_incident() -> None:
    """The coverage begins on 1 March: an incident of 31 March has waited for 30 days, one of 30 March has not."""
    waiting = policy_of(ACCIDENT.replace("[[scheme.tier]]", "waiting_days = 30\n[[scheme.tier]]"))
    days = {"A": "2024-02-29", "B": "2024-03-30", "C": "2024-03-31"}
    decided = decide(
        waiting, coverage(valid_from="2024-03-01"), *(incident(name, occurred_on=day) for name, day in days.items())
    )
    assert ["not_covered", "adjudicated", "adjudicated"] == [decided[f"incident:{name}"]["status"] for name in days]
    reasons = [results(decided[f"incident:{name}"])[0][2] for name in days]
    assert ["NO_COVERAGE", "WAITING_PERIOD", None] == reasons


def test_a_scheme_for_stays_covers_whoever_has_an_incident() -> None:
    """Its coverage counts for not_covered, though it does not pay."""
    decided = decide(policy_of(NURSING), coverage(), incident())["incident:I1"]
    assert ("adjudicated", [IN_SCOPE_OF_NONE]) == (decided["status"], results(decided))


def test_what_was_voided_is_printed() -> None:
    """Without benefits, and without the loss that was verified."""
    decided = decide(ASSURED, coverage(), incident(verified_loss="100.00"), incident_void(), aid(), aid_void())
    for claim_id in ("incident:I1", "aid:A1"):
        told = decided[claim_id]
        assert ("voided", None, [], "0.00") == tuple(
            told[name] for name in ("status", "policy_id", "benefits", "personal_burden")
        )


@pytest.mark.parametrize("prefix", ["aid:", "incident:"])
@pytest.mark.parametrize("event", [discharge(), bill(), void()], ids=lambda event: str(event["event_type"]))
def test_no_encounter_is_called_as_the_claims_for_other_occasions(event: Body, prefix: str) -> None:
    """Its id is refused, also beside another bad field; one that only holds the word is not."""
    outcome = read(encode({**event, "encounter_id": f"{prefix}1"}))
    assert isinstance(outcome, Refusal)
    assert ("SCHEMA_INVALID", ("/encounter_id",)) == (outcome.code, outcome.pointers)
    both = read(encode({**event, "encounter_id": f"{prefix}1", "version": 0}))
    assert isinstance(both, Refusal)
    assert ("/version", "/encounter_id") == both.pointers
    assert not isinstance(read(encode({**event, "encounter_id": f"x{prefix}1"})), Refusal)


@pytest.mark.parametrize(
    ("event", "code", "pointer"),
    [
        (aid(amount="0.00"), "NEGATIVE_AMOUNT", "/amount"),
        (aid(amount="-1.00"), "NEGATIVE_AMOUNT", "/amount"),
        (incident(verified_loss="-0.01"), "NEGATIVE_AMOUNT", "/verified_loss"),
        (incident(days=-1), "SCHEMA_INVALID", "/days"),
        (incident(degree=2), "SCHEMA_INVALID", "/degree"),
        (incident(evidence=["no hash"]), "SCHEMA_INVALID", "/evidence/0"),
    ],
)
def test_what_an_occasion_cannot_say_is_refused(event: Body, code: str, pointer: str) -> None:
    """With the field that is wrong."""
    outcome = read(encode(event))
    assert isinstance(outcome, Refusal)
    assert (code, (pointer,)) == (outcome.code, outcome.pointers)


def test_a_stay_of_one_day_is_paid_for_a_day() -> None:
    """Whoever goes home on the day of admission has been there for one."""
    by_day = NURSING.replace("from_day = 2\n", "")
    decided = decide(policy_of(by_day), coverage(), *stay("E1", "2024-03-01", "2024-03-01"))["E1"]
    assert [("0.00", "150.00", None)] == results(decided)
