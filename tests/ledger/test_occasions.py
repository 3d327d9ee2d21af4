"""Incidents and aid in the ledger: decided, instructed, corrected, voided and replayed as stays are."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, text

from acts.remembered_persons import RememberedPersons
from tests.support.assured import ACCIDENT, ASSURED
from tests.support.builders import (
    aid,
    aid_void,
    bill,
    contribution,
    coverage,
    death,
    discharge,
    incident,
    incident_void,
    membership,
    policy_text,
    pool,
)
from tests.support.outbox import waiting_messages
from tests.support.village import PoolOrder, Village


def test_an_incident_is_paid_corrected_and_taken_back(ledger: Engine) -> None:
    """Each scheme by itself; what a correction changes is paid or recovered, and a voided one owes nothing."""
    town = Village(ledger, ASSURED, guarded=False)
    town.take(coverage(), incident(degree="2", verified_loss="1100.00"))
    assert {"incident:I1": 500_000 + 600_000 + 50_000} == town.due()
    (decision,) = town.decisions("incident:I1")
    assert ("1100.00", "600.00", "11500.00") == tuple(
        decision[name] for name in ("personal_burden", "patient_pays", "total_benefit")
    )
    town.take(incident(version=2, degree="1", verified_loss="1100.00"))
    assert {"incident:I1": 500_000 + 1_000_000 + 50_000} == town.due()
    town.take(incident_void(version=3))
    assert {"incident:I1": 0} == town.due()
    paid = [("payment", 500_000), ("payment", 600_000), ("payment", 50_000), ("payment", 400_000)]
    back = [("recovery", 500_000), ("recovery", 1_000_000), ("recovery", 50_000)]
    assert sorted(paid + back) == sorted((order.kind, order.amount) for order in town.orders())
    assert "voided" == town.decisions("incident:I1")[-1]["status"]
    town.check()


def test_aid_is_paid_up_to_its_level_and_the_year(ledger: Engine) -> None:
    """The second of the year gets what the cap has left; without any coverage, and the policy date is decided_on."""
    town = Village(ledger, ASSURED, guarded=False)
    town.take(aid("A1", "9000.00"), aid("A2", "3000.00", decided_on="2024-05-01"))
    assert {"aid:A1": 680_000, "aid:A2": 120_000} == town.due()
    assert "2024-05-01" == town.discharged_on("aid:A2")
    town.take(aid_void("A1"))
    assert {"aid:A1": 0, "aid:A2": 300_000} == town.due()
    assert ["recovery", "payment"] == [order.kind for order in town.orders()][-2:]
    town.check()


def test_a_late_fact_of_an_earlier_year_moves_the_days_that_a_later_claim_counts(ledger: Engine) -> None:
    """A day counts once over the end of a year: the claim that comes first in canonical order has it."""
    town = Village(ledger, ASSURED, guarded=False)
    late = [discharge("E2", "2024-01-04", admitted_on="2023-12-30"), bill("S2", "E2", 10)]
    town.take(coverage(), *late)
    assert {"E2": 4 * 15_000} == town.due()
    town.take(discharge("E1", "2023-12-31", admitted_on="2023-12-29"), bill("S1", "E1", 10))
    assert {"E1": 15_000, "E2": 4 * 15_000} == town.due()
    town.take(discharge("E1", "2024-01-02", admitted_on="2023-12-29", version=2))
    assert {"E1": 3 * 15_000, "E2": 2 * 15_000} == town.due()
    town.check()


def test_whoever_died_before_gets_nothing(ledger: Engine) -> None:
    """Aid and incidents of a day after the death are after_death; those before are paid to the estate."""
    town = Village(ledger, ASSURED, guarded=False)
    town.take(coverage(), death("2024-03-09"), incident(), aid(), incident("I2", occurred_on="2024-03-09"))
    assert {"incident:I2": 500_000} == {name: amount for name, amount in town.due().items() if amount}
    assert ["after_death"] * 2 == [town.decisions(name)[-1]["status"] for name in ("incident:I1", "aid:A1")]
    told = [json.loads(each.value) for each in waiting_messages(ledger) if each.topic == "alerts"]
    assert 2 == len(told) == sum(each["en"].startswith("Dated after the recorded day of death;") for each in told)
    town.check()


def test_a_pool_pays_incidents_as_it_pays_stays(ledger: Engine) -> None:
    """Queued in canonical order by the day of the incident, and released when the money is there."""
    funded = ACCIDENT.replace('once_per = "year"', 'once_per = "year"\nfunded_by = "pool"')
    town = Village(ledger, policy_text("assured", "2020-01-01", None, funded))
    town.take(pool(), coverage(pool_id="V1"), incident())
    assert {"incident:I1": 500_000} == town.waiting()
    town.take(contribution(yuan=5_000))
    assert [PoolOrder("incident:I1", "payment", 500_000, "V1")] == town.orders()
    town.check()


def test_a_household_shares_the_cap_of_aid(ledger: Engine) -> None:
    """Two members on whatever shards are decided together, and the second gets the rest of the year."""
    text = ASSURED.replace("cap_per_year", "cap_per_household_year")
    town = Village(ledger, text, guarded=False)
    members = [membership(f"M{n}", person_id=f"P{n}") for n in (1, 2)]
    town.take(*members, aid("A1", "6000.00"), aid("A2", "6000.00", person_id="P2", decided_on="2024-04-01"))
    assert {"aid:A1": 600_000, "aid:A2": 200_000} == town.due()
    town.check()


@pytest.mark.parametrize("person", ["P1", "P2"])
def test_an_incident_never_takes_the_claim_of_an_earlier_stay(ledger: Engine, person: str) -> None:
    """A release that did not know incidents may have accepted a stay called as one: it stays, whosoever it is."""
    town = Village(ledger, ASSURED, guarded=False)
    town.take(coverage(), discharge("E1"), bill("S1", "E1"), coverage("C2", person_id="P2"))
    with ledger.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for change in (
            "UPDATE subjects SET subject_id = 'incident:I1' WHERE subject_id = 'E1'",
            "UPDATE facts SET subject_id = 'incident:I1' WHERE subject_id = 'E1'",
            "UPDATE claims SET claim_id = 'incident:I1' WHERE claim_id = 'E1'",
            "UPDATE decisions SET claim_id = 'incident:I1' WHERE claim_id = 'E1'",
        ):
            connection.execute(text(change))
    town.remembered = RememberedPersons()
    town.take(incident(person_id=person), incident("I2", person_id="P2"))
    letters = [json.loads(each.value) for each in waiting_messages(ledger) if each.topic == "claims.deadletter"]
    assert [("PERSON_MISMATCH", ["/incident_id"])] == [(each["code"], each["pointers"]) for each in letters]
    assert 1 == len(town.decisions("incident:I2"))
