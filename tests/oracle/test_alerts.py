"""Worked examples of alerts and held claims, by hand from time.md, section 2, that pin their oracle."""

from collections import Counter

import pytest

from .alerts import flagged
from .builders import bill_of, coverage_from, discharge_of, fact, member, policy, scheme, stay_of, void_of
from .flag_cases import random_flag_case
from .occasion_builders import aid, aid_scheme, incident

FULL = '[{ over = "0.00", rate = "1" }]'
HALF = '[{ over = "0.00", rate = "0.5" }]'
PLAIN = policy(scheme("s", "", FULL))
INVOICE, STAYS = ["DUPLICATE_INVOICE"], ["OVERLAPPING_STAYS"]


def checked(invoice: str = "", stays: str = "", text: str = PLAIN) -> str:
    """A policy that says what follows."""
    said = {"duplicate_invoice": invoice, "overlapping_stays": stays}
    table = "[checks]\n" + "".join(f'{name} = "{word}"\n' for name, word in said.items() if word)
    return text.replace("[[scheme]]", f"{table}\n[[scheme]]", 1)


def flags(policies: list[str] | str, *facts: bytes) -> dict[str, tuple[object, object]]:
    """By claim what it has of alerts and held; claims with neither are left out."""
    claims, refusals = flagged([policies] if isinstance(policies, str) else policies, list(facts))
    assert [] == refusals
    found = {str(claim["claim_id"]): (claim.get("alerts"), claim.get("held")) for claim in claims}
    return {name: both for name, both in found.items() if both != (None, None)}


def inpatient(claim: str, admitted_on: str, discharged_on: str, person: str = "P1", **fields: object) -> bytes:
    return discharge_of(claim, discharged_on, admitted_on, person_id=person, **fields)


def numbered(claim: str, invoice_no: object, person: str = "P1", **fields: object) -> bytes:
    return bill_of(claim, "5.00", "0.00", person_id=person, invoice_no=invoice_no, **fields)


# The same invoice ---------------------------------------------------------------------------------------------------


def test_one_invoice_in_two_encounters_flags_both() -> None:
    """Of one person or of two, and of two facilities; twice within one encounter is none."""
    facts = [inpatient(f"E{n}", "2020-01-01", "2020-01-01") for n in (1, 3)]
    facts += [inpatient("E2", "2020-01-01", "2020-01-01", "P2")]
    one = numbered("E1", "A1")
    assert {"E1": (INVOICE, None), "E2": (INVOICE, None)} == flags(PLAIN, *facts, one, numbered("E2", "A1", "P2"))
    assert {"E1": (INVOICE, None), "E3": (INVOICE, None)} == flags(
        PLAIN, *facts, one, numbered("E3", "A1", facility_id="H2")
    )
    assert {} == flags(PLAIN, *facts, one, numbered("E1", "A1", settlement_id="S2"), numbered("E2", "a1", "P2"))


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_bill_without_a_number_is_like_no_other(nothing: object) -> None:
    facts = [numbered("E1", nothing), numbered("E2", nothing), bill_of("E3", "1.00")]
    assert {} == flags(PLAIN, *facts)


def test_only_live_bills_count() -> None:
    """A bill that is corrected to another number or voided is no double, and is one again when it comes back."""
    facts = [numbered("E1", "A1"), numbered("E2", "A1")]
    both = {"E1": (INVOICE, None), "E2": (INVOICE, None)}
    assert both == flags(PLAIN, *facts)  # incomplete, both of them
    assert {} == flags(PLAIN, *facts, numbered("E2", "A2", version=2))
    assert {} == flags(PLAIN, *facts, void_of("E2", 2))
    assert both == flags(PLAIN, *facts, void_of("E2", 2), numbered("E2", "A1", version=3))
    interim = numbered("E2", "A9", settlement_id="S2", final=False)
    assert both == flags(PLAIN, *facts, interim)


# A night in two hospitals -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (("2020-01-04", "2020-01-09"), STAYS),  # the night of 4 January
        (("2020-01-05", "2020-01-09"), None),  # a transfer
        (("2019-12-30", "2020-01-01"), None),
        (("2019-12-30", "2020-01-02"), STAYS),
        (("2020-01-02", "2020-01-03"), STAYS),  # inside
        (("2020-01-03", "2020-01-03"), None),  # a day case inside: no night
        (("2020-01-01", "2020-01-05"), STAYS),
    ],
)
def test_nights(second: tuple[str, str], expected: list[str] | None) -> None:
    """Against a stay from 1 to 5 January, of which the last night is that of the 4th."""
    facts = [inpatient("E1", "2020-01-01", "2020-01-05"), inpatient("E2", *second)]
    flag = {name: (expected, None) for name in ("E1", "E2") if expected}
    assert flag == flags(PLAIN, *facts)
    assert flag == flags(PLAIN, *facts, numbered("E1", "A1"), numbered("E2", "A2"))


def test_only_inpatients_of_one_person_overlap() -> None:
    first = inpatient("E1", "2020-01-01", "2020-01-05")
    assert {} == flags(PLAIN, first, inpatient("E2", "2020-01-01", "2020-01-05", "P2"))
    assert {} == flags(PLAIN, first, inpatient("E2", "2020-01-01", "2020-01-05", care_type="outpatient_special"))


def test_a_voided_claim_overlaps_with_nothing() -> None:
    """Nor a discharge that was corrected to other days; a claim that waits for its bill does."""
    facts = [inpatient("E1", "2020-01-01", "2020-01-05"), inpatient("E2", "2020-01-01", "2020-01-05")]
    assert ["E1", "E2"] == list(flags(PLAIN, *facts))
    assert {} == flags(PLAIN, *facts, numbered("E2", "A1"), void_of("E2", 2))
    assert {} == flags(PLAIN, *facts, inpatient("E2", "2020-01-05", "2020-01-06", version=2))


def test_after_death_is_one_alert_beside_others() -> None:
    """Both stays after the day of death overlap, and are flagged for both."""
    facts = [inpatient(name, "2020-01-02", "2020-01-05") for name in ("E1", "E2")]
    facts += [numbered(name, f"A-{name}") for name in ("E1", "E2")]
    found = flags(checked(stays="hold"), *facts, fact("person.died", died_on="2020-01-01"))
    assert {name: (["AFTER_DEATH", *STAYS], True) for name in ("E1", "E2")} == found


# What follows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("invoice", "stays", "expected"),
    [
        ("", "", ([*INVOICE, *STAYS], None)),
        ("alert", "alert", ([*INVOICE, *STAYS], None)),
        ("off", "off", None),
        ("hold", "hold", ([*INVOICE, *STAYS], True)),
        ("hold", "", ([*INVOICE, *STAYS], True)),
        ("off", "hold", (STAYS, True)),
        ("hold", "off", (INVOICE, True)),
        ("alert", "off", (INVOICE, None)),
    ],
)
def test_the_policy_says_what_follows(invoice: str, stays: str, expected: tuple[object, object] | None) -> None:
    """Left out is `alert`; what is due stays as it was."""
    facts = [coverage_from(), numbered("E1", "A1"), numbered("E2", "A1")]
    facts += [inpatient(name, "2020-01-01", "2020-01-05") for name in ("E1", "E2")]
    text = checked(invoice, stays)
    assert ({"E1": expected, "E2": expected} if expected else {}) == flags(text, *facts)
    assert ["5.00", "5.00"] == [claim["total_benefit"] for claim in flagged([text], facts)[0]]


def test_each_claim_goes_by_the_policy_of_its_own_day() -> None:
    """One is held, one has the alert, one nothing; without a policy, and without a discharge, it is the alert."""
    releases = [
        checked("hold", text=policy(scheme("s", "", FULL), start="2020-01-01", end="2020-02-01", name="a")),
        checked("off", text=policy(scheme("s", "", FULL), start="2020-02-01", end="2020-03-01", name="b")),
        policy(scheme("s", "", FULL), start="2020-03-01", end="2020-04-01", name="c"),
    ]
    days = {"E1": "2020-01-31", "E2": "2020-02-01", "E3": "2020-03-01", "E4": "2020-04-01"}
    facts = [discharge_of(name, day) for name, day in days.items()]
    facts += [numbered(name, "A1") for name in (*days, "E5")]
    expected: dict[str, tuple[object, object]] = {"E1": (INVOICE, True)}
    expected |= dict.fromkeys(("E3", "E4", "E5"), (INVOICE, None))
    assert expected == flags(releases, *facts)


def test_whatever_its_status_a_claim_goes_by_its_policy() -> None:
    """A stay that waits for its bill is held, or left alone, as the policy of its day says."""
    waiting = [inpatient(name, "2020-01-01", "2020-01-05") for name in ("E1", "E2")]
    assert {"E1": (STAYS, True), "E2": (STAYS, True)} == flags(checked(stays="hold"), *waiting)
    assert {} == flags(checked(stays="off"), *waiting)


# The others ---------------------------------------------------------------------------------------------------------


def test_memberships_that_overlap_flag_a_decided_claim_alone() -> None:
    """Covered or not, on a day that two of them hold; a claim without a policy or bill has no such alert."""
    two = [member("P1", valid_to="2020-02-01"), member("P1", valid_from="2020-01-31", membership_id="M2")]
    on = stay_of("E1", "2020-01-31", "5.00")
    overlap = {"E1": (["MEMBERSHIPS_OVERLAP"], None)}
    assert overlap == flags(PLAIN, coverage_from(), *two, *on)
    assert overlap == flags(PLAIN, *two, *on)
    assert {} == flags(PLAIN, *two, *stay_of("E1", "2020-02-01", "5.00"))
    assert {} == flags(PLAIN, *two, *on[:1])
    assert {} == flags(policy(scheme("s", "", FULL), start="2021-01-01"), *two, *on)


def test_advances_flag_a_decided_claim_alone() -> None:
    """More than the half that is due, and for a scheme that is not there; exactly what is due is nothing to tell."""
    half = policy(scheme("s", "", HALF))

    def bill(**taken: str) -> bytes:
        listed = [{"scheme_id": name, "amount": amount} for name, amount in taken.items()]
        return bill_of("E1", "10.00", advances=listed)

    stay = [coverage_from(), discharge_of("E1", "2020-01-01")]
    assert {} == flags(half, *stay, bill(s="5.00"))
    assert {"E1": (["ADVANCE_EXCEEDS_DUE"], None)} == flags(half, *stay, bill(s="5.01"))
    assert {"E1": (["ADVANCE_UNKNOWN_SCHEME"], None)} == flags(half, *stay, bill(s="5.00", z="0.01"))
    both = (["ADVANCE_EXCEEDS_DUE", "ADVANCE_UNKNOWN_SCHEME"], None)
    assert {"E1": both} == flags(half, *stay[1:], bill(s="0.01", z="0.01"))  # not covered: nothing is due
    assert {} == flags(half, bill(s="5.01"))


def test_aids_and_incidents_have_the_alerts_of_a_person() -> None:
    """After death, and where memberships overlap on their own day; no invoice and no night, so nothing holds them."""
    text = checked("hold", "hold", policy(aid_scheme("t", {"city": "5.00"}), scheme("s", "", FULL)))
    two = [member("P1"), member("P1", membership_id="M2", valid_from="2020-01-02")]
    facts = [aid("A1", "1"), aid("A2", "1", decided_on="2020-01-02"), incident("I1", "2020-01-02"), incident("I2")]
    overlap = (["MEMBERSHIPS_OVERLAP"], None)
    assert {"aid:A2": overlap, "incident:I1": overlap} == flags(text, *two, *facts)
    late = (["AFTER_DEATH"], None)
    died = fact("person.died", died_on="2020-01-01")
    assert {"aid:A2": late, "incident:I1": late} == flags(text, *two, *facts, died)


def test_random_cases_meet_every_flag() -> None:
    """Held and not, with every code, often enough that a comparison cannot pass by never meeting it."""
    met: Counter[str] = Counter()
    for seed in range(80):
        case = random_flag_case(seed)
        for claim in flagged(case.policy_texts, case.lines)[0]:
            codes = claim.get("alerts", [])
            assert isinstance(codes, list)
            met.update([*codes, "held" if "held" in claim else "not held"])
    codes = (*INVOICE, *STAYS, "AFTER_DEATH", "MEMBERSHIPS_OVERLAP", "ADVANCE_EXCEEDS_DUE", "ADVANCE_UNKNOWN_SCHEME")
    assert {} == {name: met[name] for name in (*codes, "held", "not held") if met[name] < 20}
