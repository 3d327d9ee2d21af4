"""The law of watches in a ledger: its live alerts are what `huzhu watch` finds among its facts, at every moment."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alert_records import AlertState
from schemas.watch.watch_file import parse_watches
from tests.properties.household_strategies import GroupLedger, towns
from tests.properties.strategies import History, deliveries, tried
from tests.properties.told_alerts import alert_rows, live
from tests.support.builders import POLICY, Json, coverage, encode, membership, policies
from tests.support.length import times
from tests.support.random_households import BEFORE_TEXT, PERSONS, POLICIES, town
from tests.support.watches import Found, found_in, stay, watch_text, watches_text

SEEDS = range(90, 90 + times(8, 40))
BY_PERSON = watches_text(
    watch_text("c", "personal_burden", "person", 6, '"0.00", "5000.00"', 'categories = ["poor", "other"]'),
    watch_text("e", "out_of_catalogue", "person", 3, '"500.00", "2500.00"'),
    watch_text("p", "patient_pays", "person", 12, '"7000.00"'),
    name="persons",
)
BY_HOUSEHOLD = watches_text(
    watch_text("b", "patient_pays", "household", 3, '"900.00", "4000.00"'),
    watch_text("a", "copay", "household", 12, '"800.00", "3000.00", "9000.00"'),
    name="households",
    head="effective_from = 2023-06-01\neffective_to = 2024-10-01",
)

LOW = watches_text(
    watch_text("h", "patient_pays", "household", 3, '"0.00", "900.00", "4000.00"'),
    watch_text("p", "copay", "person", 2, '"0.00", "2000.00"'),
)


def watched_town(random: Random) -> list[Json]:
    """A town where some persons have a category for some of the days."""
    poor = [
        coverage(f"C-{person}-poor", "poor", person_id=person, valid_from=f"2024-0{start}-11", valid_to="2024-10-11")
        for person in random.sample(PERSONS, 6)
        for start in random.sample(range(1, 10), 1)
    ]
    events = [*town(random), *poor]
    random.shuffle(events)
    return events


def told(ledger: GroupLedger) -> Found:
    """Watch, claim, unit, step and sum of the live alerts, each of which says what adds up to its sum."""
    crossings = [each for each in live(ledger).values() if each["code"] == "SELF_PAY_HIGH"]
    for each in crossings:
        assert round(100 * float(each["sum"])) == sum(round(100 * float(line["amount"])) for line in each["lines"])
        assert each["claim_id"] == each["lines"][-1]["claim_id"]
    found = [(each["watch"], each["claim_id"], each["unit"], each["step"], each["sum"]) for each in crossings]
    return sorted(found, key=lambda each: (*each[:2], float(each[3])))


def found(events: Sequence[Json], published: Sequence[str], *files: str) -> Found:
    """What the command finds."""
    under = policies(*published)
    among = [each for file in files for each in found_in(events, parse_watches(file), under)]
    return sorted(among, key=lambda each: (*each[:2], float(each[3])))


@pytest.mark.parametrize("published", [POLICIES, (BEFORE_TEXT,)], ids=["households", "persons"])
def test_the_live_alerts_are_what_the_command_finds(published: Sequence[str]) -> None:
    """After each part of the facts; files are published before, between and after them, and policies too."""
    kinds = set[str]()
    for seed in SEEDS:
        random = Random(seed)
        events = watched_town(random)
        ledger = GroupLedger(published[0], one_batch=random.random() < 0.5, at_once=random.random() < 0.5)
        texts, files, done = [published[0]], list[str](), list[Json]()
        acts: list[str] = [*published[1:], *random.sample((BY_PERSON, BY_HOUSEHOLD), 2)]
        places = sorted(random.randrange(len(events) + 1) for _ in acts)
        for at, event in enumerate([*events, None]):
            while places and places[0] == at:
                del places[0]
                ledger.decide_groups()
                text = acts.pop(0)
                if text in published:
                    texts.append(text)
                    ledger.publish(text)
                else:
                    files.append(text)
                    ledger.watch(text)
                assert found(done, texts, *files) == told(ledger), f"seed {seed} at {at}"
            if event is not None:
                done.append(event)
                ledger.deliver(encode(event))
            if random.random() < 0.1:
                ledger.decide_groups()
                assert found(done, texts, *files) == told(ledger), f"seed {seed} at {at}"
        ledger.decide_groups()
        assert found(done, texts, *files) == told(ledger), f"seed {seed}"
        kinds |= {each[0] + each[2][0] for each in told(ledger)}
        kinds |= {row.state for row in alert_rows(ledger).values() if row.code == "SELF_PAY_HIGH"}
    assert kinds >= {"aH", "aP", "bH", "bP", "cP", "eP", "pP", AlertState.OPEN, AlertState.WITHDRAWN}


@tried
@given(towns(), st.data())
def test_order_and_batches_leave_no_trace_in_alerts(history: History, data: st.DataObject) -> None:
    """Whatever was told meanwhile, in the end the live ones say the same, lines and sentences included."""
    first, second = GroupLedger(*history.policies), GroupLedger(*history.policies, one_batch=False)
    first.watch(LOW)
    first.take(*history.facts)
    second.take(*data.draw(deliveries(history.facts)))
    second.watch(LOW)
    assert live(first) == live(second)


def test_what_changes_nothing_in_a_sum_is_told_to_nobody() -> None:
    """Another event of the person, and of another member of the household: no message repeats what was told."""
    ledger = GroupLedger(POLICY)
    ledger.watch(watches_text(watch_text()))
    ledger.take(*stay("E1", "2024-03-10", 8000, 600))
    ledger.take(membership(person_id="P2"), membership("M2", person_id="P1"))
    before = [row.topic for row in ledger.sent].count("alerts")
    ledger.watch(watches_text(watch_text("home", unit="household"), name="home"))
    ledger.take(coverage(), *stay("E2", "2020-03-10", 100), *stay("E3", "2024-05-10", 100, person_id="P2"))
    told_since = [row.topic for row in ledger.sent].count("alerts") - before
    assert 1 == told_since, "the household's"
