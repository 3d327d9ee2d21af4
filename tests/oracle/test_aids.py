"""Worked examples of temporary aid, by hand from time.md, section 5, that pin its oracle."""

import pytest

from .builders import codes, coverage_from, decide, fact, member, policy, results, scheme, stay_of
from .calculator import Ledger, adjudicate, read_event, read_policies
from .occasion_builders import FULL, aid, aid_scheme, aid_voided, incident, incident_scheme, tier
from .pool_facts import dues_of

LEVELS = {"city": "6800.00", "district": "4200.00"}
SAMPLE = policy(aid_scheme("temporary_aid", LEVELS))


def capped(settings: str) -> str:
    return policy(aid_scheme("temporary_aid", LEVELS, settings))


def benefits(text: str | list[str], *facts: bytes) -> list[tuple[object, object]]:
    """The benefit and the reason of each claim's first scheme, by claim id."""
    return [results(claim)[0][1:] for _, claim in sorted(decide(text, *facts).items())]


def test_an_aid_is_printed_like_any_claim() -> None:
    """Without basis, tier and measured amount, and without a burden that it could use up."""
    expected = {
        "claim_id": "aid:A1",
        "person_id": "P1",
        "status": "adjudicated",
        "policy_id": "p",
        "personal_burden": "0.00",
        "benefits": [
            {"scheme_id": "temporary_aid", "tier": None, "basis": None, "measured": "0.00", "benefit": "5000.00"}
        ],
        "total_benefit": "5000.00",
        "patient_pays": "0.00",
    }
    assert {"aid:A1": expected} == decide(SAMPLE, aid("A1", "5000.00"))


@pytest.mark.parametrize(
    ("amount", "level", "expected"),
    [
        ("6800.00", "city", ("6800.00", None)),
        ("6800.01", "city", ("6800.00", None)),
        ("0.01", "city", ("0.01", None)),
        ("5000.00", "district", ("4200.00", None)),
        ("5000.00", "town", ("0.00", "NOT_IN_SCOPE")),
        ("5000.00", "City", ("0.00", "NOT_IN_SCOPE")),
    ],
)
def test_a_level_is_the_most_that_is_paid(amount: str, level: str, expected: tuple[object, object]) -> None:
    """An unknown level is out of scope; the claim is adjudicated all the same."""
    claims = decide(SAMPLE, aid("A1", amount, level))
    assert ("adjudicated", expected) == (claims["aid:A1"]["status"], results(claims["aid:A1"])[0][1:])


def test_the_caps_of_a_year() -> None:
    """Of 10,000: 6,800, then 3,200, then nothing, and in the next policy year 6,800 again; by day, then by id."""
    days = {"A1": "2020-07-02", "A9": "2020-07-01", "A10": "2020-07-01", "B": "2021-07-01"}
    facts = [aid(name, "7000", decided_on=day) for name, day in days.items()]
    text = policy(aid_scheme("temporary_aid", LEVELS, 'cap_per_year = "10000.00"'), year_starts="07-01")
    by_id = [("0.00", "CAP_REACHED"), ("6800.00", None), ("3200.00", None), ("6800.00", None)]
    assert by_id == benefits(text, *facts)  # A1, A10, A9, B


def test_the_cap_of_a_household() -> None:
    """Shared by who belongs to it on the day of the decision."""
    text = capped('cap_per_household_year = "10000.00"')
    two = [aid("A1", "7000"), aid("A2", "7000", decided_on="2020-03-01", person_id="P2")]
    assert [("6800.00", None), ("3200.00", None)] == benefits(text, member("P1"), member("P2"), *two)
    assert [("6800.00", None)] * 2 == benefits(text, member("P1"), member("P2", valid_from="2020-03-02"), *two)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([aid("A1", "1")], "adjudicated"),
        ([aid("A1", "1"), fact("person.died", died_on="2020-01-01")], "adjudicated"),
        ([aid("A1", "1"), fact("person.died", died_on="2019-12-31")], "after_death"),
        ([aid("A1", "1", decided_on="2009-12-31")], "no_policy"),
        ([aid("A1", "1", decided_on="2009-12-31"), fact("person.died", died_on="2009-12-30")], "after_death"),
        ([aid("A1", "1"), aid_voided("A1", 2)], "voided"),
        ([aid_voided("A1", 1)], "voided"),
        ([aid("A1", "1"), aid_voided("A1", 2), fact("person.died", died_on="2009-12-30")], "voided"),
        ([aid("A1", "1"), aid_voided("A1", 2), aid("A1", "2", version=3)], "adjudicated"),
    ],
)
def test_statuses(facts: list[bytes], expected: str) -> None:
    """Nobody needs a coverage; a voided aid is printed, and pays nothing."""
    for arrival in (facts, facts[::-1]):
        (claim,) = adjudicate([SAMPLE], arrival)[0]
        assert ("aid:A1", expected) == (claim["claim_id"], claim["status"])
        assert (expected == "adjudicated") == (claim["policy_id"] == "p") == (claim["total_benefit"] != "0.00")


def test_an_emergency_changes_no_amount() -> None:
    assert [("1.00", None)] == benefits(SAMPLE, aid("A1", "1", emergency=True, alert_id="AL1"))


def test_each_occasion_has_its_own_schemes() -> None:
    """A scheme for another occasion is listed in its place, out of scope, with its own basis."""
    layers = [
        scheme("s", "", FULL),
        aid_scheme("t", LEVELS),
        incident_scheme("i", tier('fixed = "7.00"')),
    ]
    facts = [coverage_from(), aid("A1", "3"), incident("I1"), *stay_of("E1", "2020-01-01", "5.00")]
    claims = decide(policy(*layers), *facts)
    assert ["E1", "aid:A1", "incident:I1"] == list(claims)
    out = ("0.00", "0.00", "NOT_IN_SCOPE")
    assert [("5.00", "5.00", None), out, out] == results(claims["E1"])
    assert [out, ("0.00", "3.00", None), out] == results(claims["aid:A1"])
    assert [out, out, ("0.00", "7.00", None)] == results(claims["incident:I1"])
    for claim in claims.values():
        listed = claim["benefits"]
        assert isinstance(listed, list)
        assert ["personal_burden", None, "verified_loss"] == [line["basis"] for line in listed]


def test_a_scheme_of_aid_covers_nobody() -> None:
    """A stay and an incident under a policy with aid alone are not covered; the scheme is listed."""
    claims = decide(SAMPLE, coverage_from(), incident("I1"), *stay_of("E1", "2020-01-01", "5.00"))
    assert ["not_covered", "not_covered"] == [claim["status"] for claim in claims.values()]
    assert [[("0.00", "0.00", "NOT_IN_SCOPE")]] * 2 == [results(claim) for claim in claims.values()]


def test_no_coverage_names_the_pool_of_an_aid() -> None:
    """Of an aid it is no pool's, though the scheme is paid by pools; of an incident the coverage's."""
    paid_by_pools = 'funded_by = "pool"'
    layers = [
        aid_scheme("t", LEVELS, paid_by_pools),
        incident_scheme("i", tier('fixed = "7.00"'), settings=paid_by_pools),
    ]
    ledger = Ledger()
    for fact_ in (coverage_from(pool_id="V1"), aid("A1", "3"), incident("I1", "2020-01-02")):
        assert "accepted" == ledger.consider(read_event(fact_))
    dues = dues_of(ledger, read_policies([policy(*layers)]))
    expected = [(("aid:A1", "t"), 300, True, None), (("incident:I1", "i"), 700, True, "V1")]
    assert expected == [(due.line, due.amount, due.by_pool, due.pool_id) for due in dues]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([aid("A1", "0.00")], ["NEGATIVE_AMOUNT"]),
        ([aid("A1", "-1")], ["NEGATIVE_AMOUNT"]),
        ([aid("A1", "1.001")], ["SCHEMA_INVALID"]),
        ([aid("A1", "1", emergency="no")], ["SCHEMA_INVALID"]),
        ([aid("A1", "1", countersigned_by=None)], ["SCHEMA_INVALID"]),
        ([aid("A1", "1", decided_on="2020-02-30")], ["SCHEMA_INVALID"]),
        ([fact("aid.voided", aid_id="A1")], ["SCHEMA_INVALID"]),
        ([aid("A1", "1"), aid("A1", "1.0", event_id="again")], []),
        ([aid("A1", "1"), aid("A1", "2")], ["VERSION_CONFLICT"]),
        ([aid("A1", "1"), aid_voided("A1", 1)], ["VERSION_CONFLICT"]),
        ([aid("A1", "1"), aid("A1", "1", version=2, person_id="P2")], ["PERSON_MISMATCH"]),
        ([aid("A1", "1"), aid_voided("A1", 2, person_id="P2")], ["PERSON_MISMATCH"]),
        ([aid("A1", "1"), incident("A1", person_id="P2")], []),
        (stay_of("aid:A1", "2020-01-01", "5.00"), ["SCHEMA_INVALID"] * 2),
        (stay_of("incident:A1", "2020-01-01", "5.00"), ["SCHEMA_INVALID"] * 2),
        (stay_of("aid", "2020-01-01", "5.00"), []),
    ],
)
def test_acceptance(facts: list[bytes], expected: list[str]) -> None:
    """Fields, amounts, versions and whose it is; and no encounter may be called like an aid."""
    assert expected == codes(*facts)
