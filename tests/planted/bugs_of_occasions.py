"""Bugs in what incidents, aid and sums assured owe (time.md, sections 5 and 7)."""

from __future__ import annotations

from tests.planted.bug import Bug

UNIT = "tests/unit/test_occasions.py"
LAWS = "tests/properties/test_occasions.py"
LEDGER = "tests/ledger/test_occasions.py"

ADJUDICATE = "handlers/claims/adjudicate.py"
SUMS = "handlers/claims/sums_assured.py"

BUGS = (
    Bug(
        "occasions",
        "a-sum-assured-pays-the-bill",
        ADJUDICATE,
        "return self.amount if self.tier is not None and self.tier.sum_kind is None else 0",
        "return self.amount",
        (f"{UNIT}::test_a_sum_assured_leaves_the_bill_as_it_is",),
    ),
    Bug(
        "occasions",
        "a-day-counts-for-every-stay",
        SUMS,
        "counted.update(paid)",
        "counted.update(paid[:0])",
        (f"{UNIT}::test_a_day_of_two_stays_counts_for_the_first_of_them",),
    ),
    Bug(
        "occasions",
        "the-day-of-discharge-is-a-day",
        SUMS,
        "max(1, claim.discharge.discharged_on.toordinal() - first)",
        "max(1, claim.discharge.discharged_on.toordinal() - first + 1)",
        (f"{UNIT}::test_days_count_from_the_second_and_five_at_most",),
    ),
    Bug(
        "occasions",
        "a-stay-without-a-night-has-no-day",
        SUMS,
        "max(1, claim.discharge",
        "max(0, claim.discharge",
        (f"{UNIT}::test_a_stay_of_one_day_is_paid_for_a_day",),
    ),
    Bug(
        "occasions",
        "days-at-most-of-the-stay-and-not-of-what-is-left",
        SUMS,
        "    paid = fresh[: tier.days_max]\n",
        "    paid = [day for day in paying[: tier.days_max] if day in fresh]\n",
        (f"{UNIT}::test_a_day_of_two_stays_counts_for_the_first_of_them",),
    ),
    Bug(
        "occasions",
        "a-life-lasts-a-year",
        ADJUDICATE,
        "return self.life is not None and self.life.paid",
        "return self.own.paid > 0",
        (f"{UNIT}::test_what_is_paid_once_in_a_life_is_not_paid_in_another_year",),
    ),
    Bug(
        "occasions",
        "a-correction-reaches-only-its-own-year",
        "handlers/claims/account.py",
        "        if day is not None and policies.life_schemes:\n            return self.claim_ids()\n",
        "",
        (f"{UNIT}::test_a_late_fact_of_an_earlier_year_takes_back_what_is_paid_once",),
    ),
    Bug(
        "occasions",
        "what-pays-nothing-has-paid-once",
        ADJUDICATE,
        "    if life is not None and amount:\n",
        "    if life is not None:\n",
        (f"{UNIT}::test_a_claim_that_gets_nothing_uses_nothing_up_in_a_life",),
    ),
    Bug(
        "occasions",
        "an-aid-has-no-limit",
        SUMS,
        "min(aid.amount, level)",
        "aid.amount",
        (f"{UNIT}::test_an_aid_is_what_was_decided_up_to_its_level",),
    ),
    Bug(
        "occasions",
        "aid-asks-for-a-coverage",
        ADJUDICATE,
        "covered = claim.aid is not None or any(",
        "covered = any(",
        (f"{UNIT}::test_an_aid_is_what_was_decided_up_to_its_level",),
    ),
    Bug(
        "occasions",
        "any-kind-of-incident-will-do",
        "handlers/claims/eligibility.py",
        "return scheme.incident_kinds is None or claim.incident.kind in scheme.incident_kinds",
        "return True",
        (f"{UNIT}::test_another_kind_is_not_in_scope",),
    ),
    Bug(
        "occasions",
        "who-has-an-incident-is-usual",
        "handlers/offline/columns/usual.py",
        "_sound(columns) & ~columns.occasional",
        "_sound(columns)",
        (f"{LAWS}::test_columns_leave_such_persons_to_the_core",),
    ),
    Bug(
        "occasions",
        "an-encounter-may-be-called-as-an-incident",
        "handlers/claims/read.py",
        'isinstance(encounter_id, str) and trigger_of(encounter_id) != "stay"',
        'isinstance(encounter_id, str) and trigger_of(encounter_id) == "aid"',
        (f"{UNIT}::test_no_encounter_is_called_as_the_claims_for_other_occasions",),
    ),
    Bug(
        "occasions",
        "what-was-voided-has-no-day",
        "handlers/claims/process.py",
        "claim.policy_date or (None if before is None else before.discharged_on)",
        "claim.policy_date",
        (f"{LEDGER}::test_an_incident_is_paid_corrected_and_taken_back",),
    ),
    Bug(
        "occasions",
        "an-incident-takes-the-claim-of-a-stay",
        "handlers/claims/admit.py",
        "    return (*bound, Subject(Kind.ENCOUNTER, fact.claim_id)) if isinstance(fact, OccasionFact) else bound",
        "    return bound",
        ("tests/ledger/test_occasions.py::test_an_incident_never_takes_the_claim_of_an_earlier_stay",),
    ),
)
