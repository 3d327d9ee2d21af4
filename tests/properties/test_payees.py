"""Who is paid what of a benefit that hospitals advanced (payers.md, section 1), against an oracle that shares no code.

The oracle (tests/oracle/payees.py) was written by somebody who had not read the implementation.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.payout_reports import NotReissuable
from handlers.claims.read import Reading, read, recall
from handlers.claims.reissue import reissue
from schemas.facts import ADVANCES_MAX, SettlementPosted
from schemas.records import InstructionRow, Reissue
from schemas.refusals import Refusal, RefusalCode
from schemas.topics import ALERTS, INSTRUCTIONS
from tests.oracle import payees as oracle
from tests.properties.strategies import (
    History,
    Ledger,
    bill_of,
    busy_years,
    coverage_from,
    decide,
    deliveries,
    discharge_of,
    fen,
    histories,
    newest,
    policy,
    scheme,
    tried,
    with_advances,
    yuan,
)
from tests.support.builders import encode, report

Line = tuple[str, str, str]
"""Claim, scheme and payee: a facility's id, or empty for the person and the estate."""


def nets(instructions: Iterable[InstructionRow]) -> dict[Line, int]:
    """Payments less recoveries (fen) by line, where not zero."""
    sums = Counter[Line]()
    for row in instructions:
        sums[row.claim_id, row.scheme_id, row.payee_id] += row.amount if row.kind == "payment" else -row.amount
    return {line: amount for line, amount in sums.items() if amount}


def parts(ledger: Ledger) -> dict[Line, int]:
    """What each payee has by the newest decisions (fen); a decision without payees gives all to the person."""
    found = dict[Line, int]()
    for claim_id, decision in ledger.decisions().items():
        whole = [{**each, "amount": each["benefit"]} for each in decision["benefits"] if fen(each["benefit"])]
        for each in decision.get("payees", whole):
            found[claim_id, each["scheme_id"], each.get("payee_id", "")] = fen(each["amount"])
    return found


def open_alerts(ledger: Ledger) -> dict[str, dict[str, tuple[str, str]]]:
    """By claim and scheme the alerts that were raised and not withdrawn, with their last amounts."""
    found = dict[str, dict[str, tuple[str, str]]]()
    raised = dict[str, tuple[str, str]]()
    for row in ledger.sent:
        told = json.loads(row.value)
        if row.topic == ALERTS.name and "scheme_id" in told:
            schemes = found.setdefault(told["claim_id"], {})
            if told["event_type"] == "alert.raised":
                assert schemes.get(told["scheme_id"], ("", ""))[0] in ("", told["code"]), (
                    "another code is withdrawn first"
                )
                schemes[told["scheme_id"]] = (told["code"], told["amount"])
                raised[told["alert_id"]] = (told["claim_id"], told["scheme_id"])
            else:
                assert schemes.pop(told["scheme_id"])[0] == told["code"]
                assert raised[told["alert_id"]] == (told["claim_id"], told["scheme_id"])
    return {claim_id: schemes for claim_id, schemes in found.items() if schemes}


@tried
@given(with_advances(histories() | busy_years()), st.data())
def test_payees_are_those_of_the_oracle(history: History, data: st.DataObject) -> None:
    """In whatever order the facts came, decisions name who receives what, and what was taken off at the hospital."""
    ledger = Ledger(*history.policies)
    ledger.take(*data.draw(deliveries(history.facts)))
    facts = newest(history.facts)
    for claim_id, decision in ledger.decisions().items():
        taken_off = oracle.advances(facts, claim_id)
        assert ("payees" in decision, "advances" in decision) == (bool(taken_off), bool(taken_off))
        if taken_off:
            assert oracle.payees(facts, decision) == decision["payees"]
            assert taken_off == decision["advances"]


@tried
@given(with_advances(histories() | busy_years()), st.data())
def test_every_payee_has_been_instructed_its_part(history: History, data: st.DataObject) -> None:
    """A reader who sums per payee and one who sums per claim agree, at every moment nobody has less than nothing."""
    ledger = Ledger(*history.policies)
    held = Counter[Line]()
    for body in data.draw(deliveries(history.facts)):
        for row in ledger.take(body):
            line = (row.claim_id, row.scheme_id, row.payee_id)
            held[line] += row.amount if row.kind == "payment" else -row.amount
            assert held[line] >= 0
        assert parts(ledger) == +held
    for message in ledger.sent:
        if message.topic == INSTRUCTIONS.name:
            told = json.loads(message.value)
            assert ("payee_id" in told) == (told["payee"] == "facility")


@tried
@given(with_advances(histories() | busy_years()), st.data())
def test_alerts_about_advances_are_those_of_the_oracle(history: History, data: st.DataObject) -> None:
    """The open ones depend on the facts alone: raised with what nobody pays back, withdrawn when that is gone."""
    ledger = Ledger(*history.policies)
    ledger.take(*data.draw(deliveries(history.facts)))
    facts = newest(history.facts)
    expected = {name: oracle.alerts(facts, decision) for name, decision in ledger.decisions().items()}
    assert {name: found for name, found in expected.items() if found} == open_alerts(ledger)


def _without_alerts(decision: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in decision.items() if field != "alerts"}


@tried
@given(with_advances(histories() | busy_years()), st.data())
def test_advances_change_no_benefit(history: History, data: st.DataObject) -> None:
    """What is due is the same whoever advanced what, and so is all else that a decision says but alerts about it."""
    ledger = Ledger(*history.policies)
    ledger.take(*data.draw(deliveries(history.facts)))
    bare = [{name: value for name, value in body.items() if name != "advances"} for body in newest(history.facts)]
    without = {
        name: {field: value for field, value in decision.items() if field not in ("advances", "payees", "alerts")}
        for name, decision in ledger.decisions().items()
    }
    decided = decide(history.policies, *bare)
    assert without == {name: _without_alerts(decision) for name, decision in decided.items()}


@tried
@given(
    with_advances(busy_years() | histories()),
    st.lists(st.integers(0, 9), min_size=60, max_size=60),
    st.randoms(use_true_random=False),
)
def test_a_reissue_goes_to_the_payee_who_did_not_get_it(history: History, chances: list[int], order: Random) -> None:
    """Whatever fails and is ordered again, each payee's line ends at its part."""
    ledger = Ledger(*history.policies)
    for body, chance in zip(order.sample(history.facts, len(history.facts)), chances, strict=False):
        given = ledger.take(body)
        if given and chance % 2:
            failed = given[chance % len(given)]
            ledger.take(report(failed.payout_id, status="failed"))
            assert {row.payee_id for row in _reissued(ledger, failed)} <= {failed.payee_id}
        assert parts(ledger) == nets(ledger.instructions)


def test_a_hospitals_failed_payout_is_ordered_again_in_full() -> None:
    """What the person was paid of the same benefit makes it no smaller."""
    ledger = Ledger(policy(scheme("mutual")))
    taken = [{"scheme_id": "mutual", "amount": "4.00"}]
    ledger.take(coverage_from(), discharge_of("E1", "2020-03-01"), bill_of("E1", "10.00", advances=taken))
    (failed,) = [row for row in ledger.instructions if row.payee_id == "H1"]
    ledger.take(report(failed.payout_id, status="failed"))
    again = [(row.kind, row.amount, row.payee_id) for row in _reissued(ledger, failed)]
    assert again == [("recovery", 400, "H1"), ("payment", 400, "H1")]


def test_what_the_person_did_not_give_back_is_not_the_hospitals() -> None:
    """A recovery from the person and the payment to the hospital both fail: each is ordered again, whole."""
    ledger = Ledger(policy(scheme("mutual")))
    taken = [{"scheme_id": "mutual", "amount": "4.00"}]
    ledger.take(coverage_from(), discharge_of("E1", "2020-03-01"), bill_of("E1", "10.00"))
    ledger.take(bill_of("E1", "10.00", version=2, advances=taken))
    recovered, paid = ledger.instructions[-2:]
    assert [(recovered.kind, recovered.payee_id), (paid.kind, paid.payee_id)] == [("recovery", ""), ("payment", "H1")]
    for failed in (recovered, paid):
        ledger.take(report(failed.payout_id, status="failed"))
    for failed in (paid, recovered):
        again = [row for row in _reissued(ledger, failed) if row.reissue_of]
        assert [(row.kind, row.amount, row.payee_id) for row in again] == [(failed.kind, 400, failed.payee_id)]


def _reissued(ledger: Ledger, failed: InstructionRow) -> list[InstructionRow]:
    """The two instructions in place of a failed one, or none if nothing is missing."""
    batch = ledger.world.batch()
    ledger.batches.append(batch)
    try:
        reissue(batch, Reissue(failed.payout_id, failed.person_id, "li.na", "again"))
    except NotReissuable:
        return []
    return batch.outcome.instructions


AMOUNTS = st.sampled_from(("0.00", "-0.01", "0.01", "1", "1.5", "1.50", "2.00", "0.50"))
ADVANCES = st.lists(st.builds(lambda s, a: {"scheme_id": s, "amount": a}, st.sampled_from("abc"), AMOUNTS), max_size=4)


@tried
@given(ADVANCES, st.integers(0, 400), st.integers(0, 400))
def test_advances_are_refused_as_the_contract_says(taken: list[dict[str, str]], copay: int, own: int) -> None:
    """A scheme twice, nothing or less, or together more than the person bears: one code, and what was meant."""
    value = encode(bill_of("E1", yuan(copay), yuan(own), advances=taken))
    outcome = read(value)
    expected = oracle.refusal(json.loads(value))
    assert expected == (outcome.code if isinstance(outcome, Refusal) else None)
    if isinstance(outcome, Refusal):
        assert all(pointer.startswith("/advances") for pointer in outcome.pointers)
        kept = recall(value)  # from a release that knew no advances
        assert isinstance(kept, SettlementPosted)
        assert kept.advances == ()


@tried
@given(st.sampled_from(("1.5", "1.50", "1.500", "01.50", 1)), st.sampled_from(("", "x")))
def test_two_spellings_of_an_advance_are_one_content(amount: object, unknown: str) -> None:
    """Amounts count by value, and what the sender adds to an advance is part of the event."""
    more = {"note": unknown} if unknown else {}
    one = read(encode(bill_of("E1", "9.00", advances=[{"scheme_id": "a", "amount": amount, **more}])))
    other = read(encode(bill_of("E1", "9.00", advances=[{"scheme_id": "a", "amount": "1.50"}])))
    if isinstance(one, Refusal) or isinstance(other, Refusal):
        assert amount == "1.500"  # more than two decimals
        return
    assert (one.content_sha256 == other.content_sha256) == (fen(str(amount)) == 150 and not unknown)


@pytest.mark.parametrize("facility_id", ["a\\u0000b", "\\u007f"])
def test_what_an_earlier_release_let_pass_as_an_advance_is_none(facility_id: str) -> None:
    """A control character in a field that nobody read then: the bill is remembered, without advances."""
    value = encode(bill_of("E1", "9.00", advances=[{"scheme_id": "SCHEME", "amount": "1.00"}]))
    value = value.replace(b"SCHEME", facility_id.encode())
    assert isinstance(read(value), Refusal)
    kept = recall(value)
    assert isinstance(kept, SettlementPosted)
    assert kept.advances == ()


def test_a_bill_has_no_more_advances_than_can_be_shown() -> None:
    """Fifty are read, by the fast way too; one more is refused by the form of the bill."""
    many = [{"scheme_id": f"s{number}", "amount": "0.01"} for number in range(ADVANCES_MAX + 1)]
    assert isinstance(read(encode(bill_of("E1", "9.00", advances=many[1:]))), Reading)
    over = read(encode(bill_of("E1", "9.00", advances=many)))
    assert isinstance(over, Refusal)
    assert (over.code, over.pointers) == (RefusalCode.SCHEMA_INVALID, ("/advances",))
