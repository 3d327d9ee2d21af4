"""The law of reported deaths (time.md, section 6): lists and recorded deaths alone say who has an alert, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from handlers.deaths.compare_list import compare
from handlers.deaths.report_deaths import report_deaths
from schemas.alert_records import AlertChange, AlertRow, AlertState, changed
from schemas.funeral_lists import ListedKind, MatchDeaths
from schemas.policy.model import Policies
from tests.properties.strategies import tried
from tests.support.builders import EmptyLedger, Json, coverage, death, delivery, empty_world, take
from tests.support.funeral_lists import listed

PERSONS, LISTS, DAYS = ("P1", "P2", "P3"), ("A", "B"), ("2024-03-01", "2024-03-02")
Reported = dict[str, dict[str, str]]

editions = st.tuples(st.sampled_from(LISTS), st.dictionaries(st.sampled_from(PERSONS), st.sampled_from(DAYS)))
steps = st.lists(st.one_of(editions, st.sampled_from(PERSONS)), max_size=8)
"""Lists with what they say, and persons whose deaths are recorded."""


class Office:
    """A ledger in memory whose alerts are kept, with three members."""

    def __init__(self) -> None:
        self.world: EmptyLedger = empty_world(Policies())
        self.rows = dict[str, AlertRow]()
        for person_id in PERSONS:
            self.fact(coverage(f"C-{person_id}", person_id=person_id))

    def fact(self, event: Json) -> None:
        self.keep(take(self.world, [delivery(event)]).alerts)

    def list_comes(self, list_id: str, deaths: dict[str, str]) -> None:
        compared = compare(listed(*deaths.items()), {}, self.world.accounts)
        found = [[str(each.person_id), str(each.died_on)] for each in compared if each.kind is ListedKind.CANDIDATE]
        processor = self.world.batch()
        report_deaths(processor, MatchDeaths(list_id, "0" * 64, len(deaths), found, "li.na"))
        self.keep(processor.outcome.alerts)

    def keep(self, changes: Iterable[AlertChange]) -> None:
        for each in changes:
            self.rows[each.alert_id] = changed(self.rows.get(each.alert_id), each)

    def reported(self) -> Reported:
        """What the alerts that stand say, by person and list."""
        standing = [json.loads(row.value or b"") for row in self.rows.values() if row.state is AlertState.OPEN]
        return {told["person_id"]: {each["list_id"]: each["died_on"] for each in told["reported"]} for told in standing}


@tried
@given(steps)
def test_who_has_an_alert_follows_from_the_newest_lists_and_the_recorded_deaths(
    history: list[tuple[str, dict[str, str]] | str],
) -> None:
    """Whoever some list names in its newest edition and is not recorded dead, with each list's day."""
    office, newest, dead = Office(), dict[str, dict[str, str]](), set[str]()
    for version, step in enumerate(history, start=1):
        if isinstance(step, str):
            office.fact(death("2024-03-05", person_id=step, version=version))
            dead.add(step)
        else:
            office.list_comes(*step)
            newest[step[0]] = step[1]
        expected: Reported = {}
        for list_id, deaths in newest.items():
            for person_id, day in deaths.items():
                if person_id not in dead:
                    expected.setdefault(person_id, {})[list_id] = day
        assert expected == office.reported()


@tried
@given(st.permutations(["A", "B", "P1"]))
def test_the_order_of_lists_and_of_a_death_leaves_no_trace(order: list[str]) -> None:
    """The same alerts say the same, whichever came first."""
    office = Office()
    for step in order:
        if step in LISTS:
            office.list_comes(step, {"P1": DAYS[0], "P2": DAYS[LISTS.index(step)]})
        else:
            office.fact(death("2024-03-05", person_id=step))
    assert {"P2": dict(zip(LISTS, DAYS, strict=True))} == office.reported()


def test_a_list_records_no_death() -> None:
    """Nothing is decided otherwise by it."""
    office = Office()
    office.list_comes("A", {"P1": DAYS[0]})
    assert all(account.death is None for account in office.world.accounts.values())
