"""Alerts in a real ledger: raised, taken, closed, withdrawn and raised again, and who may change what."""

from __future__ import annotations

import json
from importlib import import_module

import pytest
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.exc import DBAPIError

from acts.deal_with_alert import NoSuchAlert, NotLive
from acts.verify_audit_log import Trust, verify_ledger
from handlers.claims.settle import payout_id_of
from infra.ledger import alert_rows
from infra.ledger.alert_tables import alerts
from infra.ledger.tables import audit_entries
from schemas.alert_records import AlertRow
from schemas.canonical import derived_id
from schemas.ids import EncounterId, claim_of
from tests.support.acts import close_alert, take_alert
from tests.support.builders import SHARDS, bill, coverage, death, discharge, report
from tests.support.covered_person import CoveredPerson
from tests.support.replayed import assert_replays

MIGRATION = import_module("infra.ledger.migrations.versions.0019_alerts")
AFTER_DEATH = derived_id("AT", "AFTER_DEATH", "E1")


class Office(CoveredPerson):
    """A person who was admitted, as the records say, after the day of death, and the office that looks at it."""

    def __init__(self, ledger: Engine) -> None:
        super().__init__(ledger, remembers=False)
        self.take(coverage("C9", area="binhu"), bill())

    def dies(self, died_on: str, version: int) -> None:
        self.take(death(died_on, version=version))

    def taken(self, operator: str = "li.na") -> None:
        take_alert(self.ledger, AFTER_DEATH, operator, SHARDS, self.clock)

    def closed(self, operator: str = "wang.fang") -> None:
        close_alert(self.ledger, AFTER_DEATH, "called the village", operator, SHARDS, self.clock)

    def alert(self) -> AlertRow:
        (row,) = self.alerts()
        return row

    def alerts(self) -> list[AlertRow]:
        with self.ledger.connect() as connection:
            return alert_rows.every(connection)

    def audited(self) -> list[tuple[str, str, dict[str, str]]]:
        """Kind, actor and subject of the entries about alerts."""
        entry = audit_entries
        with self.ledger.connect() as connection:
            rows = connection.execute(select(entry).order_by(entry.c.event_no, entry.c.seq)).all()
        told = [(row.kind, row.actor, json.loads(row.value)["subject"]) for row in rows]
        return [each for each in told if each[0].startswith("alert.")]


@pytest.fixture
def office(ledger: Engine) -> Office:
    return Office(ledger)


def test_an_alert_is_open_until_somebody_takes_and_closes_it(office: Office) -> None:
    """Its row says what it is about, since when, who took it and what was done; each step has its audit entry."""
    office.dies("2024-02-29", 1)
    raised = office.alert()
    assert ("open", "AFTER_DEATH", "E1", "P1", "binhu") == (
        *(raised.state, raised.code, raised.claim_id, raised.person_id, raised.area),
    )
    office.taken()
    assert ("acknowledged", "li.na", None) == (office.alert().state, office.alert().taken_by, office.alert().closed_by)
    office.closed()
    row = office.alert()
    assert ("resolved", "wang.fang", "called the village") == (row.state, row.closed_by, row.outcome)
    assert (raised.raised_no, raised.raised_at) == (row.raised_no, row.raised_at)
    about = {"alert_id": AFTER_DEATH}
    assert office.audited() == [
        ("alert.raised", "huzhu", about | {"code": "AFTER_DEATH", "claim_id": "E1"}),
        ("alert.taken", "operator:li.na", about),
        ("alert.closed", "operator:wang.fang", about | {"outcome": "called the village"}),
    ]
    assert_replays(office.ledger)


@pytest.mark.parametrize("closed", [True, False])
def test_an_alert_whose_reason_is_gone_is_withdrawn_and_opens_again_when_it_is_back(
    office: Office, closed: bool
) -> None:
    """Under the same id and without an owner, since it was raised again, though somebody had taken or closed it."""
    office.dies("2024-02-29", 1)
    office.closed() if closed else office.taken()
    office.dies("2024-03-05", 2)
    assert "withdrawn" == office.alert().state
    office.dies("2024-02-28", 3)
    row = office.alert()
    assert (AFTER_DEATH, "open", None) == (row.alert_id, row.state, row.taken_by)
    assert (row.raised_no, "called the village" if closed else None) == (row.changed_no, row.outcome)
    assert_replays(office.ledger)


def test_an_alert_goes_and_comes_in_one_batch_as_in_three(office: Office) -> None:
    """Whoever had it before has it no longer, however the events were cut."""
    office.dies("2024-02-29", 1)
    office.taken()
    office.take(death("2024-03-05", version=2), death("2024-02-28", version=3))
    assert ("open", None) == (office.alert().state, office.alert().taken_by)
    assert_replays(office.ledger)


def test_an_alert_that_is_told_again_stays_whose_it_is(office: Office) -> None:
    """Another amount does not take it away from who is looking at it, but opens it if it was closed."""
    bills = [bill(version=n, advances=[{"scheme_id": "village_mutual_aid", "amount": f"{n}00.00"}]) for n in (5, 6, 7)]
    office.take(bills[0])
    name = office.alert().alert_id
    take_alert(office.ledger, name, "li.na", SHARDS, office.clock)
    office.take(bills[1])
    assert ("acknowledged", "li.na") == (office.alert().state, office.alert().taken_by)
    assert b'"amount":"300.00"' in (office.alert().value or b"")
    close_alert(office.ledger, name, "told the hospital", "li.na", SHARDS, office.clock)
    office.take(bills[2])
    assert ("open", None) == (office.alert().state, office.alert().taken_by)
    assert_replays(office.ledger)


def test_only_a_live_alert_can_be_taken_or_closed(office: Office) -> None:
    """What was closed, withdrawn or never raised is refused, and nothing is written."""
    with pytest.raises(NoSuchAlert, match="no alert AT-"):
        office.taken()
    office.dies("2024-02-29", 1)
    office.closed()
    for act in (office.taken, office.closed):
        with pytest.raises(NotLive, match="is closed"):
            act()
    office.dies("2024-03-05", 2)
    with pytest.raises(NotLive, match="is withdrawn"):
        office.taken()
    assert ["alert.raised", "alert.closed", "alert.withdrawn"] == [kind for kind, *_ in office.audited()]


def test_a_report_that_came_before_its_payout_is_no_mystery_any_more(office: Office) -> None:
    """Its alert is withdrawn with the instruction; what the reports contradict is looked at from then on."""
    ahead = payout_id_of(claim_of(EncounterId("E2")), "village_mutual_aid", 1)
    office.take(report(ahead), report(ahead, reference="another"))
    assert [("REPORT_UNMATCHED", "open")] == [(row.code, row.state) for row in office.alerts()]
    office.take(discharge("E2", "2024-04-10", admitted_on="2024-04-01"), bill("S2", "E2"))
    found = {row.code: (row.state, row.claim_id) for row in office.alerts()}
    assert {"REPORT_UNMATCHED": ("withdrawn", "E2"), "REPORT_CONTRADICTS": ("open", "E2")} == found
    assert_replays(office.ledger)


@pytest.mark.parametrize(
    "change",
    ["code = 'NO_POOL'", "person_id = 'P2'", "changed_no = 1", "raised_no = 1", "alert_id = 'AT-1'", "state = 'gone'",
     "state = 'acknowledged'", "state = 'resolved'", "pool_id = 'V1'"],
)  # fmt: skip
def test_the_database_refuses_what_no_act_does_to_an_alert(office: Office, change: str) -> None:
    """What it is about stays, its changes go forward, and nobody takes or closes it without a name."""
    office.dies("2024-02-29", 1)
    with pytest.raises(DBAPIError), office.ledger.begin() as connection:
        connection.execute(text(f"UPDATE alerts SET {change}"))


def test_no_alert_is_ever_deleted(office: Office) -> None:
    """Closed and withdrawn ones stay."""
    office.dies("2024-02-29", 1)
    with pytest.raises(DBAPIError, match="insert-only"), office.ledger.begin() as connection:
        connection.execute(delete(alerts))


def test_the_audit_log_notices_an_alert_that_was_changed(office: Office) -> None:
    """What was told last is what its newest entry has hashed, and each alert has an entry."""
    office.dies("2024-02-29", 1)
    assert [] == found(office.ledger)
    with office.ledger.begin() as connection:
        connection.execute(update(alerts).values(value=b"{}"))
    assert [f"the alert {AFTER_DEATH} is not as the audit log has it"] == found(office.ledger)


def found(ledger: Engine) -> list[str]:
    """What is wrong with the audit log and what it is about."""
    return [each.saying.en for each in verify_ledger(ledger, Trust(()), lambda _: None).findings]


def test_alerts_of_earlier_releases_are_found_again(ledger: Engine) -> None:
    """Migrating knows those that claims and reports still show, under the ids that they get today."""
    office = Office(ledger)
    office.dies("2024-02-29", 1)
    office.take(report("PO-nobody"))
    unpaid = bill(
        "S2", "E2", advances=[{"scheme_id": "nowhere", "amount": "5.00"}], settled_at="2024-02-28T10:00:00+08:00"
    )
    office.take(discharge("E2", "2024-02-28", admitted_on="2024-02-20"), unpaid)
    (paid,) = [row.payout_id for _, row in office.instructed() if row.claim_id == "E2"]
    office.take(report(paid), report(paid, reference="another"))
    expected = {(row.alert_id, row.code, row.claim_id, row.person_id, row.payout_id) for row in office.alerts()}
    assert 4 == len(expected)
    with ledger.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(delete(alerts))
        for each in (MIGRATION.DERIVED, MIGRATION.OF_CLAIMS, MIGRATION.OF_REPORTS):
            connection.execute(text(each))
    assert expected == {(row.alert_id, row.code, row.claim_id, row.person_id, row.payout_id) for row in office.alerts()}
    assert {("open", None)} == {(row.state, row.value) for row in office.alerts()}
