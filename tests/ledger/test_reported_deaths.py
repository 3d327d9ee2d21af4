"""Funeral lists in a real ledger: taken in by an operator, withdrawn by the death or a later list, and replayed."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, select

from acts.match_deaths import TakenList, UnusableList, UnusableListName
from acts.verify_audit_log import Trust, verify_ledger
from infra.ledger import alert_rows
from infra.ledger.tables import audit_entries, facts
from schemas.alert_records import AlertRow
from schemas.bilingual import Saying
from schemas.canonical import derived_id
from schemas.funeral_lists import FuneralList, UnreadableDeath
from tests.support.acts import close_alert, match_list
from tests.support.builders import SHARDS, bill, coverage, death, membership
from tests.support.covered_person import CoveredPerson
from tests.support.funeral_lists import listed
from tests.support.replayed import assert_replays

ALERT = derived_id("AT", "DEATH_REPORTED", "P1")


class Office(CoveredPerson):
    """P1 of Binhu and P2 are covered; the office gets funeral lists."""

    def __init__(self, ledger: Engine, remembers: bool = True) -> None:
        super().__init__(ledger, remembers)
        self.take(coverage("C9", area="binhu"), bill(), coverage("C2", person_id="P2"))

    def list_comes(self, *deaths: tuple[str, str], list_id: str = "2024-03") -> TakenList:
        return match_list(self.ledger, listed(*deaths), list_id, "li.na", SHARDS, self.clock, None)

    def alert(self) -> AlertRow:
        """The alert about P1."""
        with self.ledger.connect() as connection:
            return alert_rows.named(connection, [ALERT])[ALERT]

    def counts(self) -> dict[str, str]:
        """The state of each alert, by person."""
        with self.ledger.connect() as connection:
            return {str(row.person_id): row.state for row in alert_rows.every(connection)}

    def audited(self) -> list[tuple[str, str, str]]:
        """Kind, actor and shard of what the audit log says of lists and alerts."""
        entry = audit_entries
        with self.ledger.connect() as connection:
            rows = connection.execute(select(entry).order_by(entry.c.event_no, entry.c.shard, entry.c.seq)).all()
        return [(row.kind, row.actor, row.shard) for row in rows if row.kind.startswith(("alert.", "deaths."))]


@pytest.fixture
def office(ledger: Engine) -> Office:
    return Office(ledger)


def test_a_list_raises_an_alert_and_records_no_death(office: Office) -> None:
    """With list and day, under an id that is the person's, in the person's area; nothing is decided by it."""
    decided = office.instructed()
    taken = office.list_comes(("P1", "2024-03-05"), ("P7", "2024-03-05"))
    assert (1, 0) == (taken.raised, taken.withdrawn)
    row = office.alert()
    assert ("open", "DEATH_REPORTED", None, "P1", "binhu") == (
        row.state,
        row.code,
        row.claim_id,
        row.person_id,
        row.area,
    )
    told = json.loads(row.value or b"")
    assert [{"list_id": "2024-03", "died_on": "2024-03-05"}] == told["reported"]
    assert ["deaths.matched", "alert.raised"] == [kind for kind, *_ in office.audited()]
    assert "operator:li.na" == office.audited()[0][1]
    assert decided == office.instructed()
    with office.ledger.connect() as connection:
        assert not connection.execute(select(facts).where(facts.c.kind == "person")).all()
    assert_replays(office.ledger)


def test_the_recorded_death_withdraws_the_alert(office: Office) -> None:
    """Even if somebody had closed it, and once: a corrected day says nothing about it."""
    office.list_comes(("P1", "2024-03-05"))
    close_alert(office.ledger, ALERT, "asked the registry", "li.na", SHARDS, office.clock)
    office.take(death("2024-03-06"))
    assert "withdrawn" == office.alert().state
    office.take(death("2024-03-05", version=2))
    taken = office.list_comes(("P1", "2024-03-05"))
    assert (0, 0) == (taken.raised, taken.withdrawn)
    assert ["alert.raised", "alert.closed", "alert.withdrawn"] == [
        kind for kind, *_ in office.audited() if kind.startswith("alert.")
    ]
    assert_replays(office.ledger)


def test_the_death_of_who_shares_a_household_withdraws_the_alert_too(office: Office) -> None:
    """Their claims are decided later, with those of the others."""
    office.take(membership(), membership("M2", person_id="P2"))
    office.list_comes(("P1", "2024-03-05"))
    office.take(death("2024-03-05"))
    assert {"P1": "withdrawn"} == office.counts()
    assert_replays(office.ledger)


def test_a_later_list_of_the_same_name_replaces_the_one_before(office: Office) -> None:
    """Who is in it no more has no alert, unless another list names them; what did not change stays closed."""
    office.list_comes(("P1", "2024-03-05"), ("P2", "2024-03-05"))
    office.list_comes(("P2", "2024-03-06"), list_id="village")
    close_alert(office.ledger, ALERT, "he is alive", "li.na", SHARDS, office.clock)
    assert (0, 0) == office.list_comes(("P1", "2024-03-05"), ("P2", "2024-03-05"))[1:]
    assert "resolved" == office.alert().state
    assert (1, 1) == office.list_comes()[1:]
    assert {"P1": "withdrawn", "P2": "open"} == office.counts()
    assert (1, 0) == office.list_comes(("P1", "2024-03-05"))[1:]
    assert ("open", None, "he is alive") == (office.alert().state, office.alert().taken_by, office.alert().outcome)
    assert_replays(office.ledger)


def test_a_list_that_nobody_can_read_replaces_nothing(office: Office) -> None:
    """As when a spreadsheet has spoilt its numbers; an empty one says that nobody died."""
    office.list_comes(("P1", "2024-03-05"))
    spoilt = FuneralList([], [UnreadableDeath(2, Saying("不是有效的身份证号", "no identity number"))], "0" * 64)
    with pytest.raises(UnusableList):
        match_list(office.ledger, spoilt, "2024-03", "li.na", SHARDS, office.clock, None)
    assert {"P1": "open"} == office.counts()
    assert (0, 1) == office.list_comes()[1:]


def test_a_list_of_another_month_withdraws_nothing(office: Office) -> None:
    """It says who died in its own month."""
    office.list_comes(("P1", "2024-03-05"))
    office.list_comes(("P2", "2024-04-05"), list_id="2024-04")
    assert {"P1": "open", "P2": "open"} == office.counts()


def test_what_was_taken_in_agrees_with_the_audit_log(office: Office) -> None:
    """Each list is an event with its entry, and each alert is as it was told last."""
    office.list_comes(("P1", "2024-03-05"), ("P2", "2024-03-05"))
    office.list_comes(("P2", "2024-03-05"))
    assert [] == verify_ledger(office.ledger, Trust(()), lambda _: None).findings


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb"])
def test_a_list_has_a_name_that_people_can_write(office: Office, name: str) -> None:
    """Nothing is taken in without."""
    with pytest.raises(UnusableListName):
        office.list_comes(("P1", "2024-03-05"), list_id=name)
    assert [] == office.audited()
