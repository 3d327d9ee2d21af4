"""Recoveries that an operator sets off against the person's next payments, or waives, in a real ledger."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, event

from acts.four_eyes import NoProposal, OwnProposal, TooLate
from acts.reissue_payout import NoSuchPayout
from acts.settle_recovery import approve, propose, reject
from handlers.claims.payout_reports import NotReissuable
from handlers.claims.recoveries import NotSettleable
from infra.ledger import clearing_proposals
from schemas.clearing_acts import ClearingAct
from schemas.records import Manner
from tests.support.acts import publish_treaty_text, reissue
from tests.support.builders import SHARDS, bill, discharge
from tests.support.debtor import Debtor
from tests.support.ledgers import at_once, patiently
from tests.support.replayed import assert_replays
from tests.support.treaties import treaty_text

SET_OFF, WAIVED = Manner.SET_OFF, Manner.WAIVED


@pytest.fixture(params=[True, False], ids=["remembered", "loaded"])
def debtor(ledger: Engine, request: pytest.FixtureRequest) -> Debtor:
    """Once with the person remembered between batches, and once loaded for each."""
    return Debtor(ledger, request.param)


def test_the_next_payment_is_less_what_is_owed(debtor: Debtor) -> None:
    """What is kept back is an order of its own; a smaller payment is kept back whole, and the next ones go on."""
    debtor.settle(SET_OFF)
    assert {debtor.recovery: ("set_off", 15_000)} == debtor.left()
    debtor.stay(4, 2100)
    debtor.stay(5)
    debtor.stay(6)
    name = debtor.recovery
    assert debtor.told()[2:] == [
        ("E4", "payment", 3_000, name),
        ("E5", "payment", 12_000, name),
        ("E5", "payment", 18_000, None),
        ("E6", "payment", 30_000, None),
    ]
    assert {name: ("set_off", 0)} == debtor.left()
    assert debtor.balances() == {"expense:village_mutual_aid": 78_000, "payable:fund:person": -78_000}
    assert [("recovery.set_off", "operator:li.na")] == debtor.audited("recovery")
    assert_replays(debtor.ledger)


def test_what_is_waived_is_a_loss(debtor: Debtor) -> None:
    """The next payment is whole, the instruction stays, and nobody owes anything."""
    debtor.settle(WAIVED)
    debtor.stay(4)
    assert [("E4", "payment", 30_000, None)] == debtor.told()[2:]
    assert {debtor.recovery: ("waived", 0)} == debtor.left()
    assert debtor.balances() == {
        "expense:village_mutual_aid": 45_000,
        "payable:fund:person": -60_000,
        "waived:village_mutual_aid": 15_000,
    }
    assert [("recovery.waived", "operator:li.na")] == debtor.audited("recovery")
    assert_replays(debtor.ledger)


def test_the_oldest_act_comes_first(debtor: Debtor) -> None:
    """Of two recoveries the one that was set off first is kept back first, in one batch with what comes next."""
    debtor.take(bill(version=3, copay=2100))
    later = debtor.payouts[-1]
    debtor.settle(SET_OFF, later)
    debtor.settle(SET_OFF)
    debtor.take(discharge("E4", "2024-04-20"), bill("S4", "E4"), discharge("E5", "2024-05-20"), bill("S5", "E5"))
    assert debtor.told()[3:] == [
        ("E4", "payment", 12_000, later),
        ("E4", "payment", 15_000, debtor.recovery),
        ("E4", "payment", 3_000, None),
        ("E5", "payment", 30_000, None),
    ]
    assert_replays(debtor.ledger)


def test_nothing_is_kept_back_for_another_payer(debtor: Debtor) -> None:
    """What the fund has to get back does not lower what an insurer pays, but what the fund pays later."""
    publish_treaty_text(debtor.ledger, treaty_text(first="2024-04-01"), "li.na", SHARDS, debtor.clock)
    debtor.settle(SET_OFF)
    debtor.stay(4)
    assert [("E4", "payment", 30_000, None)] == debtor.told()[2:]
    debtor.stay(3)
    assert [("E3", "payment", 15_000, debtor.recovery), ("E3", "payment", 15_000, None)] == debtor.told()[3:]
    assert_replays(debtor.ledger)


def test_a_hospital_is_paid_whole(debtor: Debtor) -> None:
    """What it advanced is not kept back for what its patient owes; the patient's part is."""
    debtor.settle(SET_OFF)
    advanced = [{"scheme_id": "village_mutual_aid", "amount": "200.00"}]
    debtor.take(discharge("E4", "2024-04-20"), bill("S4", "E4", advances=advanced))
    assert {("", 10_000, debtor.recovery), ("H1", 20_000, None)} == {
        (row.payee_id, row.amount, row.set_off_of) for _, row in debtor.instructed()[2:]
    }
    debtor.take(bill("S4", "E4", 2100, version=2, advances=advanced))
    rows = [row for _, row in debtor.instructed()]
    (from_hospital,) = [row.payout_id for row in rows if (row.payee_id, row.kind) == ("H1", "recovery")]
    with pytest.raises(NotSettleable, match="hospital H1"):
        debtor.settle(SET_OFF, from_hospital)
    debtor.settle(WAIVED, from_hospital)
    assert ("waived", 0) == debtor.left()[from_hospital]
    assert_replays(debtor.ledger)


def test_a_policy_that_pays_later_keeps_back_as_well(debtor: Debtor) -> None:
    """Whatever makes a payment: here a correction of the very bill that had been paid too much."""
    debtor.settle(SET_OFF)
    debtor.take(bill(version=3, copay=2600))
    assert [("E1", "payment", 3_000, debtor.recovery)] == debtor.told()[2:]
    assert {debtor.recovery: ("set_off", 12_000)} == debtor.left()
    debtor.take(bill(version=4, copay=0))
    assert [("E1", "recovery", 18_000, None)] == debtor.told()[3:]
    assert_replays(debtor.ledger)


# What is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("manner", Manner)
def test_what_was_settled_or_collected_cannot_be_settled(debtor: Debtor, manner: Manner) -> None:
    """Nor what is no recovery; each time with a sentence, and nothing is written."""
    with pytest.raises(NotSettleable, match="no recovery"):
        debtor.settle(manner, debtor.payouts[0])
    with pytest.raises(NoSuchPayout):
        debtor.settle(manner, "PO-nobody")
    debtor.report(debtor.recovery, "paid")
    with pytest.raises(NotSettleable, match="reported as collected"):
        debtor.settle(manner)
    debtor.report(debtor.recovery, "returned", 2)
    assert [] == debtor.audited("recovery")
    debtor.settle(manner)
    for again in Manner:
        with pytest.raises(NotSettleable, match="was already"):
            debtor.settle(again)
    assert 1 == len(debtor.audited("recovery"))
    assert_replays(debtor.ledger)


def test_of_a_reissued_recovery_the_newest_is_settled(debtor: Debtor) -> None:
    """The older one names it; once it is settled it is not reissued, whatever is reported."""
    debtor.report(debtor.recovery, "failed")
    again = reissue(debtor.ledger, debtor.recovery, "li.na", "asked again", SHARDS, debtor.clock).payout_id
    with pytest.raises(NotSettleable, match=again):
        debtor.settle(WAIVED)
    debtor.settle(WAIVED, again)
    debtor.report(again, "failed", 2)
    with pytest.raises(NotReissuable, match="set off or waived"):
        reissue(debtor.ledger, again, "li.na", "asked again", SHARDS, debtor.clock)
    assert_replays(debtor.ledger)


def test_what_did_not_arrive_is_no_debt(debtor: Debtor) -> None:
    """The payment that was too high failed: nothing is owed until it is ordered again, and then all of it."""
    paid = debtor.payouts[0]
    debtor.report(paid, "failed")
    with pytest.raises(NotSettleable, match="Reissue what did not arrive first"):
        debtor.settle(SET_OFF)
    assert 30_000 == reissue(debtor.ledger, paid, "li.na", "new account", SHARDS, debtor.clock).amount
    assert 15_000 == debtor.settle(SET_OFF).left


def test_what_was_kept_back_is_not_paid_again(debtor: Debtor) -> None:
    """A report that it failed contradicts, and no operator can order it."""
    debtor.settle(SET_OFF)
    debtor.stay(4)
    kept, rest = debtor.payouts[2:]
    debtor.report(kept, "failed")
    assert ["REPORT_CONTRADICTS"] == debtor.alerts()
    with pytest.raises(NotReissuable, match="kept back"):
        reissue(debtor.ledger, kept, "li.na", "please", SHARDS, debtor.clock)
    debtor.report(rest, "failed", 2)
    assert 15_000 == reissue(debtor.ledger, rest, "li.na", "new account", SHARDS, debtor.clock).amount
    assert_replays(debtor.ledger)


def test_what_was_let_off_is_not_netted_with_what_failed_later(debtor: Debtor) -> None:
    """A waived recovery counts as collected, though it is reported as failed: later payments are ordered anew whole."""
    debtor.settle(WAIVED)
    debtor.report(debtor.recovery, "failed")
    debtor.take(bill(version=3))
    later = debtor.payouts[-1]
    debtor.report(later, "failed", 2)
    assert 15_000 == reissue(debtor.ledger, later, "li.na", "new account", SHARDS, debtor.clock).amount
    assert_replays(debtor.ledger)


@pytest.mark.parametrize("manner", Manner)
def test_a_report_that_a_settled_recovery_was_collected_contradicts(debtor: Debtor, manner: Manner) -> None:
    """It raises an alert and books nothing; that it failed is what everybody knows."""
    debtor.settle(manner)
    before = debtor.balances()
    debtor.report(debtor.recovery, "failed")
    assert [] == debtor.alerts()
    debtor.report(debtor.recovery, "paid", 2)
    assert ["REPORT_CONTRADICTS"] == debtor.alerts()
    assert before == debtor.balances()
    assert_replays(debtor.ledger)


def test_the_first_report_that_a_settled_recovery_was_collected_contradicts(debtor: Debtor) -> None:
    """Though no other report contradicts it."""
    debtor.settle(WAIVED)
    before = debtor.balances()
    debtor.report(debtor.recovery, "paid")
    assert (["REPORT_CONTRADICTS"], before) == (debtor.alerts(), debtor.balances())
    assert_replays(debtor.ledger)


# Four eyes, and at once ---------------------------------------------------------------------------------------------


def test_one_operator_proposes_and_another_one_settles(debtor: Debtor) -> None:
    """The proposer cannot approve, the second time is too late, and what was rejected can be proposed again."""
    with debtor.ledger.begin() as connection:
        first = propose(connection, debtor.recovery, SET_OFF, "agreed", "li.na", SHARDS, debtor.clock)
        assert 15_000 == first.recovery.amount
        with pytest.raises(TooLate):
            propose(connection, debtor.recovery, SET_OFF, "agreed", "wang.wei", SHARDS, debtor.clock)
        with pytest.raises(OwnProposal):
            approve(connection, first.proposal_no, "Li.Na", SHARDS, debtor.clock)
        reject(connection, first.proposal_no, "no", "wang.wei", debtor.clock)
        waived = propose(connection, debtor.recovery, WAIVED, "lives on dibao", "li.na", SHARDS, debtor.clock)
    with debtor.ledger.begin() as connection:
        assert ("waived", 0) == approve(connection, waived.proposal_no, "wang.wei", SHARDS, debtor.clock)[2:5:2]
    with debtor.ledger.begin() as connection:
        with pytest.raises(TooLate):
            approve(connection, waived.proposal_no, "wang.wei", SHARDS, debtor.clock)
        with pytest.raises(NotSettleable):
            propose(connection, debtor.recovery, WAIVED, "again", "li.na", SHARDS, debtor.clock)
        closing = clearing_proposals.propose(connection, ClearingAct.CLOSING, "", None, "x", "li.na", debtor.clock())
        assert closing is not None
        with pytest.raises(NoProposal):
            approve(connection, closing, "wang.wei", SHARDS, debtor.clock)
    done = [kind for kind, _ in debtor.audited("re") if not kind.startswith("replay.") or "proposed" in kind]
    assert ["replay.proposed", "replay.proposed", "recovery.waived"] == done
    assert_replays(debtor.ledger)


def test_of_two_operators_one_settles_and_the_other_is_told(debtor: Debtor) -> None:
    """One sets off and one waives at the same moment: one act, and a sentence for the other."""
    refused: list[str] = []
    barrier = threading.Barrier(2)

    def ask(manner: Manner) -> None:
        barrier.wait(timeout=30)
        try:
            debtor.settle(manner)
        except NotSettleable as error:
            refused.append(str(error))

    at_once(*(partial(ask, manner) for manner in Manner))
    assert (1, 1) == (len(refused), len(debtor.left()))
    assert_replays(debtor.ledger)


@pytest.mark.parametrize("seed", range(4))
def test_a_report_and_an_act_at_once_leave_one_history(debtor: Debtor, seed: int) -> None:
    """Whichever comes first: either nothing is settled, or the contradiction raises an alert; never silently both."""
    refused: list[str] = []
    barrier = threading.Barrier(2)

    def act() -> None:
        barrier.wait(timeout=30)
        try:
            debtor.settle(SET_OFF)
        except NotSettleable as error:
            refused.append(str(error))

    def tell() -> None:
        barrier.wait(timeout=30)
        patiently(lambda: debtor.report(debtor.recovery, "paid"))

    at_once(*((act, tell) if seed % 2 else (tell, act)))
    expected = (0, []) if refused else (1, ["REPORT_CONTRADICTS"])
    assert expected == (len(debtor.left()), debtor.alerts())
    assert_replays(debtor.ledger)


@pytest.mark.parametrize("statement", range(1, 12))
def test_an_act_that_dies_on_the_way_leaves_nothing(ledger: Engine, statement: int) -> None:
    """Whatever statement is the last one: nothing was settled, and the next try settles it."""
    debtor, count = Debtor(ledger), Counter[str]()

    def die(*arguments: Any) -> None:
        count["written"] += arguments[2].lstrip()[:6] in ("INSERT", "SELECT")
        if count["written"] == statement:
            raise KeyboardInterrupt

    event.listen(ledger, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        debtor.settle(WAIVED)
    event.remove(ledger, "before_cursor_execute", die)
    assert {} == debtor.left()
    debtor.settle(WAIVED)
    assert {debtor.recovery: ("waived", 0)} == debtor.left()
    assert_replays(ledger)
