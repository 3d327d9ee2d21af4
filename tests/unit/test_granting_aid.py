"""What temporary aid can be granted on the facts that are known, and the event that grants it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from handlers.claims.granting_aid import Outlook, aid_decided, aid_id_of, levels_on, outlook
from handlers.claims.read import Reading, read
from handlers.claims.recall import accounts_of
from handlers.words.aid_sentences import (
    AFTER_DEATH,
    NO_AMOUNT,
    NO_LEVELS,
    TAKEN_FROM_ANOTHER,
    USED_UP,
    over_level,
    unknown_level,
)
from schemas.aid_records import AidWanted
from schemas.facts import AidDecided
from schemas.ids import PersonId
from schemas.policy.model import Policies
from schemas.policy.policy_file import parse_policy
from schemas.refusals import Refusal
from tests.support.assured import AID, ASSURED
from tests.support.builders import Json, aid, coverage, death, encode, policy_text

NOW = datetime(2024, 3, 9, 17, tzinfo=UTC)
"""The tenth of March already, in Shanghai."""
POLICIES = Policies((parse_policy(ASSURED),))
WANTED = AidWanted(PersonId("P1"), "city", 500_000, False, None, "high bills")


def seen(wanted: AidWanted = WANTED, *events: Json, policies: Policies = POLICIES) -> Outlook:
    accounts = accounts_of(map(encode, [coverage(), *events]))
    return outlook(aid_id_of(wanted, "li.na", NOW), wanted, "li.na", NOW, accounts, policies)


def test_all_of_the_amount_is_expected_up_to_what_the_year_has_left() -> None:
    assert Outlook(500_000) == seen()
    assert Outlook(500_000) == seen(WANTED, aid("A1", "3000.00"))
    assert Outlook(120_000) == seen(WANTED, aid("A1", "9000.00", decided_on="2024-02-01"))


@pytest.mark.parametrize(
    ("wanted", "events", "why"),
    [
        (WANTED._replace(level="village"), [], unknown_level("village", {"city": 0, "district": 0})),
        (WANTED._replace(level="district"), [], over_level("district", 420_000)),
        (WANTED, [death("2024-03-09")], AFTER_DEATH),
        (WANTED, [aid("A1", "6800.00"), aid("A2", "1200.00")], USED_UP),
    ],
)
def test_what_cannot_be_granted_says_why(wanted: AidWanted, events: list[Json], why: object) -> None:
    """Another level, more than the level, after the day of death, and nothing left of the year."""
    assert Outlook(0, why) == seen(wanted, *events)  # type: ignore[arg-type]


def test_no_aid_takes_from_another_one_of_the_day() -> None:
    """Of the year 1,200.00 are left, and the aid that was decided before it has the greater id."""
    first = [aid("A1", "6800.00", decided_on="2024-02-01"), aid("Z1", "1000.00")]
    assert Outlook(0, TAKEN_FROM_ANOTHER) == seen(WANTED, *first)
    assert Outlook(20_000) == seen(WANTED, *first[:1], aid("A2", "1000.00"))


def test_who_was_granted_aid_first_keeps_it() -> None:
    """Ids of a day are in order of the moments in which the aids were proposed."""
    ids = [aid_id_of(WANTED, "li.na", NOW.replace(minute=each)) for each in range(60)]
    assert sorted(ids) == ids


def test_exactly_the_level_can_be_granted_on_the_day_of_death() -> None:
    assert Outlook(420_000) == seen(WANTED._replace(level="district", amount=420_000), death("2024-03-10"))


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_of_nothing_cannot_be_granted(amount: int) -> None:
    assert Outlook(0, NO_AMOUNT) == seen(WANTED._replace(amount=amount))


def test_a_city_without_aid_grants_none() -> None:
    """Also one whose policy with levels begins later, or has ended."""
    later = parse_policy(policy_text("later", "2024-03-11", None, AID))
    ended = parse_policy(policy_text("ended", "2020-01-01", "2024-03-10", AID))
    for policies in (Policies(), Policies((later,)), Policies((ended,))):
        assert Outlook(0, NO_LEVELS) == seen(policies=policies)


def test_of_two_schemes_with_one_level_the_higher_counts() -> None:
    other = AID.replace('"aid"', '"more"', 1).replace("6800.00", "9000.00")
    policies = Policies((parse_policy(policy_text("both", "2020-01-01", None, AID, other)),))
    assert {"city": 900_000, "district": 420_000} == levels_on(date(2024, 3, 10), policies)


def test_the_event_says_who_decided_and_who_agreed_on_the_day_in_shanghai() -> None:
    """With the alert that led to it, or without one; and it reads as any registry's."""
    for wanted in (WANTED, WANTED._replace(alert_id="AT-1", emergency=True)):
        value = aid_decided("A7", wanted, "li.na", "wang.wei", NOW)
        reading = read(value, b"P1", "registry.aids", NOW)
        assert isinstance(reading, Reading)
        fact = reading.fact
        assert isinstance(fact, AidDecided)
        assert ("A7", 1, "city", 500_000, wanted.emergency, date(2024, 3, 10)) == (
            fact.aid_id,
            fact.version,
            fact.level,
            fact.amount,
            fact.emergency,
            fact.decided_on,
        )
        assert ("li.na", "wang.wei", wanted.alert_id, "high bills") == (
            fact.decided_by,
            fact.countersigned_by,
            fact.alert_id,
            fact.reason,
        )


@pytest.mark.parametrize("given", [{}, {"countersigned_by": ""}, {"countersigned_by": None}])
def test_an_aid_that_nobody_countersigned_is_refused(given: Json) -> None:
    """The refusal names the field, so that the registry knows what is missing."""
    event = {name: value for name, value in aid().items() if name != "countersigned_by"} | given
    refused = read(encode(event))
    assert isinstance(refused, Refusal)
    assert ("SCHEMA_INVALID", ("/countersigned_by",)) == (refused.code, refused.pointers)


def test_an_aid_has_an_id_of_its_own_for_each_proposal() -> None:
    """The same again gives the same id; another amount, person or moment, another one."""
    first = aid_id_of(WANTED, "li.na", NOW)
    assert first == aid_id_of(WANTED, "li.na", NOW)
    others = [
        aid_id_of(WANTED._replace(amount=1), "li.na", NOW),
        aid_id_of(WANTED, "wang.wei", NOW),
        aid_id_of(WANTED, "li.na", NOW.replace(microsecond=1)),
    ]
    assert 4 == len({first, *others})
