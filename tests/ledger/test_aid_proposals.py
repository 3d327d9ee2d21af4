"""Temporary aid in the ledger: proposed, countersigned by a second person, sent, come in and paid."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from acts import propose_aid as acts
from acts.four_eyes import NoProposal, OwnProposal, TooLate, Unusable
from acts.propose_aid import Granted
from handlers.claims.granting_aid import aid_decided
from infra.ledger import aid_proposals, tables
from infra.ledger.aid_proposals import AidStands
from schemas.aid_records import AidWanted
from schemas.canonical import derived_id
from schemas.ids import PersonId
from tests.support.assured import AID, ASSURED
from tests.support.builders import (
    SHARDS,
    aid,
    aid_void,
    bill,
    coverage,
    death,
    discharge,
    membership,
    policy_text,
    report,
)
from tests.support.ledgers import person_of_shard, waiting_for_locks
from tests.support.outbox import waiting_messages
from tests.support.servers import await_true
from tests.support.village import Village

TODAY = "2025-03-01T12:00:00+08:00"
WANTED = AidWanted(PersonId("P1"), "city", 500_000, False, None, "high bills")
AFTER_DEATH = derived_id("AT", "AFTER_DEATH", "E1")
AID_KIND = "aid.countersigned"


@pytest.fixture
def town(ledger: Engine) -> Village:
    """P1 is known, and the policy has aid of 6,800 and 4,200 yuan, 8,000 a year."""
    made = Village(ledger, ASSURED, guarded=False)
    made.take(coverage())
    return made


def propose(town: Village, wanted: AidWanted = WANTED, by: str = "li.na") -> int:
    with town.ledger.begin() as connection:
        return acts.propose_aid(connection, wanted, by, town.clock)


def countersign(town: Village, number: int, by: str = "wang.wei", seen: int | None = None) -> Granted:
    with town.ledger.begin() as connection:
        return acts.countersign_aid(connection, number, by, SHARDS, town.clock, seen)


def sent(town: Village) -> list[dict[str, Any]]:
    return [json.loads(each.value) for each in waiting_messages(town.ledger, "registry.aids")]


def stands(town: Village, number: int) -> AidStands:
    with town.ledger.connect() as connection:
        found = aid_proposals.stands(connection, number)
    assert found is not None
    return found


def test_an_aid_that_was_countersigned_comes_in_and_is_paid(town: Village) -> None:
    """Nothing is sent before; afterwards it is a fact like any registry's, and the proposal shows how far it came."""
    number = propose(town)
    assert [] == sent(town)
    done = countersign(town, number, seen=500_000)
    assert 500_000 == done.expected
    (event,) = sent(town)
    assert ("li.na", "wang.wei", "5000.00", "2025-03-01") == tuple(
        event[name] for name in ("decided_by", "countersigned_by", "amount", "decided_on")
    )
    found = stands(town, number)
    assert ("approved", None, 0, 0, 0, None) == (found.proposal.decision, *found[1:])
    town.take(event)
    claim_id = found.proposal.claim_id
    assert {claim_id: 500_000} == town.due()
    assert ("adjudicated", 500_000, 500_000, 0) == stands(town, number)[1:5]
    (payout,) = town.payouts(claim_id)
    town.take(report(payout))
    assert ("adjudicated", 500_000, 500_000, 500_000) == stands(town, number)[1:5]
    town.take(aid_void(event["aid_id"]))
    assert ("voided", 0, 0, 500_000) == stands(town, number)[1:5]
    town.check()


def test_who_proposed_does_not_countersign_however_the_name_is_spelt(town: Village) -> None:
    number = propose(town)
    for name in ("li.na", " Li.NA "):
        with pytest.raises(OwnProposal):
            countersign(town, number, name)
    with pytest.raises(NoProposal):
        countersign(town, number + 1)
    assert [] == sent(town)


def test_the_database_refuses_two_names_that_are_one(town: Village) -> None:
    number = propose(town)
    with pytest.raises(IntegrityError, match="aid_proposals_four_eyes"), town.ledger.begin() as connection:
        aid_proposals.decide(connection, number, "li.na", "approved", town.now)


def test_one_aid_a_person_waits_and_none_is_decided_twice(town: Village) -> None:
    number = propose(town)
    with pytest.raises(TooLate):
        propose(town, WANTED._replace(amount=100), "wang.wei")
    countersign(town, number)
    with pytest.raises(TooLate):
        countersign(town, number)
    with pytest.raises(TooLate), town.ledger.begin() as connection:
        acts.reject_aid(connection, number, "no", "wang.wei", town.clock)
    assert 1 == len(sent(town))
    assert propose(town, WANTED._replace(amount=100)) > number


def test_a_rejected_aid_is_never_sent_and_another_one_can_be_proposed(town: Village) -> None:
    number = propose(town)
    with town.ledger.begin() as connection:
        acts.reject_aid(connection, number, "another office pays", "wang.wei", town.clock)
    assert "rejected" == stands(town, number).proposal.decision
    assert [] == sent(town)
    town.now += timedelta(minutes=1)
    assert propose(town) > number
    town.check()


def test_what_changed_meanwhile_is_looked_at_again(town: Village) -> None:
    """Another aid used up some of the year; then a death is recorded. What cannot be granted stays proposed."""
    number = propose(town)
    town.take(aid("A1", "6800.00", decided_on="2025-02-01"))
    with pytest.raises(TooLate):
        countersign(town, number, seen=500_000)
    town.take(death("2025-02-28", occurred_at=TODAY))
    with pytest.raises(Unusable):
        countersign(town, number, seen=120_000)
    assert stands(town, number).proposal.decision is None
    assert [] == sent(town)
    town.take(death("2025-03-01", version=2, occurred_at=TODAY))
    assert 120_000 == countersign(town, number, seen=120_000).expected


def test_what_the_household_got_counts(ledger: Engine) -> None:
    """The cap of a household's year has less left after the aid of another member."""
    capped = AID.replace("cap_per_year", "cap_per_household_year")
    town = Village(ledger, policy_text("household", "2020-01-01", None, capped), guarded=False)
    town.take(membership("M1", "H1", person_id="P1"), membership("M2", "H1", person_id="P2"))
    town.take(aid("A1", "6800.00", decided_on="2025-02-01", person_id="P2"))
    number = propose(town)
    assert 120_000 == countersign(town, number).expected
    with pytest.raises(Unusable):  # nothing has come in yet, and nothing is left
        propose(town, WANTED._replace(person_id=PersonId("P2")))
    town.take(*sent(town))
    assert ("adjudicated", 120_000) == stands(town, number)[1:3]
    town.check()


def test_an_aid_that_is_refused_says_so_and_is_not_on_its_way(town: Village) -> None:
    """Nothing of the year is kept for it, and it is as any other when it was sent again and has come in."""
    number = propose(town, WANTED._replace(amount=600_000))
    countersign(town, number)
    (event,) = sent(town)
    with pytest.raises(TooLate):
        countersign(town, propose(town, WANTED._replace(amount=300_000)), seen=300_000)
    town.take({**event, "level": 7}, {**event, "aid_id": "another", "level": 7})
    with town.ledger.connect() as connection:
        refused = connection.scalars(select(tables.refusals.c.event_no).order_by(tables.refusals.c.event_no)).all()
    assert (None, refused[0]) == (stands(town, number).status, stands(town, number).refused_no)
    with town.ledger.connect() as connection:
        assert [] == aid_proposals.on_the_way(connection, ["P1"])
    town.take(event)
    assert ("adjudicated", 600_000, 600_000, 0, None) == stands(town, number)[1:]
    town.check()


def test_what_a_restored_ledger_reads_of_the_topic_is_not_granted_again(town: Village) -> None:
    """The backup has the proposal and not that somebody countersigned it, and the event comes in."""
    number = propose(town)
    proposal = stands(town, number).proposal
    moment = town.now + timedelta(minutes=1)
    town.take(json.loads(aid_decided(proposal.aid_id, proposal.wanted, "li.na", "wang.wei", moment)))
    assert {proposal.claim_id: 500_000} == town.due()
    with pytest.raises(Unusable):
        countersign(town, number)
    assert [] == sent(town)
    town.check()


def test_of_two_of_a_household_at_the_same_moment_the_second_gets_what_is_left(ledger: Engine) -> None:
    """They are on two shards, and nothing has come in yet of the one who was first."""
    capped = AID.replace("cap_per_year", "cap_per_household_year")
    town = Village(ledger, policy_text("household", "2020-01-01", None, capped), guarded=False)
    one, other = person_of_shard(0), person_of_shard(1)
    town.take(*(membership(f"M-{name}", "H1", person_id=name) for name in (one, other)))
    first, second = (propose(town, WANTED._replace(person_id=PersonId(name))) for name in (one, other))
    with ThreadPoolExecutor(1) as threads:
        with ledger.begin() as connection:
            acts.countersign_aid(connection, first, "wang.wei", SHARDS, town.clock)
            signing = threads.submit(countersign, town, second, "zhao", 500_000)
            assert await_true(lambda: waiting_for_locks(ledger) == 1)
        with pytest.raises(TooLate):
            signing.result()
    assert 300_000 == countersign(town, second, seen=300_000).expected
    town.take(*sent(town))
    assert [500_000, 300_000] == [stands(town, number).due for number in (first, second)]
    town.check()


def test_nothing_is_proposed_for_who_is_not_known_or_with_an_alert_about_somebody_else(town: Village) -> None:
    """The alert stays with the aid: in the event, and in the list of what it led to."""
    for wanted in (
        WANTED._replace(person_id=PersonId("P9")),
        WANTED._replace(alert_id="AT-nothing"),
        WANTED._replace(level="village"),
    ):
        with pytest.raises(Unusable):
            propose(town, wanted)
    late = [discharge("E1", person_id="P2"), bill("S1", "E1", 3000, person_id="P2")]
    town.take(death("2024-02-29", person_id="P2"), *late)
    with pytest.raises(Unusable):
        propose(town, WANTED._replace(alert_id=AFTER_DEATH))
    town.take(death("2025-03-01", version=2, person_id="P2", occurred_at=TODAY))
    number = propose(town, WANTED._replace(person_id=PersonId("P2"), alert_id=AFTER_DEATH))
    countersign(town, number)
    assert AFTER_DEATH == sent(town)[0]["alert_id"]
    with town.ledger.connect() as connection:
        assert [number] == [each.proposal.proposal_no for each in aid_proposals.of_alert(connection, AFTER_DEATH)]
        assert [number] == [each.proposal.proposal_no for each in aid_proposals.of_person(connection, "P2")]
        assert [] == aid_proposals.of_person(connection, "P1")


def test_the_audit_log_names_both_and_never_the_person(town: Village) -> None:
    """The reason is kept without numbers of people, in the event as in the log."""
    number = propose(town, WANTED._replace(reason="see 11010519491231002X"))
    countersign(town, number)
    (event,) = sent(town)
    assert "11010519491231002X" not in event["reason"]
    query = select(tables.audit_entries.c.value).where(tables.audit_entries.c.kind.in_(["replay.proposed", AID_KIND]))
    with town.ledger.connect() as connection:
        entries = [json.loads(bytes(value)) for value in connection.scalars(query)]
    by_kind = {each["kind"]: each for each in entries}
    assert {"replay.proposed": "operator:li.na", AID_KIND: "operator:wang.wei"} == {
        kind: each["actor"] for kind, each in by_kind.items()
    }
    for each in entries:
        assert event["aid_id"] == each["subject"]["aid_id"]
        assert "P1" not in each["subject"].values()
    assert f"aid:{event['aid_id']}" == by_kind[AID_KIND]["subject"]["claim_id"]
    town.check()


def test_those_that_wait_stand_first_and_only_others_are_asked(town: Village) -> None:
    town.take(coverage("C2", person_id="P2"), coverage("C3", person_id="P3"))
    first, second, third = (propose(town, WANTED._replace(person_id=PersonId(name))) for name in ("P1", "P2", "P3"))
    countersign(town, third)
    with town.ledger.connect() as connection:
        count, lines = aid_proposals.page(connection, 2)
        assert (3, [second, first]) == (count, [each.proposal.proposal_no for each in lines])
        assert [third] == [each.proposal.proposal_no for each in aid_proposals.page(connection, 2, 2)[1]]
        assert [0, 2] == [aid_proposals.awaiting(connection, name) for name in ("Li.na", "wang.wei")]
