"""Watches in a real ledger: what is published, and the alerts that facts raise and withdraw under it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from acts.publish_watches import preview_watches
from acts.rebuild_books import rebuild_books
from acts.verify_audit_log import Trust, verify_ledger
from infra.ledger import alert_rows
from infra.ledger.tables import audit_entries, claims, events, watches
from infra.sharding import shard_of
from schemas.alert_records import LIVE, AlertRow
from schemas.policy.model import Policies
from schemas.watch.watch_conflicts import WatchesConflict
from schemas.watch.watch_model import Watches
from tests.support.acts import close_alert, publish, publish_watches_text, take_alert
from tests.support.builders import (
    POLICY,
    SHARDS,
    VILLAGE,
    Json,
    bill,
    coverage,
    discharge,
    membership,
    membership_void,
    policies,
    policy_text,
    void,
)
from tests.support.household import HOUSEHOLD_ID, MOTHER, SON
from tests.support.ledgers import dispositions, do_steps, give, held, in_order, ticking
from tests.support.random_households import BY_HOUSEHOLD
from tests.support.replayed import assert_replays
from tests.support.watches import found_in, stay, watch_text, watches_of, watches_text

PERSON = watches_text(watch_text())
HOUSEHOLD = watches_text(watch_text("h", unit="household"), name="households")
Crossing = tuple[str, str, str, str, str]


class WatchedCity:
    """A ledger with a policy that takes events one batch after the other, and files of watches between them."""

    def __init__(self, ledger: Engine) -> None:
        self.ledger, self.clock = ledger, ticking()
        self.posted: list[Json] = []
        publish(ledger, POLICY, "test", SHARDS, self.clock)
        held(ledger)

    def take(self, *posted: Json) -> None:
        """Takes events in one batch, and does the steps of the groups that wait."""
        self.posted += posted
        give(self.ledger, in_order(self.posted)[-len(posted) :], self.clock)
        do_steps(self.ledger, self.clock)

    def publish(self, text: str) -> None:
        publish_watches_text(self.ledger, text, "li.na", SHARDS, self.clock)

    def alerts(self) -> list[AlertRow]:
        with self.ledger.connect() as connection:
            return [row for row in alert_rows.every(connection) if row.code == "SELF_PAY_HIGH"]

    def open(self) -> list[Crossing]:
        """Watch, claim, unit, step and sum of the alerts that somebody has to look at."""
        told = [json.loads(row.value or b"") for row in self.alerts() if row.state in LIVE]
        names = ("watch", "claim_id", "unit", "step", "sum")
        return sorted(tuple(each[name] for name in names) for each in told)

    def found(self, *files: Watches, published: Policies | None = None) -> list[Crossing]:
        """What `huzhu watch` would find among all that was posted."""
        under = policies(POLICY) if published is None else published
        return sorted(each for file in files for each in found_in(self.posted, file, under))


@pytest.fixture
def city(ledger: Engine) -> WatchedCity:
    return WatchedCity(ledger)


def test_a_crossing_is_an_alert_with_the_lines_of_its_sum(city: WatchedCity) -> None:
    """Raised by the event that brings the sum over the step; it names watch, unit, step and sum, and what adds up."""
    city.publish(PERSON)
    city.take(coverage("C9", area="binhu"), *stay("E1", "2024-03-10", 600))
    assert [] == city.alerts()
    city.take(*stay("E2", "2024-04-10", 500))
    (row,) = city.alerts()
    assert ("open", "E2", "P1", "binhu") == (row.state, row.claim_id, row.person_id, row.area)
    told = json.loads(row.value or b"")
    assert [("w", "E2", "P1", "1000.00", "1100.00")] == city.open() == city.found(watches_of(watch_text()))
    assert told["lines"] == [
        {"claim_id": "E1", "person_id": "P1", "discharged_on": "2024-03-10", "amount": "600.00"},
        {"claim_id": "E2", "person_id": "P1", "discharged_on": "2024-04-10", "amount": "500.00"},
    ]
    assert_replays(city.ledger)


def test_a_correction_withdraws_what_it_undoes_and_tells_what_is_otherwise(city: WatchedCity) -> None:
    """A voided bill withdraws; an amount that changes is told again under the same id."""
    city.publish(PERSON)
    city.take(*stay("E1", "2024-03-10", 600), *stay("E2", "2024-04-10", 500))
    (before,) = city.alerts()
    city.take(bill("S-E1", "E1", 700, version=2, settled_at="2024-03-10T15:00:00+08:00"))
    (after,) = city.alerts()
    assert (before.alert_id, before.raised_no) == (after.alert_id, after.raised_no)
    assert [("w", "E2", "P1", "1000.00", "1200.00")] == city.open()
    city.take(void("S-E1", "E1", version=3))
    (gone,) = city.alerts()
    assert "withdrawn" == gone.state
    city.take(*stay("E3", "2024-05-10", 700))
    assert [("w", "E3", "P1", "1000.00", "1200.00")] == city.open() == city.found(watches_of(watch_text()))
    assert_replays(city.ledger)


def test_publishing_finds_whoever_is_there_and_decides_nothing(city: WatchedCity) -> None:
    """Its event raises the alerts of crossings from before; no claim is decided again; a preview counts the same."""
    city.take(*stay("E1", "2024-03-10", 1100), *stay("E2", "2024-04-10", 900))
    text = watches_text(watch_text(steps='"1000.00", "1500.00"'))
    with city.ledger.connect() as connection:
        told = preview_watches(connection, text, SHARDS, city.clock)
        decided = connection.scalar(select(func.sum(claims.c.revision)))
    assert (1, {("w", 100_000): 1, ("w", 150_000): 1}) == (told.persons, dict(told.found))
    assert [] == city.alerts()
    city.publish(text)
    with city.ledger.connect() as connection:
        number = connection.scalar(select(events.c.event_no).where(events.c.disposition == "watches"))
        assert decided == connection.scalar(select(func.sum(claims.c.revision)))
    assert {number} == {row.raised_no for row in city.alerts()}
    assert ["E1", "E2"] == [each[1] for each in city.open()]
    assert_replays(city.ledger)


def test_the_same_file_is_published_once_and_another_one_beside_it(city: WatchedCity) -> None:
    """Again it is no act; a file with other watches, or other days, holds beside it."""
    city.publish(PERSON)
    city.publish("# the same\n" + PERSON)
    assert 1 == dispositions(city.ledger).count("watches")
    with pytest.raises(WatchesConflict, match="give it another id"):
        city.publish(watches_text(watch_text(steps='"500.00"'), name="lower"))
    with pytest.raises(WatchesConflict, match="an id of its own"):
        city.publish(watches_text(watch_text("other")))
    city.publish(watches_text(watch_text("other", steps='"500.00"'), name="lower"))
    city.take(*stay("E1", "2024-03-10", 1100))
    assert ["other", "w"] == [each[0] for each in city.open()]


def test_a_household_is_found_by_whoever_brings_it_over_the_step(city: WatchedCity) -> None:
    """Members lie on two shards; the sum holds both, whoever joins or leaves is looked at with all of them."""
    city.publish(HOUSEHOLD)
    city.take(*stay("E1", "2024-03-10", 600, person_id=MOTHER), *stay("E2", "2024-04-10", 500, person_id=SON))
    city.take(membership("M-mother", HOUSEHOLD_ID, person_id=MOTHER))
    assert [] == city.open()
    city.take(membership("M-son", HOUSEHOLD_ID, person_id=SON))
    assert [("h", "E2", HOUSEHOLD_ID, "1000.00", "1100.00")] == city.open()
    city.take(void("S-E1", "E1", person_id=MOTHER))
    assert [] == city.open()
    city.take(*stay("E3", "2024-03-20", 700, person_id=MOTHER))
    assert [("h", "E2", HOUSEHOLD_ID, "1000.00", "1200.00")] == city.open()
    city.take(membership_void("M-son", person_id=SON))
    assert [] == city.open() == city.found(watches_of(watch_text("h", unit="household")))
    assert_replays(city.ledger)


def test_publishing_a_watch_by_household_looks_at_households(city: WatchedCity) -> None:
    """Also where no member alone is over the step, and no scheme counts by household."""
    members = [membership(f"M-{person}", HOUSEHOLD_ID, person_id=person) for person in (MOTHER, SON)]
    city.take(*members, *stay("E1", "2024-03-10", 600, person_id=MOTHER))
    city.take(*stay("E2", "2024-04-10", 500, person_id=SON))
    city.publish(HOUSEHOLD)
    assert [("h", "E2", HOUSEHOLD_ID, "1000.00", "1100.00")] == city.open()
    assert_replays(city.ledger)


def test_publishing_replays_where_only_schemes_count_by_household(ledger: Engine) -> None:
    """The watch looks at each member alone, so the alerts of a shard are in the order of its persons, not of claims."""
    city = WatchedCity(ledger)
    earlier = policy_text("earlier", "2019-01-01", "2020-01-01", BY_HOUSEHOLD)
    publish(ledger, earlier, "test", SHARDS, city.clock)
    first, second = sorted(f"Q{number}" for number in range(20) if shard_of(f"Q{number}", SHARDS) == 0)[:2]
    city.take(*(membership(f"M-{name}", HOUSEHOLD_ID, person_id=name) for name in (first, second)))
    city.take(*stay("E2", "2024-03-10", 1100, person_id=first), *stay("E1", "2024-03-10", 1100, person_id=second))
    city.publish(PERSON)
    assert ["E1", "E2"] == [each[1] for each in city.open()]
    assert_replays(ledger)


def test_a_policy_that_decides_one_member_looks_at_the_household(city: WatchedCity) -> None:
    """Claims that waited for it count from then on, with those of members whom it does not reach."""
    city.publish(HOUSEHOLD)
    members = [membership(f"M-{name}", HOUSEHOLD_ID, valid_from="2015-01-01", person_id=name) for name in (MOTHER, SON)]
    city.take(*members, *stay("E1", "2020-01-10", 600, person_id=MOTHER), *stay("E2", "2019-12-10", 500, person_id=SON))
    assert [] == city.open()
    earlier = policy_text("earlier", "2019-01-01", "2020-01-01", VILLAGE)
    publish(city.ledger, earlier, "test", SHARDS, city.clock)
    watches_now = watches_of(watch_text("h", unit="household"))
    assert [("h", "E1", HOUSEHOLD_ID, "1000.00", "1100.00")] == city.open()
    assert city.open() == city.found(watches_now, published=policies(POLICY, earlier))
    assert_replays(city.ledger)


def test_the_books_are_rebuilt_under_a_watch_by_household(city: WatchedCity) -> None:
    """Whose members are paid in the group step from its publication on."""
    joins = membership("M-mother", HOUSEHOLD_ID, person_id=MOTHER)
    city.take(joins, coverage("C1", person_id=MOTHER), *stay("E1", "2024-03-10", 3000, person_id=MOTHER))
    city.publish(HOUSEHOLD)
    city.take(*stay("E2", "2024-04-10", 3000, person_id=MOTHER))
    assert "group" in dispositions(city.ledger)
    assert rebuild_books(city.ledger, SHARDS).good


def test_what_somebody_closed_stays_closed_until_its_reason_goes(city: WatchedCity) -> None:
    """Taken, then closed; a decision that changes nothing in the sum opens nothing again."""
    city.publish(PERSON)
    city.take(*stay("E1", "2024-03-10", 1100))
    (row,) = city.alerts()
    take_alert(city.ledger, row.alert_id, "li.na", SHARDS, city.clock)
    close_alert(city.ledger, row.alert_id, "visited the family", "li.na", SHARDS, city.clock)
    city.take(coverage("C9", "dibao"))
    city.take(discharge("E1", "2024-03-10", admitted_on="2024-03-10", version=2))
    assert ["resolved"] == [each.state for each in city.alerts()]
    assert_replays(city.ledger)


def test_alerts_of_crossings_that_come_back_are_messages_of_their_own(city: WatchedCity) -> None:
    """A reader who knows messages by their event_id takes the second one too."""
    city.publish(PERSON)
    city.take(*stay("E1", "2024-03-10", 1100))
    first = json.loads(city.alerts()[0].value or b"")["event_id"]
    for day in ("2019-03-10", "2024-03-10"):  # without a policy, and with it again
        version = {"2019-03-10": 2, "2024-03-10": 3}[day]
        city.take(discharge("E1", day, admitted_on=day, version=version))
    (row,) = city.alerts()
    assert "open" == row.state
    assert first != json.loads(row.value or b"")["event_id"]


def test_the_database_keeps_what_is_published(city: WatchedCity) -> None:
    """No file is changed or deleted, and none with one watch on one day is added beside the program."""
    city.publish(PERSON)
    again: dict[Any, Any] = {"sha256": "x", "watches_id": "x", "watch_ids": ["w"], "source_text": "x", "event_no": 1}
    again |= {"operator": "x", "published_at": datetime.fromisoformat("2025-01-01T00:00:00+08:00")}
    for change in (update(watches).values(operator="x"), delete(watches), insert(watches).values(again)):
        with pytest.raises(DBAPIError), city.ledger.begin() as connection:
            connection.execute(change)


def test_a_published_file_that_was_changed_is_found(city: WatchedCity) -> None:
    """The audit log holds the hash of its text, and an entry for every file."""
    city.publish(PERSON)
    with city.ledger.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE watches DISABLE TRIGGER USER")
        connection.execute(update(watches).values(source_text=PERSON.replace("1000.00", "9000.00")))
        entry = connection.scalar(select(audit_entries.c.value).where(audit_entries.c.kind == "watches.published"))
    assert "li.na" in bytes(entry or b"").decode()
    report = verify_ledger(city.ledger, Trust(()), lambda _: None)
    assert ["the file of watches is not what was recorded: of-tests"] == [f.saying.en for f in report.findings]
