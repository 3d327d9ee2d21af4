"""Whether an event is news: duplicates, stale versions, conflicts, and ids that belong to somebody else."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.account import Account
from handlers.claims.admit import Disposition, Registry, VersionLine, admit
from schemas.facts import Kind, Subject
from schemas.ids import ClaimId, PersonId
from schemas.refusals import Refusal
from tests.support.builders import (
    Json,
    answer,
    bill,
    contribution,
    contribution_void,
    coverage,
    coverage_void,
    death,
    discharge,
    membership,
    membership_void,
    pool,
    reading,
    report,
    unhurried,
    void,
)


def dispositions(*events: Json) -> list[str]:
    """What became of each of these events, in this order."""
    registry: Registry = {}
    return [said(admit(reading(event), registry)) for event in events]


def said(outcome: Disposition | Refusal) -> str:
    return outcome.code if isinstance(outcome, Refusal) else outcome


SENT_TWICE = {"event_id": "sent-again", "occurred_at": "2025-01-05T12:00:00+08:00"}
LINES = [
    [discharge(), discharge(version=2)],
    [bill(), bill(version=2, copay=5)],
    [bill(), void(version=2)],
    [coverage(), coverage(version=2, category="dibao")],
    [coverage(), coverage_void(version=2)],
    [membership(), membership(version=2, household_id="HH2")],
    [membership(), membership_void(version=2)],
    [membership_void(version=1), membership(version=2)],
    [death(), death("2024-03-09", version=2)],
    [answer(), answer(version=2, reasons=["paid twice"])],
    [pool(), pool(version=2, on_shortage="owe")],
    [contribution(), contribution(version=2, yuan=900)],
    [contribution(), contribution_void()],
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line[0]['event_type']}-{line[1]['event_type']}")
def test_the_versions_of_an_id_form_one_line(line: list[Json]) -> None:
    """In order both are accepted; the older one after the newer one is stale; each again is a duplicate."""
    older, newer = line
    assert ["accepted", "accepted"] == dispositions(older, newer)
    assert ["accepted", "stale"] == dispositions(newer, older)
    assert ["accepted", "duplicate"] == dispositions(older, older)
    assert ["accepted", "duplicate"] == dispositions(older, {**older, **SENT_TWICE})
    assert ["accepted", "accepted", "duplicate", "duplicate"] == dispositions(older, newer, older, newer)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (discharge(), discharge(discharged_on="2024-03-11")),
        (bill(), bill(copay=3001)),
        (bill(), void(version=1)),
        (bill(), bill(unknown_field="x")),
        (bill(), bill(source="another sender")),
        (coverage(), coverage(category="dibao")),
        (membership(), membership(household_id="HH2")),
        (membership(), membership(unit="single")),
        (membership(), membership(role="head")),
        (membership(version=2), membership_void(version=2)),
        (death(), death("2024-03-06")),
        (answer(), answer(reasons=["paid twice"])),
        (answer(reasons=["paid twice"]), answer(reasons=["paid twice"], lines=[1])),
    ],
)
def test_one_version_has_one_content(first: Json, second: Json) -> None:
    """The same id and version with other content is a conflict, whichever came first; the first one stands."""
    assert ["accepted", "VERSION_CONFLICT", "duplicate"] == dispositions(first, second, first)
    assert ["accepted", "VERSION_CONFLICT", "duplicate"] == dispositions(second, first, second)


def test_a_conflict_with_an_older_accepted_version_is_a_conflict() -> None:
    """An older version that was accepted is compared too, and not merely called stale."""
    assert ["accepted", "accepted", "VERSION_CONFLICT"] == dispositions(bill(), bill(version=2), bill(copay=1))


def test_a_stale_version_leaves_no_trace() -> None:
    """What was never accepted cannot be in conflict: the same stale version with other content is stale again."""
    assert ["accepted", "stale", "stale"] == dispositions(bill(version=3), bill(version=2), bill(version=2, copay=1))


def test_versions_may_be_left_out() -> None:
    """A sender's numbers need not be adjacent."""
    assert ["accepted", "accepted", "stale"] == dispositions(death(version=3), death(version=90), death(version=50))


@pytest.mark.parametrize(
    ("first", "second", "pointers"),
    [
        (discharge(), discharge(person_id="P2", version=2), ("/person_id", "/encounter_id")),
        (bill(), bill(person_id="P2", version=2), ("/person_id", "/settlement_id")),
        (bill(), void(person_id="P2"), ("/person_id", "/settlement_id")),
        (bill(), bill("S2", person_id="P2"), ("/person_id", "/encounter_id")),
        (bill(), discharge(person_id="P2"), ("/person_id", "/encounter_id")),
        (discharge(), bill(person_id="P2"), ("/person_id", "/encounter_id")),
        (coverage(), coverage(person_id="P2", version=2), ("/person_id", "/coverage_id")),
        (coverage(), coverage_void(person_id="P2"), ("/person_id", "/coverage_id")),
        (membership(), membership(person_id="P2", version=2), ("/person_id", "/membership_id")),
        (membership(), membership_void(person_id="P2"), ("/person_id", "/membership_id")),
        (bill(), bill(encounter_id="E2", version=2), ("/encounter_id", "/settlement_id")),
        (bill(), void(encounter_id="E2"), ("/encounter_id", "/settlement_id")),
        (answer(), answer(insurer="insurer-b", version=2), ("/insurer_id", "/statement_id")),
    ],
)
def test_an_id_belongs_to_one_person_and_a_settlement_to_one_encounter(
    first: Json, second: Json, pointers: tuple[str, ...]
) -> None:
    """Another person's or another encounter's event under a known id is refused, whichever came first."""
    for one, other in ((first, second), (second, first)):
        registry: Registry = {}
        assert Disposition.ACCEPTED is admit(reading(one), registry)
        refusal = admit(reading(other), registry)
        assert isinstance(refusal, Refusal)
        assert ("PERSON_MISMATCH", pointers) == (refusal.code, refusal.pointers)


def test_the_wrong_person_comes_before_the_wrong_content() -> None:
    """The same id and version under another person is a question of whose it is."""
    assert ["accepted", "PERSON_MISMATCH"] == dispositions(bill(), bill(person_id="P2", copay=1))


def test_a_refused_event_binds_nothing() -> None:
    """A settlement refused for its encounter does not bind its own id to the wrong person."""
    events = [discharge(), bill(person_id="P2"), bill("S1", "E2", person_id="P3")]
    assert ["accepted", "PERSON_MISMATCH", "accepted"] == dispositions(*events)


def test_a_refused_event_leaves_the_registry_as_it_was() -> None:
    """Duplicate, stale and refused events change nothing that later events are held against."""
    registry: Registry = {}
    for event in (bill(version=2), death()):
        admit(reading(event), registry)
    before = {
        subject: VersionLine(line.person_id, line.encounter_id, dict(line.contents))
        for subject, line in registry.items()
    }
    events = [
        bill(version=2),
        bill(),
        bill(version=2, copay=1),
        bill(version=3, encounter_id="E2"),
        discharge(person_id="P2"),
    ]
    found = [said(admit(reading(event), registry)) for event in events]
    assert ["duplicate", "stale", "VERSION_CONFLICT", "PERSON_MISMATCH", "PERSON_MISMATCH"] == found
    assert before == registry


def test_a_settlement_binds_itself_and_its_encounter() -> None:
    """The encounter belongs to the person as soon as a bill names it, before any discharge."""
    registry: Registry = {}
    admit(reading(bill()), registry)
    assert {Subject(Kind.SETTLEMENT, "S1"), Subject(Kind.ENCOUNTER, "E1")} == registry.keys()
    assert ("P1", "E1") == (
        registry[Subject(Kind.SETTLEMENT, "S1")].person_id,
        registry[Subject(Kind.SETTLEMENT, "S1")].encounter_id,
    )


def test_ids_of_different_kinds_do_not_meet() -> None:
    """One sender's settlement may be called like another's encounter, coverage, person or payout."""
    events = [discharge("X"), bill("X", "Y", person_id="P2"), coverage("X", person_id="P3"), death(person_id="X")]
    assert ["accepted"] * 6 == dispositions(*events, report("X", person_id="P4"), answer("X", "insurer-a"))


def test_a_report_is_a_duplicate_only_of_the_same_report() -> None:
    """Payout reports have no version: each new content is news, the same content again is none."""
    failed, paid = report(status="failed"), report(status="paid")
    assert ["accepted", "accepted", "duplicate", "duplicate"] == dispositions(
        failed, paid, failed, {**paid, **SENT_TWICE}
    )


def state_of(events: list[Json]) -> Account:
    """The account that remains when these events have come in this order."""
    registry: Registry = {}
    account = Account(PersonId("P1"))
    for event in events:
        news = reading(event)
        if admit(news, registry) is Disposition.ACCEPTED:
            account.apply(news.fact)
    return account


HISTORY = [
    discharge(),
    discharge(version=2, discharged_on="2024-03-12"),
    bill(),
    bill(version=2, copay=4),
    void(version=3),
    bill("S2", copay=70),
    coverage(),
    coverage_void(version=2),
    coverage("C2", "dibao"),
    membership(),
    membership(version=2, valid_to="2024-03-01"),
    membership_void(version=3),
    membership("M2", "HH2"),
    death(),
    death("2024-03-12", version=2),
]


@unhurried
@given(st.permutations(HISTORY), st.lists(st.sampled_from(HISTORY), max_size=6))
def test_the_accepted_state_does_not_depend_on_order_or_repetition(events: list[Json], repeated: list[Json]) -> None:
    """Any order of a history, with any of it repeated, leaves the account that its own order leaves."""
    assert state_of(HISTORY) == state_of([*events, *repeated])


def test_every_order_of_three_versions_keeps_the_newest() -> None:
    """All six orders of a bill, its correction and its voiding end with the voiding."""
    for order in permutations([bill(), bill(version=2, copay=1), void(version=3)]):
        newest = state_of(list(order)).settlements[ClaimId("E1")]["S1"]
        assert 3 == newest.version
