"""Worked examples of advances, computed by hand from payers.md, section 1, that pin their oracle."""

import json
from itertools import permutations

import pytest

from .builders import SECTION_5, bill_of, coverage_from, decide, discharge_of, fact, policy, scheme, void_of
from .payees import Json, advances, alerts, payees, refusal

MORNING, NOON, EVENING = "2020-01-01T08:00:00+08:00", "2020-01-01T12:00:00+08:00", "2020-01-01T20:00:00+08:00"


def bill(
    settlement_id: str,
    facility_id: str = "H1",
    settled_at: str = NOON,
    *,
    claim: str = "E1",
    burden: str = "9000.00",
    version: int = 1,
    person: str = "P1",
    **taken_off: str,
) -> Json:
    """A bill whose facility took the given amounts off, by scheme id in that order."""
    listed = [{"scheme_id": scheme_id, "amount": amount} for scheme_id, amount in taken_off.items()]
    ids = {"settlement_id": settlement_id, "facility_id": facility_id, "person_id": person}
    event: Json = json.loads(bill_of(claim, burden, settled_at=settled_at, version=version, advances=listed, **ids))
    return event


def voided(settlement_id: str, version: int) -> Json:
    event: Json = json.loads(void_of("E1", version))
    return {**event, "settlement_id": settlement_id}


def death(person: str = "P1") -> Json:
    event: Json = json.loads(fact("person.died", person_id=person, died_on="2020-01-05"))
    return event


def decision(status: str = "adjudicated", *, claim: str = "E1", person: str = "P1", **due: str) -> Json:
    benefits = [{"scheme_id": scheme_id, "benefit": benefit} for scheme_id, benefit in due.items()]
    return {"claim_id": claim, "person_id": person, "status": status, "benefits": benefits}


def to_facility(scheme_id: str, facility_id: str, amount: str) -> dict[str, str]:
    return {"scheme_id": scheme_id, "payee": "facility", "payee_id": facility_id, "amount": amount}


def to(payee: str, scheme_id: str, amount: str) -> dict[str, str]:
    return {"scheme_id": scheme_id, "payee": payee, "amount": amount}


# Who gets what --------------------------------------------------------------------------------------------


def test_without_advances_everything_goes_to_the_person() -> None:
    """A bill without `advances`, with null or with an empty list takes nothing off."""
    plain = {name: value for name, value in bill("S1").items() if name != "advances"}
    for event in (plain, {**plain, "advances": None}, {**plain, "advances": []}):
        assert [to("person", "a", "300.00")] == payees([event], decision(a="300.00"))
        assert [] == advances([event], "E1")
        assert {} == alerts([event], decision(a="300.00"))


def test_an_aid_has_no_bill_and_goes_to_the_person() -> None:
    """A claim without settlements has no facility to pay back; another claim's advances do not touch it."""
    aid = decision(claim="aid:A1", t="6800.00")
    assert [to("person", "t", "6800.00")] == payees([bill("S1", t="100.00")], aid)
    assert {} == alerts([bill("S1", t="100.00")], aid)


def test_two_facilities_are_paid_back_in_order_and_the_person_gets_the_rest() -> None:
    """500.00 due: 120.50 to the first, 300.00 to the second, 500.00 - 420.50 = 79.50 to the person."""
    events = [bill("S2", "H2", EVENING, a="300.00"), bill("S1", "H1", MORNING, a="120.50")]
    expected = [to_facility("a", "H1", "120.50"), to_facility("a", "H2", "300.00"), to("person", "a", "79.50")]
    assert expected == payees(events, decision(a="500.00"))
    assert {} == alerts(events, decision(a="500.00"))


@pytest.mark.parametrize(
    ("due", "first", "second", "person", "too_much"),
    [
        ("500.01", "300.00", "200.00", "0.01", None),
        ("500.00", "300.00", "200.00", None, None),
        ("499.99", "300.00", "199.99", None, "0.01"),  # 499.99 - 300.00; 500.00 - 499.99
        ("300.01", "300.00", "0.01", None, "199.99"),
        ("300.00", "300.00", None, None, "200.00"),
        ("0.01", "0.01", None, None, "499.99"),
        ("0.00", None, None, None, "500.00"),
    ],
)
def test_more_advanced_than_due(
    due: str, first: str | None, second: str | None, person: str | None, too_much: str | None
) -> None:
    """300.00 and 200.00 advanced: each gets what is left of due and no more, and nobody is listed with nothing."""
    events = [bill("S1", "H1", MORNING, a="300.00"), bill("S2", "H2", NOON, a="200.00")]
    expected = [to_facility("a", "H1", first)] if first else []
    expected += [to_facility("a", "H2", second)] if second else []
    expected += [to("person", "a", person)] if person else []
    assert expected == payees(events, decision(a=due))
    assert ({"a": ("ADVANCE_EXCEEDS_DUE", too_much)} if too_much else {}) == alerts(events, decision(a=due))


def test_order_is_that_of_instants_where_offsets_differ() -> None:
    """09:00+08:00 is 01:00Z and comes before 02:00Z and before 23:30-03:00 of the day before, which is 02:30Z."""
    events = [
        bill("S1", "H1", "2019-12-31T23:30:00-03:00", a="100.00"),  # 02:30Z: gets 250 - 200 = 50
        bill("S2", "H2", "2020-01-01T02:00:00Z", a="100.00"),  # 02:00Z
        bill("S3", "H3", "2020-01-01T09:00:00+08:00", a="100.00"),  # 01:00Z
    ]
    expected = [to_facility("a", "H3", "100.00"), to_facility("a", "H2", "100.00"), to_facility("a", "H1", "50.00")]
    assert expected == payees(events, decision(a="250.00"))


def test_order_within_a_second_looks_at_its_fraction() -> None:
    """.9 is before .95, and both after no fraction at all, however many digits are written."""
    times = {"H1": "2020-01-01T00:00:00.95Z", "H2": "2020-01-01T00:00:00.9000000Z", "H3": "2020-01-01T08:00:00+08:00"}
    events = [bill(f"S-{facility}", facility, time, a="1.00") for facility, time in times.items()]
    assert ["H3", "H2", "H1"] == [advance["facility_id"] for advance in advances(events, "E1")]


def test_a_tie_goes_to_the_lower_settlement_id_by_code_point() -> None:
    """20:00+08:00 and 12:00Z are one instant; S10 < S2 < s1, and U+FF21 < U+20000, which UTF-16 turns round."""
    ids = ["s1", "S2", "S\U00020000", "S10", "S\uff21"]
    times = [EVENING, "2020-01-01T12:00:00Z", EVENING, EVENING, "2020-01-01T12:00:00.0Z"]
    events = [bill(name, f"H-{name}", time, a="10.00") for name, time in zip(ids, times, strict=True)]
    expected = [to_facility("a", f"H-{name}", "10.00") for name in ("S10", "S2", "S\uff21")]
    expected += [to_facility("a", "H-S\U00020000", "5.00")]  # 35 - 30; nothing is left for s1
    assert expected == payees(events, decision(a="35.00"))
    assert {"a": ("ADVANCE_EXCEEDS_DUE", "15.00")} == alerts(events, decision(a="35.00"))  # 50 - 35


def test_one_facility_in_two_settlements_is_listed_once_at_its_first_place() -> None:
    """H1 100, H2 200, H1 50; of 320 due H1 gets 100 + 20 and H2 200: H2 is served before H1's second bill."""
    events = [
        bill("S3", "H1", EVENING, a="50.00"),
        bill("S1", "H1", MORNING, a="100.00"),
        bill("S2", "H2", NOON, a="200.00"),
    ]
    assert [to_facility("a", "H1", "120.00"), to_facility("a", "H2", "200.00")] == payees(events, decision(a="320.00"))
    assert [
        {"scheme_id": "a", "facility_id": "H1", "amount": "100.00"},
        {"scheme_id": "a", "facility_id": "H2", "amount": "200.00"},
        {"scheme_id": "a", "facility_id": "H1", "amount": "50.00"},
    ] == advances(events, "E1")
    assert {"a": ("ADVANCE_EXCEEDS_DUE", "30.00")} == alerts(events, decision(a="320.00"))  # 350 - 320


def test_several_schemes_each_settle_for_themselves() -> None:
    """Schemes come in the decision's order, advances in the bill's; what is left of one scheme fills no other.

    a: 100 due, H1 advanced 150 -> H1 100, 50 too much. b: 80 due, H2 advanced 30 -> H2 30, person 50.
    c: 40 due, none advanced -> person 40. d: 0 due, H1 advanced 5 -> nobody, 5 too much.
    """
    events = [bill("S1", "H1", MORNING, d="5", a="150.0"), bill("S2", "H2", NOON, b="30.00")]
    decided = decision(b="80.00", a="100.00", c="40.00", d="0.00")
    assert [
        to_facility("b", "H2", "30.00"),
        to("person", "b", "50.00"),
        to_facility("a", "H1", "100.00"),
        to("person", "c", "40.00"),
    ] == payees(events, decided)
    assert [
        {"scheme_id": "d", "facility_id": "H1", "amount": "5.00"},
        {"scheme_id": "a", "facility_id": "H1", "amount": "150.00"},
        {"scheme_id": "b", "facility_id": "H2", "amount": "30.00"},
    ] == advances(events, "E1")
    expected = {"a": ("ADVANCE_EXCEEDS_DUE", "50.00"), "d": ("ADVANCE_EXCEEDS_DUE", "5.00")}
    assert expected == alerts(events, decided)


# Versions -------------------------------------------------------------------------------------------------


def test_a_correction_that_lowers_the_advance() -> None:
    """400 of 500 become 150: the person gets 350 instead of 100, in whatever order the versions are given."""
    first, second = bill("S1", a="400.00"), bill("S1", a="150.00", version=2)
    assert [to_facility("a", "H1", "400.00"), to("person", "a", "100.00")] == payees([first], decision(a="500.00"))
    for events in ([first, second], [second, first], [second, first, second]):
        expected = [to_facility("a", "H1", "150.00"), to("person", "a", "350.00")]
        assert expected == payees(events, decision(a="500.00"))


def test_versions_are_numbers() -> None:
    """Version 10 is newer than 9, and may leave the advances out altogether."""
    events = [bill("S1", version=10), bill("S1", a="150.00", version=9)]
    assert [to("person", "a", "500.00")] == payees(events, decision(a="500.00"))


def test_a_correction_moves_the_bill_to_its_new_time_and_facility() -> None:
    """S1 was first of all; corrected to the evening and to H3 it gets what H2 leaves: 250 - 200 = 50."""
    events = [
        bill("S1", "H1", MORNING, a="100.00"),
        bill("S1", "H3", EVENING, a="100.00", version=2),
        bill("S2", "H2", NOON, a="200.00"),
    ]
    expected = [to_facility("a", "H2", "200.00"), to_facility("a", "H3", "50.00")]
    for given in permutations(events):
        assert expected == payees(given, decision(a="250.00"))


def test_a_voided_settlement_advanced_nothing() -> None:
    """Of 300 H1 had 200 and H2 the 100 left of its 150; with S1 voided H2 gets 150 and the person 150."""
    both = [bill("S1", "H1", MORNING, a="200.00"), bill("S2", "H2", NOON, a="150.00")]
    assert [to_facility("a", "H1", "200.00"), to_facility("a", "H2", "100.00")] == payees(both, decision(a="300.00"))
    assert {"a": ("ADVANCE_EXCEEDS_DUE", "50.00")} == alerts(both, decision(a="300.00"))
    events = [voided("S1", 2), *both]
    assert [to_facility("a", "H2", "150.00"), to("person", "a", "150.00")] == payees(events, decision(a="300.00"))
    assert [{"scheme_id": "a", "facility_id": "H2", "amount": "150.00"}] == advances(events, "E1")
    assert {} == alerts(events, decision(a="300.00"))


def test_a_settlement_posted_again_after_it_was_voided_counts() -> None:
    """Version 3 is the newest, whatever version 2 was."""
    events = [bill("S1", a="70.00", version=3), voided("S1", 2), bill("S1", a="200.00")]
    assert [to_facility("a", "H1", "70.00"), to("person", "a", "30.00")] == payees(events, decision(a="100.00"))


# Alerts, statuses, people ---------------------------------------------------------------------------------


def test_an_advance_for_an_unknown_scheme() -> None:
    """x is no scheme of the policy: 25 + 10 advanced raise its alert alone, and no facility gets anything for it."""
    events = [bill("S1", "H1", MORNING, x="25.00", a="60.00"), bill("S2", "H2", NOON, x="10.00")]
    assert [to_facility("a", "H1", "60.00"), to("person", "a", "40.00")] == payees(events, decision(a="100.00"))
    assert {"x": ("ADVANCE_UNKNOWN_SCHEME", "35.00")} == alerts(events, decision(a="100.00"))


def test_who_is_not_covered_is_owed_nothing_of_what_was_advanced() -> None:
    """All benefits are zero: 60 are too much for the known scheme, 25 are for an unknown one, and nobody is paid."""
    events, decided = [bill("S1", x="25.00", a="60.00")], decision("not_covered", a="0.00", b="0.00")
    assert [] == payees(events, decided)
    expected = {"a": ("ADVANCE_EXCEEDS_DUE", "60.00"), "x": ("ADVANCE_UNKNOWN_SCHEME", "25.00")}
    assert expected == alerts(events, decided)


@pytest.mark.parametrize("status", ["incomplete", "no_policy", "after_death"])
def test_a_claim_without_benefits_pays_nobody_and_alerts_nobody(status: str) -> None:
    """What was advanced is listed all the same: the bill is live."""
    events = [bill("S1", a="60.00")]
    assert [] == payees(events, decision(status))
    assert {} == alerts(events, decision(status))
    assert [{"scheme_id": "a", "facility_id": "H1", "amount": "60.00"}] == advances(events, "E1")


def test_after_a_death_the_rest_goes_to_the_estate() -> None:
    """H1 gets its 60, the estate 100 - 60 = 40; another person's death changes nothing."""
    events = [bill("S1", a="60.00"), death()]
    assert [to_facility("a", "H1", "60.00"), to("estate", "a", "40.00")] == payees(events, decision(a="100.00"))
    events = [bill("S1", a="60.00"), death("P2")]
    assert [to_facility("a", "H1", "60.00"), to("person", "a", "40.00")] == payees(events, decision(a="100.00"))


def test_two_persons_and_two_claims_of_one_do_not_touch_each_other() -> None:
    """P1 has E1 and E2, P2, who died, has E3; all lie in H1, and each claim settles with its own bills."""
    events = [
        bill("S3", claim="E3", person="P2", a="20.00"),
        bill("S1", a="60.00"),
        death("P2"),
        bill("S2", claim="E2", a="500.00"),
    ]
    first, second = decision(a="100.00"), decision(claim="E2", a="100.00")
    third = decision(claim="E3", person="P2", a="100.00")
    assert [to_facility("a", "H1", "60.00"), to("person", "a", "40.00")] == payees(events, first)
    assert [to_facility("a", "H1", "100.00")] == payees(events, second)
    assert [to_facility("a", "H1", "20.00"), to("estate", "a", "80.00")] == payees(events, third)
    raised = [alerts(events, decided) for decided in (first, second, third)]
    assert [{}, {"a": ("ADVANCE_EXCEEDS_DUE", "400.00")}, {}] == raised


def test_it_reads_decisions_as_they_are_printed() -> None:
    """Copay 2,000 + 1,000 gives (3,000 - 2,000) * 0.30 = 300 by the scheme of section 5: H1 180, H2 the 120 left."""
    ours = "village_mutual_aid"
    events = [
        bill("S1", "H1", MORNING, burden="2000.00", village_mutual_aid="180.00"),
        bill("S2", "H2", NOON, burden="1000.00", village_mutual_aid="150.00"),
    ]
    stay = [coverage_from(), discharge_of("E1", "2020-01-01"), *(json.dumps(event).encode() for event in events)]
    printed = decide(policy(scheme(*SECTION_5)), *stay)["E1"]
    assert [to_facility(ours, "H1", "180.00"), to_facility(ours, "H2", "120.00")] == payees(events, printed)
    assert {ours: ("ADVANCE_EXCEEDS_DUE", "30.00")} == alerts(events, printed)


# Refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        ([], None),
        ([("a", "100.00"), ("b", "200.00")], None),  # 300 = 200 + 100
        ([("a", "100.00"), ("b", "200.01")], "ADVANCES_EXCEED_BURDEN"),
        ([("a", "300.01")], "ADVANCES_EXCEED_BURDEN"),
        ([("a", "0.01")], None),
        ([("a", "0.00")], "ADVANCES_EXCEED_BURDEN"),
        ([("a", "301.00"), ("b", "-1.00")], "ADVANCES_EXCEED_BURDEN"),  # the sum alone would do
        ([("a", "1.00"), ("a", "1.00")], "ADVANCES_EXCEED_BURDEN"),
        ([("a", "1.00"), ("A", "1.00")], None),  # two ids
        ([("a", 300)], None),  # a JSON number
        ([("a", 300.01)], "ADVANCES_EXCEED_BURDEN"),
    ],
)
def test_when_a_bill_is_refused_for_its_advances(listed: list[tuple[str, object]], code: str | None) -> None:
    """Copay 200 and 100 out of the catalogue: at most 300 in all, each scheme once, each amount over zero."""
    taken_off = [{"scheme_id": scheme_id, "amount": amount} for scheme_id, amount in listed]
    assert code == refusal(json.loads(bill_of("E1", "200.00", "100.00", advances=taken_off)))


def test_nothing_else_is_refused_for_advances() -> None:
    """A bill without them, and events that are no bills."""
    assert [None] * 3 == [refusal(event) for event in (json.loads(bill_of("E1", "0.00")), voided("S1", 2), death())]
