"""A year that is decided again from the touched claim on gives what deciding all of it gives, to the byte."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.claims import long_years
from handlers.claims.account import Account
from handlers.claims.adjudicate import Adjudication, adjudicate
from handlers.claims.explain import fingerprint
from handlers.claims.read import Reading, read
from schemas.ids import PersonId
from schemas.policy.model import Policies
from tests.properties.household_strategies import CLAIMS as CLAIM_IDS
from tests.properties.household_strategies import HOUSEHOLDS, household_releases, member_facts
from tests.properties.strategies import (
    AMOUNTS,
    DAYS,
    Body,
    History,
    Ledger,
    bill_of,
    busy_years,
    coverage_from,
    deliveries,
    discharge_of,
    histories,
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

NEVER, ALWAYS = 10**9, 1
CLAIMS = 60


def _told(history: History, events: Sequence[Body | str], long: int) -> list[object]:
    """Everything that leaves, in order, where years of so many claims count as long; a text is a policy published."""
    before, long_years.LONG = long_years.LONG, long
    try:
        ledger = Ledger(one_batch=False)
        for event in events:
            if isinstance(event, str):
                ledger.publish(event)
            else:
                ledger.take(event)
    finally:
        long_years.LONG = before
    return [batch.outcome for batch in ledger.batches]


@tried
@given(histories() | busy_years() | histories(successions()), st.data())
def test_a_year_from_the_touched_claim_on_is_the_whole_year(history: History, data: st.DataObject) -> None:
    """Whatever comes in which order, corrected, voided or moved, with policies published meanwhile."""
    events: list[Body | str] = list(data.draw(deliveries(history.facts)))
    for text in reversed(data.draw(publishing_orders(history.policies))):
        events.insert(data.draw(st.integers(0, len(events) // 2)), text)
    order = iter(data.draw(publishing_orders(history.policies)))
    events = [next(order) if isinstance(event, str) else event for event in events]
    assert _told(history, events, ALWAYS) == _told(history, events, NEVER)


@st.composite
def _member(draw: st.DrawFn) -> list[Body]:
    """A busy year of one person who moves between households, with corrections, in any order."""
    facts = draw(member_facts("P1", CLAIM_IDS[:2], HOUSEHOLDS))
    for claim_id in CLAIM_IDS[2:6]:
        day, amount = draw(st.sampled_from(DAYS[:6])), draw(st.sampled_from(AMOUNTS[4:]))
        facts += stay_of(claim_id, day, yuan(amount))
        facts += draw(st.sampled_from(([], [discharge_of(claim_id, "2020-06-15", version=2)], [void_of(claim_id, 2)])))
    return draw(deliveries(facts))


@tried
@given(_member(), household_releases())
def test_a_year_of_a_member_is_the_whole_year_by_unit(events: Sequence[Body], releases: tuple[str, ...]) -> None:
    """After each fact the last decision of every claim is what deciding all of them gives, sums by unit included."""
    published, account = policies(*releases), Account(PersonId("P1"))
    last: dict[str, object] = {}
    before, long_years.LONG = long_years.LONG, ALWAYS
    try:
        for body in events:
            reading = read(encode(body))
            assert isinstance(reading, Reading), reading
            for each in long_years.applied(account, reading.fact, published):
                last[each.claim.claim_id] = _of_unit(each)
            everything = adjudicate(account, published)
            assert {each.claim.claim_id: _of_unit(each) for each in everything} == last
    finally:
        long_years.LONG = before


def _of_unit(decided: Adjudication) -> object:
    """All that is said of a claim, and with whom it was counted."""
    sums = [(each.year_before, each.year_after) for each in decided.benefits]
    return fingerprint(decided), decided.household_id, decided.overlapping, sums


LIMITED = policy(
    scheme("mutual", {"0.00": "0.5", "500.00": "0.8"}, accumulates="person_year", cap_per_year="20000.00"),
    scheme("relief", {"0.00": "0.3"}, basis="copay", measured_on="remaining", cap_per_year="900.00"),
)


@pytest.fixture
def year() -> tuple[Account, Policies]:
    """A person with a long year: one stay a day, from the first of January on."""
    published, account = policies(LIMITED), Account(PersonId("P1"))
    for body in (coverage_from(), *(each for number in range(CLAIMS) for each in stay_of(*_stay(number)))):
        _apply(account, published, body)
    return account, published


def _stay(number: int) -> tuple[str, str, str]:
    return f"E{number:03d}", str(date(2020, 1, 1) + timedelta(number)), "100.00"


def _apply(account: Account, published: Policies, body: Body) -> list[str]:
    """The claims that were decided again."""
    reading = read(encode(body))
    assert isinstance(reading, Reading), reading
    return [each.claim.claim_id for each in long_years.applied(account, reading.fact, published)]


def _names(*numbers: int) -> list[str]:
    return [_stay(number)[0] for number in numbers]


def test_what_comes_before_is_not_decided_again(year: tuple[Account, Policies]) -> None:
    """A corrected bill is decided again with what comes after it, and the year's last bill alone."""
    assert _apply(*year, bill_of("E057", "150.00", version=2)) == _names(57, 58, 59)
    assert _apply(*year, bill_of("E059", "150.00", version=2)) == _names(59)
    assert _apply(*year, void_of("E058", 2)) == _names(58, 59)


def test_where_the_sums_are_again_what_they_were_it_ends(year: tuple[Account, Policies]) -> None:
    """The same amounts on another day move the claims between the two days, and no others."""
    assert _apply(*year, bill_of("E010", "100.00", version=2)) == _names(10)
    there, back = _stay(20)[1], _stay(9)[1]
    assert _apply(*year, discharge_of("E010", there, version=2)) == _names(*range(11, 20), 10)
    assert _apply(*year, discharge_of("E010", back, version=3)) == _names(*range(10, 20))


def test_what_came_after_the_old_place_is_decided_again(year: tuple[Account, Policies]) -> None:
    """Also where the claim counts for nothing in its new place, as nobody was covered on that day."""
    _apply(*year, coverage_from(_stay(10)[1], version=2))
    moved = discharge_of("E030", _stay(5)[1], version=2)
    assert _apply(*year, moved) == _names(30, *range(6, 30), *range(31, CLAIMS))


def test_a_fact_that_came_another_way_is_not_overlooked(year: tuple[Account, Policies]) -> None:
    """What was remembered is forgotten when a fact is applied to the account directly."""
    account, _ = year
    reading = read(encode(bill_of("E000", "150.00", version=2)))
    assert isinstance(reading, Reading)
    account.apply(reading.fact)
    assert _apply(*year, bill_of("E059", "150.00", version=2)) == _names(*range(CLAIMS))


def test_a_coverage_reaches_the_whole_year(year: tuple[Account, Policies]) -> None:
    """And what was remembered of the year is not used afterwards."""
    everything = _names(*range(CLAIMS))
    assert _apply(*year, coverage_from(category="ordinary", version=2)) == everything
    assert _apply(*year, coverage_from(version=3)) == everything
    assert _apply(*year, bill_of("E059", "150.00", version=2)) == _names(59)


def test_another_policy_reaches_the_whole_year(year: tuple[Account, Policies]) -> None:
    """Sums that were remembered under other policies are not continued."""
    account, _ = year
    changed = policies(LIMITED.replace('"0.3"', '"0.4"'))
    assert _apply(account, changed, bill_of("E059", "150.00", version=2)) == _names(*range(CLAIMS))
