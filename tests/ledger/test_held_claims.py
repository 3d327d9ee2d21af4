"""A claim twice in a real ledger: what is held is not paid, what was paid stays paid, and two people release it."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from acts import release_hold
from acts.four_eyes import OwnProposal, TooLate
from acts.release_hold import Hold, NotHeld
from handlers.claims.payout_reports import NotReissuable
from infra.ledger.alert_tables import alerts
from tests.ledger.held_stays import HOLDING, POLICY_THAT_HOLDS, stay
from tests.support.builders import POLICY, SHARDS, bill, contribution, death, discharge, pool, report, void
from tests.support.pools import POOL_POLICY, villager
from tests.support.village import Village


def release(village: Village, claim_id: str) -> Hold:
    """One proposes, another one approves."""
    with village.ledger.begin() as connection:
        number = release_hold.propose(connection, claim_id, "both are right", "li.na", SHARDS, village.clock)
    with village.ledger.begin() as connection:
        return release_hold.approve(connection, number, "wang.wei", SHARDS, village.clock)


def paid(village: Village) -> list[tuple[str, str, int]]:
    return [(each.claim_id, each.kind, each.amount) for each in village.orders()]


@pytest.fixture
def village(ledger: Engine) -> Village:
    """A ledger whose policy holds what may be there twice."""
    return Village(ledger, POLICY_THAT_HOLDS)


def test_an_invoice_of_two_persons_holds_both_and_takes_nothing_back(village: Village) -> None:
    village.take(*stay("P1", invoice_no="X"))
    village.take(*stay("P2", invoice_no="X"))
    assert [("E-P1", "payment", 30_000)] == paid(village)
    assert {"E-P1": 30_000, "E-P2": 30_000} == village.due()
    assert {"E-P1": 30_000, "E-P2": 0} == village.released()
    codes = [(kind, code, about) for kind, code, about in village.alerts() if code == "DUPLICATE_INVOICE"]
    assert [("alert.raised", "DUPLICATE_INVOICE", name) for name in ("E-P1", "E-P2")] == sorted(codes)
    for claim_id in ("E-P1", "E-P2"):
        assert village.decisions(claim_id)[-1]["held"] is True
    village.check()


def test_all_in_one_batch_are_held_too(village: Village) -> None:
    """Whoever's event comes first in the batch is paid before the other is known."""
    village.take(*stay("P1", invoice_no="X"), *stay("P2", invoice_no="X"), *stay("P3", invoice_no="X"))
    assert {"E-P1": 30_000, "E-P2": 0, "E-P3": 0} == village.released()
    village.check()


def test_a_void_of_the_one_releases_the_other(village: Village) -> None:
    village.take(*stay("P1", invoice_no="X"))
    village.take(*stay("P2", invoice_no="X"))
    village.take(void("S-E-P1", "E-P1", person_id="P1"))
    assert [("E-P1", "payment", 30_000), ("E-P1", "recovery", 30_000), ("E-P2", "payment", 30_000)] == paid(village)
    assert "held" not in village.decisions("E-P2")[-1]
    assert 2 == sum(kind == "alert.withdrawn" for kind, *_ in village.alerts())
    village.check()


def test_stays_that_share_a_night_are_held_and_a_correction_releases_them(village: Village) -> None:
    village.take(*stay("P1", "2024-03-01", "2024-03-10"))
    village.take(*stay("P1", "2024-03-09", "2024-03-12", claim="E2"))
    assert {"E-P1": 30_000, "E2": 0} == village.released()
    village.take(discharge("E2", "2024-03-12", admitted_on="2024-03-10", person_id="P1", version=2))
    assert {"E-P1": 30_000, "E2": 30_000} == village.released()
    village.check()


def test_a_claim_that_is_held_still_gives_back(village: Village) -> None:
    village.take(*stay("P1", invoice_no="X"), *stay("P2", invoice_no="X"))
    village.take(bill("S-E-P1", "E-P1", 2500, person_id="P1", version=2, invoice_no="X"))
    assert [("E-P1", "payment", 30_000), ("E-P1", "recovery", 15_000)] == paid(village)
    village.take(bill("S-E-P1", "E-P1", 3000, person_id="P1", version=3, invoice_no="X"))
    assert {"E-P1": 15_000, "E-P2": 0} == village.released()
    village.check()


def test_two_people_release_a_claim_and_it_is_paid(village: Village) -> None:
    village.take(*stay("P1", invoice_no="X"), *stay("P2", invoice_no="X"))
    hold = release(village, "E-P2")
    assert [["DUPLICATE_INVOICE", "X", "E-P1"]] == hold.found
    assert {"E-P1": 30_000, "E-P2": 30_000} == village.released()
    assert "held" not in village.decisions("E-P2")[-1]
    assert village.decisions("E-P1")[-1]["held"] is True
    with village.ledger.connect() as connection:
        rows = connection.execute(select(alerts.c.claim_id, alerts.c.state, alerts.c.closed_by)).all()
    assert {("E-P1", "open", None), ("E-P2", "resolved", "wang.wei")} == {tuple(row) for row in rows}
    with village.ledger.begin() as connection, pytest.raises(NotHeld):
        release_hold.propose(connection, "E-P2", "again", "li.na", SHARDS, village.clock)
    village.check()


def test_a_third_claim_holds_what_was_released_again(village: Village) -> None:
    """Two people have looked at the second one only; what was paid meanwhile stays paid."""
    village.take(*stay("P1", invoice_no="X"), *stay("P2", invoice_no="X"))
    release(village, "E-P2")
    village.take(*stay("P3", invoice_no="X"))
    assert village.decisions("E-P2")[-1]["held"] is True
    assert {"E-P1": 30_000, "E-P2": 30_000, "E-P3": 0} == village.released()
    village.check()


def test_a_release_closes_only_what_it_is_about(village: Village) -> None:
    """What was closed by an earlier release stays as those two people left it."""
    village.take(*stay("P1", invoice_no="X"), *stay("P2", invoice_no="X"))
    release(village, "E-P2")
    village.take(bill("S2", "E-P2", person_id="P2", invoice_no="Y"), *stay("P3", invoice_no="Y"))
    assert [["DUPLICATE_INVOICE", "Y", "E-P3"]] == release(village, "E-P2").found
    closed = select(alerts.c.changed_no).where(alerts.c.claim_id == "E-P2", alerts.c.state == "resolved")
    with village.ledger.connect() as connection:
        by_release = connection.scalars(closed).all()
    assert 2 == len(by_release) == len(set(by_release))
    village.check()


def test_whoever_proposes_cannot_approve(village: Village) -> None:
    village.take(*stay("P1", invoice_no="X"), *stay("P2", invoice_no="X"))
    with village.ledger.begin() as connection:
        number = release_hold.propose(connection, "E-P2", "right", "li.na", SHARDS, village.clock)
        with pytest.raises(TooLate):
            release_hold.propose(connection, "E-P2", "right", "wang.wei", SHARDS, village.clock)
        with pytest.raises(OwnProposal):
            release_hold.approve(connection, number, "li.na", SHARDS, village.clock)
    village.take(*stay("P3", invoice_no="X"))
    with village.ledger.begin() as connection, pytest.raises(TooLate):
        release_hold.approve(connection, number, "wang.wei", SHARDS, village.clock, "what was seen before")
    with village.ledger.begin() as connection:
        release_hold.reject(connection, number, "which of the three?", "wang.wei", village.clock)
    assert {"E-P1": 30_000, "E-P2": 0, "E-P3": 0} == village.released()
    village.check()


def test_a_failed_payout_of_a_claim_that_is_held_is_not_ordered_again(village: Village) -> None:
    village.take(*stay("P1", invoice_no="X"))
    (payout_id,) = village.payouts("E-P1")
    village.take(report(payout_id, status="failed", person_id="P1"), *stay("P2", invoice_no="X"))
    with pytest.raises(NotReissuable, match="E-P1 is held"):
        village.reissue(payout_id)
    release(village, "E-P1")
    village.reissue(payout_id)
    village.check()


def test_what_a_hospital_took_off_later_is_not_paid_while_the_claim_is_held(village: Village) -> None:
    """The person, who has it already, gives it back; the hospital gets it with the release."""
    village.take(*stay("P1", invoice_no="X"))
    village.take(*stay("P2", invoice_no="X"))
    (scheme,) = {each["scheme_id"] for each in village.decisions("E-P1")[-1]["benefits"] if each["benefit"] != "0.00"}
    advance = [{"scheme_id": scheme, "amount": "300.00"}]
    village.take(bill("S-E-P1", "E-P1", person_id="P1", version=2, invoice_no="X", advances=advance))
    assert [("E-P1", "payment", 30_000), ("E-P1", "recovery", 30_000)] == paid(village)
    release(village, "E-P1")
    assert [("E-P1", "payment", 30_000)] == paid(village)[2:]
    assert "H1" == village.orders()[-1].payee_id
    village.check()


def test_a_policy_that_only_alerts_pays(ledger: Engine) -> None:
    village = Village(ledger, POLICY)
    village.take(*stay("P1", invoice_no="X"), *stay("P2", invoice_no="X"))
    assert {"E-P1": 30_000, "E-P2": 30_000} == village.released()
    assert ["DUPLICATE_INVOICE"] == village.decisions("E-P1")[-1]["alerts"]
    village.check()


def test_what_is_held_is_in_no_queue(ledger: Engine) -> None:
    """The pool pays the next one, and the claim in its place once it is released."""
    village = Village(ledger, POOL_POLICY.replace("[[scheme]]", HOLDING, 1))
    village.take(pool(), *villager("P1", "2024-03-01", 300), *villager("P2", "2024-03-02", 300))
    assert {"E-P1": 30_000, "E-P2": 30_000} == village.waiting()
    first, second = (
        bill(f"S-{person}", f"E-{person}", 2600, person_id=person, version=2, invoice_no="X") for person in ("P1", "P9")
    )
    village.take(first, *villager("P9", "2024-03-09", 300), second)
    village.take(contribution(yuan=300))
    assert {"E-P1": 0, "E-P2": 30_000, "E-P9": 0} == village.released()
    release(village, "E-P1")
    village.take(contribution("G2", yuan=300))
    assert {"E-P1": 30_000, "E-P2": 30_000, "E-P9": 0} == village.released()
    village.check()


def test_a_policy_checks_claims_that_it_does_not_pay(ledger: Engine) -> None:
    """Whether it is published before or after them: those of whom the last bill is missing, and those after a death."""
    village = Village(ledger, None)
    interim = stay("P1", invoice_no="X", final=False), stay("P2", invoice_no="X", final=False)
    late = stay("P3", "2024-03-01", "2024-03-10"), stay("P3", "2024-03-09", "2024-03-12", claim="E2")
    village.take(*interim[0], *interim[1], death("2024-02-01", person_id="P3"), *late[0], *late[1])
    names = ("E-P1", "E-P2", "E-P3", "E2")
    assert ["incomplete", "incomplete", "after_death", "after_death"] == [
        village.decisions(name)[-1]["status"] for name in names
    ]
    assert not any("held" in village.decisions(name)[-1] for name in names)
    village.publish(POLICY_THAT_HOLDS)
    assert all(village.decisions(name)[-1]["held"] for name in names)
    village.check()
