"""Answers to statements in a real ledger: facts of an insurer, which touch no person, claim or book."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import Engine, insert, select, text

from acts.answered_statements import given_answers, standing_answers
from handlers.treaties.statements import statement_id
from infra.ledger import claim_search, clearing_tables, tables
from infra.ledger.statement_answers import insurers_of
from schemas.ids import StatementId
from tests.support.acts import publish_treaty_text
from tests.support.builders import SHARDS, Json, answer, bill, coverage, discharge
from tests.support.covered_person import CoveredPerson
from tests.support.ledgers import contents, dispositions
from tests.support.replayed import assert_replays
from tests.support.stated_town import StatedTown
from tests.support.treaties import treaty_text

UNTOUCHED = ("claims", "decisions", "benefits", "instructions", "payout_states", "postings", "statements")


class Office(CoveredPerson):
    """A treaty, of which one statement was issued to an insurer."""

    def __init__(self, ledger: Engine, remembers: bool) -> None:
        super().__init__(ledger, remembers)
        publish_treaty_text(ledger, treaty_text(), "li.na", SHARDS, self.clock)
        issued = {"statement_id": "ST-1", "treaty_id": "t1", "month": date(2025, 1, 1), "insurer": "insurer-a"}
        with ledger.begin() as connection:
            number = connection.scalar(select(tables.events.c.event_no).where(tables.events.c.disposition == "treaty"))
            row = {**issued, "number": 1, "value": b"{}", "event_no": number}
            connection.execute(insert(clearing_tables.statements), [row])

    def told(self) -> list[Json]:
        """What the audit log says about each answer, in order."""
        query = "SELECT value FROM audit_entries WHERE kind LIKE 'event.%' ORDER BY event_no"
        with self.ledger.connect() as connection:
            entries = [json.loads(bytes(value)) for value in connection.scalars(text(query))]
        return [each["subject"] for each in entries if each["subject"].get("event_type") == "statement.answered"]


@pytest.fixture(params=[True, False], ids=["remembered", "loaded"])
def office(ledger: Engine, request: pytest.FixtureRequest) -> Office:
    """Once with persons remembered between batches, and once loaded for each."""
    return Office(ledger, request.param)


def test_an_answer_is_kept_and_moves_nothing(office: Office) -> None:
    """The audit log says what it answers, and whether there is such a statement of this insurer."""
    office.take(bill())
    before = contents(office.ledger)
    office.take(
        answer(),
        answer(version=2, lines=[1], reasons=["not our insured"]),
        answer("ST-9"),
        answer(version=2, lines=[1], reasons=["not our insured"]),
        answer(insurer="insurer-b", version=3),
    )
    assert ["accepted", "accepted", "accepted", "duplicate", "refused"] == dispositions(office.ledger)[-5:]
    after = contents(office.ledger)
    assert {name: before[name] for name in UNTOUCHED} == {name: after[name] for name in UNTOUCHED}
    said = [(each["id"], each["version"], each.get("verdict"), each.get("matched")) for each in office.told()]
    assert sorted(said, key=str) == [
        ("ST-1", "1", "confirmed", "yes"),
        ("ST-1", "2", "disputed", "yes"),
        ("ST-1", "2", None, None),
        ("ST-9", "1", "confirmed", "no"),
    ]


def test_another_insurers_statement_is_not_matched(office: Office) -> None:
    """Who answers a statement that was issued to somebody else answers none."""
    office.take(answer(insurer="insurer-b"))
    assert ["no"] == [each["matched"] for each in office.told()]
    with office.ledger.connect() as connection:
        known = insurers_of(connection, [StatementId("ST-1"), StatementId("ST-9")])
    assert {"ST-1": "insurer-a"} == known


def test_a_person_who_is_called_as_an_insurer_is_another_one(office: Office) -> None:
    """Their claims are decided as ever, whatever the insurer answers before and in between."""
    with office.ledger.connect() as connection:
        assert not claim_search.person_exists(connection, "insurer-a")
    own: Json = {"person_id": "insurer-a"}
    office.take(answer())
    with office.ledger.connect() as connection:
        assert not claim_search.person_exists(connection, "insurer-a")
    office.take(coverage("C2", **own), discharge("E2", **own))
    office.take(answer(version=2))
    office.take(bill("S2", "E2", **own), answer(version=3, reasons=["late"]))
    office.take(bill("S2", "E2", version=2, copay=4000, **own))
    assert [30_000, 30_000] == [row.amount for each, row in office.instructed() if each["person_id"] == "insurer-a"]
    with office.ledger.connect() as connection:
        assert claim_search.person_exists(connection, "insurer-a")


def test_answers_are_replayed_with_the_statements_that_they_meet(ledger: Engine) -> None:
    """What the audit log says of each, before and after its statement was issued, comes out the same (law 7)."""
    town = StatedTown(ledger)
    name = statement_id("t1", date(2025, 1, 1), "insurer-b")
    town.take(answer(name, "insurer-b"))
    town.set("2025-02-03T09:00:00+08:00")
    assert name in [each.statement_id for each in town.issue("2025-01")]
    town.take(answer(name, "insurer-b", version=2, reasons=["nothing was paid"]), answer("ST-9", "insurer-c"))
    with ledger.connect() as connection:
        given = given_answers(connection)
        standing = standing_answers(connection)
    said = {(each.kept.statement_id, each.kept.version, each.matched, each.replaced) for each in given}
    assert {(name, 1, True, True), (name, 2, True, False), ("ST-9", 1, False, False)} == said
    assert {name: 2} == {each: fact.version for each, fact in standing.items()}
    assert_replays(ledger)
