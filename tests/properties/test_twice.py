"""A claim twice: what is found about it, and what a policy makes of that, is what a look at every two claims gives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.claims import long_years
from handlers.claims.account import Account
from handlers.claims.adjudicate import adjudicate
from handlers.claims.explain import fingerprint
from handlers.claims.read import Reading, read
from handlers.claims.twice import found_twice
from handlers.offline.book import Book
from schemas.ids import PersonId
from schemas.policy.model import Policies
from tests.properties.strategies import (
    Body,
    Decision,
    bill_of,
    coverage_from,
    decide,
    discharge_of,
    newest,
    policy,
    scheme,
    tried,
    void_of,
)
from tests.support.builders import encode, policies

FIELDS = {"DUPLICATE_INVOICE": "duplicate_invoice", "OVERLAPPING_STAYS": "overlapping_stays"}
FIRST, SECOND = "2020-01-30", "2020-02-02"
"""First days of two releases; before them no policy is in force."""

Found = dict[str, set[tuple[str, str, str]]]
"""By claim: code, invoice and other claim."""


def _day(number: int) -> str:
    return str(date(2020, 1, 28) + timedelta(number))


@st.composite
def _encounters(draw: st.DrawFn, persons: Sequence[str] = ("P1", "P1", "P2")) -> list[Body]:
    """A few encounters of a few days, with few invoices: corrected, voided, moved, without bill or discharge."""
    facts: list[Body] = []
    for number in range(draw(st.integers(2, 5))):
        name, of = f"E{number}", {"person_id": draw(st.sampled_from(persons))}
        for version in range(1, draw(st.sampled_from((2, 2, 3)))):
            start, nights = draw(st.integers(0, 5)), draw(st.integers(0, 3))
            care = draw(st.sampled_from(("inpatient", "inpatient", "outpatient_special")))
            stay = discharge_of(name, _day(start + nights), _day(start), version=version, care_type=care, **of)
            facts += [stay] if draw(st.integers(0, 7)) else []
        for bill in range(draw(st.integers(0, 2))):
            its: Body = {"settlement_id": f"S-{name}-{bill}", **of}
            for version in range(1, draw(st.sampled_from((2, 2, 3)))):
                invoice = draw(st.sampled_from((None, "I1", "I1", "I2")))
                its |= {} if invoice is None else {"invoice_no": invoice}
                facts.append(bill_of(name, "900.00", version=version, **its))
                its.pop("invoice_no", None)
            facts += [] if draw(st.integers(0, 3)) else [void_of(name, 9, **its)]
    return draw(st.permutations(facts))


@st.composite
def _releases(draw: st.DrawFn) -> tuple[list[str], list[dict[str, str]]]:
    """Two policies that differ in what follows, and what each says."""
    said = [
        {name: draw(st.sampled_from(("", "off", "alert", "hold"))) for name in FIELDS.values()} for _ in (FIRST, SECOND)
    ]
    texts = [policy(scheme(), start=FIRST, end=SECOND, name="one"), policy(scheme(), start=SECOND, name="two")]
    return [text + _checks(says) for text, says in zip(texts, said, strict=True)], said


def _checks(says: dict[str, str]) -> str:
    return "[checks]\n" + "".join(f'{name} = "{value}"\n' for name, value in says.items() if value)


def _by_pairs(facts: Iterable[Body]) -> Found:
    """What is found by looking at every two encounters, night by night."""
    stays, bills = dict[str, Body](), dict[str, list[Body]]()
    for body in newest(facts):
        if body["event_type"] == "encounter.discharged":
            stays[body["encounter_id"]] = body
        else:
            bills.setdefault(body["encounter_id"], []).append(body)
    found: Found = {name: set() for name in [*stays, *bills]}
    for one in found:
        for other in found:
            if one == other:
                continue
            for invoice in _invoices(bills.get(one, [])) & _invoices(bills.get(other, [])):
                found[one].add(("DUPLICATE_INVOICE", invoice, other))
            if _nights(stays.get(one), bills.get(one, [])) & _nights(stays.get(other), bills.get(other, [])):
                found[one].add(("OVERLAPPING_STAYS", "", other))
    return found


def _invoices(bills: Iterable[Body]) -> set[str]:
    return {bill["invoice_no"] for bill in bills if bill.get("invoice_no") is not None}


def _nights(stay: Body | None, bills: Sequence[Body]) -> set[tuple[str, str]]:
    """Person and day before each night of a hospital stay; none of a claim whose bills are all voided."""
    voided = bills and all(bill["event_type"] == "settlement.voided" for bill in bills)
    if stay is None or stay["care_type"] != "inpatient" or voided:
        return set()
    first, last = date.fromisoformat(stay["admitted_on"]), date.fromisoformat(stay["discharged_on"])
    return {(stay["person_id"], str(first + timedelta(number))) for number in range((last - first).days)}


def _found(facts: Iterable[Body]) -> Found:
    """What the product finds in facts as they come."""
    book = Book()
    for body in facts:
        book.take(encode(body))
    found = found_twice(list(book.accounts.values()))
    names = [name for account in book.accounts.values() for name in account.claim_ids()]
    return {
        name: {(each.code.value, each.about, other) for each in found.get(name, ()) for other in each.others}
        for name in names
    }


@tried
@given(_encounters())
def test_what_is_found_is_what_every_two_claims_share(facts: list[Body]) -> None:
    """In whatever order it comes; of a correction the newest version counts, of voided bills none."""
    found = _found(facts)
    assert _by_pairs(facts) == found
    assert found == _found(reversed(facts))


@tried
@given(_encounters())
def test_a_finding_is_about_both_claims(facts: list[Body]) -> None:
    """Whoever is named by another claim names it, for the same reason."""
    found = _found(facts)
    for name, what in found.items():
        for code, about, other in what:
            assert other != name
            assert (code, about, name) in found[other]


@tried
@given(_encounters(), _releases())
def test_the_policy_of_its_own_day_says_what_follows_for_each_claim(
    facts: list[Body], releases: tuple[list[str], list[dict[str, str]]]
) -> None:
    """Off: nothing; alert: its code; hold: that it is held. Without a policy or a discharge it is an alert."""
    texts, said = releases
    days = {each["encounter_id"]: each for each in newest(facts) if each["event_type"] == "encounter.discharged"}
    decided = decide(texts, *facts)
    found = _by_pairs(facts)
    assert found.keys() == decided.keys()
    for name, decision in decided.items():
        day = days[name]["discharged_on"] if name in days else ""
        says = said[1] if day >= SECOND else said[0] if day >= FIRST else {}
        follows = {code: says.get(FIELDS[code]) or "alert" for code, _, _ in found[name]}
        assert sorted(code for code, check in follows.items() if check != "off") == decision.get("alerts", [])
        assert ("hold" in follows.values()) == decision.get("held", False)


@tried
@given(_encounters(), _releases())
def test_what_is_due_does_not_depend_on_the_checks(
    facts: list[Body], releases: tuple[list[str], list[dict[str, str]]]
) -> None:
    """A decision with and without checks differs in the alerts and in whether it is held, and in nothing else."""
    texts, _ = releases
    covered = [coverage_from(), coverage_from(person_id="P2", coverage_id="C2"), *facts]
    without = decide([text.partition("[checks]")[0] for text in texts], *covered)
    decided = decide(texts, *covered)
    assert list(map(_dues, without.values())) == list(map(_dues, decided.values()))


def _dues(decision: Decision) -> Decision:
    return {name: value for name, value in decision.items() if name not in ("alerts", "held")}


@tried
@given(_encounters(("P1",)), _releases())
def test_a_long_year_finds_what_is_there_twice(
    facts: list[Body], releases: tuple[list[str], list[dict[str, str]]]
) -> None:
    """After each fact the last decision of every claim is what deciding all of them gives."""
    before, long_years.LONG = long_years.LONG, 1
    try:
        _same_as_all_at_once(policies(*releases[0]), facts)
    finally:
        long_years.LONG = before


def _same_as_all_at_once(published: Policies, facts: Iterable[Body], since: int = 0) -> None:
    """Applies facts one by one to the account of P1; from the fact ``since`` on every claim is looked at."""
    account, last = Account(PersonId("P1")), dict[str, str]()
    versions = dict[tuple[str, str], int]()
    for number, body in enumerate(facts):
        place = (body.get("settlement_id", ""), body["encounter_id"])
        if versions.get(place, 0) >= body["version"]:
            continue  # nobody gives an account what is older
        versions[place] = body["version"]
        reading = read(encode(body))
        assert isinstance(reading, Reading), reading
        for each in long_years.applied(account, reading.fact, published):
            last[each.claim.claim_id] = fingerprint(each)
        if number >= since:
            assert {each.claim.claim_id: fingerprint(each) for each in adjudicate(account, published)} == last


def test_a_year_of_many_stays_finds_what_is_there_twice() -> None:
    """Fifty stays and more, of which some come to share a night or an invoice and then no longer do."""
    days = [str(date(2020, 2, 3) + timedelta(3 * number)) for number in range(60)]
    ends = [str(date(2020, 2, 5) + timedelta(3 * number)) for number in range(60)]
    facts: list[Body] = []
    for number, (start, end) in enumerate(zip(days, ends, strict=True)):
        facts += [
            discharge_of(f"E{number:02d}", end, start),
            bill_of(f"E{number:02d}", "9.00", invoice_no=f"I{number}"),
        ]
    facts += [
        discharge_of("E20", ends[22], days[20], version=2),  # over the two next ones
        bill_of("E40", "9.00", version=2, invoice_no="I41"),
        bill_of("E41", "8.00", version=2, invoice_no="I41"),
        discharge_of("E41", ends[41], days[40], version=2),
        discharge_of("E59", ends[5], days[5], version=2),  # goes to the front
        void_of("E21", 2),
        bill_of("E21", "7.00", version=3, invoice_no="I59"),
        discharge_of("E20", ends[20], days[20], version=3),
        bill_of("E41", "8.00", version=3),
        void_of("E40", 3),
        discharge_of("E41", ends[41], days[41], version=3, care_type="outpatient_special"),
    ]
    held = policy(scheme(), start=FIRST) + _checks(dict.fromkeys(FIELDS.values(), "hold"))
    _same_as_all_at_once(policies(held), facts, since=2 * long_years.LONG - 4)


ONE = [discharge_of("E1", "2020-02-10", "2020-02-05"), bill_of("E1", "9.00", invoice_no="I1")]


@pytest.mark.parametrize(
    ("other", "alerts"),
    [
        ([discharge_of("E2", "2020-02-12", "2020-02-10")], []),  # a transfer on one day
        ([discharge_of("E2", "2020-02-05", "2020-02-01")], []),
        ([discharge_of("E2", "2020-02-12", "2020-02-09")], ["OVERLAPPING_STAYS"]),
        ([discharge_of("E2", "2020-02-06", "2020-02-01")], ["OVERLAPPING_STAYS"]),
        ([discharge_of("E2", "2020-02-08", "2020-02-07")], ["OVERLAPPING_STAYS"]),
        ([discharge_of("E2", "2020-02-07")], []),  # no night
        ([discharge_of("E2", "2020-02-08", "2020-02-07", care_type="outpatient_special")], []),
        ([discharge_of("E2", "2020-02-08", "2020-02-07", person_id="P2")], []),
        ([bill_of("E2", "9.00", invoice_no="I1")], ["DUPLICATE_INVOICE"]),
        ([bill_of("E2", "9.00", invoice_no="I1", person_id="P2")], ["DUPLICATE_INVOICE"]),
        ([bill_of("E2", "9.00", invoice_no="i1")], []),
        ([bill_of("E2", "9.00")], []),
        ([bill_of("E1", "9.00", invoice_no="I1", settlement_id="S-2")], []),  # two bills of one encounter
        ([discharge_of("E2", "2020-02-10", "2020-02-05"), *ONE[1:], void_of("E1", 2)], []),
        (
            [discharge_of("E2", "2020-02-10", "2020-02-05"), bill_of("E2", "9.00", invoice_no="I1"), void_of("E2", 2)],
            [],
        ),
    ],
)
def test_a_night_and_an_invoice_are_shared_or_not(other: list[Body], alerts: list[str]) -> None:
    """Both claims have the alert, or neither."""
    decided = decide(policy(scheme()), *ONE, *other)
    for name, decision in decided.items():
        assert alerts == decision.get("alerts", []), json.dumps(decided[name])
        assert not decision.get("held")
