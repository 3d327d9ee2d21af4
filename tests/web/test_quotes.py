"""Quotes at the door alone: what they take into account, whose they are, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from acts import release_hold
from acts.recompute_groups import recompute_groups
from schemas.access.callers import ApiRole
from tests.support.acts import publish
from tests.support.builders import POLICY, RECORDED_AT, SHARDS, Json, bill, contribution, coverage, discharge, pool
from tests.support.ledgers import give, held, in_order
from tests.support.pools import POOL_POLICY, villager
from tests.web.door import Door
from tests.web.site import code
from web.api.quotes import COVERAGES_MAX

COVERED = [coverage("C1", "member"), coverage("C2", "ordinary")]


@pytest.fixture
def quoting(door: Door) -> Door:
    """A door to a ledger with a policy and a person who is covered."""
    publish(door.engine, POLICY, "test", SHARDS, lambda: RECORDED_AT)
    held(door.engine)
    give(door.engine, in_order(COVERED))
    return door


def hospital(door: Door, *facilities: str) -> httpx.Client:
    return door.client(door.key(ApiRole.HOSPITAL, *(facilities or ("H1",))))


def quoted(client: httpx.Client, settlement: Json, **more: Json | list[Json]) -> httpx.Response:
    return client.post("/v1/quotes", json={"settlement": settlement, **more})


def test_what_was_acknowledged_and_waits_for_kafka_counts(quoting: Door) -> None:
    """A discharge and another bill of the stay that are in the inbox: the quote is that for both bills together."""
    with hospital(quoting) as client:
        assert "incomplete" == quoted(client, bill()).json()["state"]
        assert 202 == client.post("/v1/events", json=[discharge(), bill("S1")]).status_code
        together = quoted(client, bill("S2", copay=4000)).json()["decision"]
    assert ("adjudicated", "7000.00") == (together["status"], together["personal_burden"])


def test_a_quote_knows_who_owns_a_stay_that_waits_for_kafka(quoting: Door) -> None:
    """Another facility gets no quote on it, neither with its bill nor with a discharge of its own."""
    with hospital(quoting) as h1, hospital(quoting, "H2") as h2:
        assert 202 == h1.post("/v1/events", json=discharge()).status_code
        assert 200 == quoted(h1, bill()).status_code
        foreign = quoted(h2, bill(facility_id="H2"))
    assert (403, "FORBIDDEN") == (foreign.status_code, code(foreign))


def test_the_discharge_of_a_quote_must_be_the_callers_own(quoting: Door) -> None:
    """As if it were posted."""
    with hospital(quoting, "H2") as h2:
        stay = quoted(h2, bill(facility_id="H2"), discharge=discharge(facility_id="H1"))
        assert 200 == quoted(h2, bill(facility_id="H2"), discharge=discharge(facility_id="H2")).status_code
    assert (403, "FORBIDDEN") == (stay.status_code, code(stay))


@pytest.mark.parametrize("more", [{"discharge": discharge("E2")}, {"discharge": discharge(person_id="P2")}])
def test_a_quote_is_about_one_stay_of_one_person(quoting: Door, more: Json) -> None:
    with hospital(quoting) as client:
        answer = quoted(client, bill(), **more)
    assert (409, "PERSON_MISMATCH") == (answer.status_code, code(answer))


def test_a_quote_takes_as_many_coverages_as_it_says(quoting: Door) -> None:
    """Fifty are taken, one more is refused with a pointer."""
    coverages = [coverage(f"N{number}") for number in range(COVERAGES_MAX + 1)]
    with hospital(quoting) as client:
        assert 200 == quoted(client, bill(), discharge=discharge(), coverages=coverages[:-1]).status_code
        over = quoted(client, bill(), discharge=discharge(), coverages=coverages)
    assert (422, ["/coverages"]) == (over.status_code, over.json()["pointers"])


def test_a_quote_sees_one_moment(quoting: Door) -> None:
    """A bill that is taken in while the quote is worked out is wholly before it or wholly after it."""
    give(quoting.engine, in_order([discharge()]))
    _once_before(quoting.served, "FROM subjects", lambda: give(quoting.engine, in_order([bill()])))
    with hospital(quoting) as client:
        answer = quoted(client, bill())
        assert (200, "3000.00") == (answer.status_code, answer.json()["decision"]["personal_burden"])
        after = quoted(client, bill())
        assert answer.json()["decision"] == after.json()["decision"]
        assert (True, False) == (bool(off(answer)), bool(off(after)))  # the money was on its way to the person


def _once_before(engine: Engine, words: str, act: Callable[[], None]) -> None:
    """Has something happen once, before a statement that holds some words."""
    waiting = [act]

    def before(_: object, __: object, statement: str, *___: object) -> None:
        if waiting and words in " ".join(statement.split()):
            waiting.pop()()

    event.listen(engine, "before_cursor_execute", before)


def off(answer: httpx.Response) -> dict[str, str]:
    return {each["scheme_id"]: each["amount"] for each in answer.json()["may_take_off"]}


def test_a_quote_says_what_may_be_taken_off(quoting: Door) -> None:
    """What is due by scheme, less what the stay's other bills took off, and nothing that was ordered for the person."""
    with hospital(quoting) as client:
        due = quoted(client, bill(), discharge=discharge())
        amounts = {each["scheme_id"]: each["benefit"] for each in due.json()["decision"]["benefits"]}
        assert {name: amount for name, amount in amounts.items() if amount != "0.00"} == off(due)
        assert {} == off(quoted(client, bill(copay=1), discharge=discharge()))
        taken = [{"scheme_id": "village_mutual_aid", "amount": "100.00"}]
        answer = client.post("/v1/events", json=[discharge(), bill("S1", final=False, advances=taken)])
        assert 202 == answer.status_code
        second = quoted(client, bill("S2", copay=4000))
        whole = {each["scheme_id"]: each["benefit"] for each in second.json()["decision"]["benefits"]}
        assert f"{Decimal(whole['village_mutual_aid']) - 100}" == off(second)["village_mutual_aid"]
    give(quoting.engine, in_order([discharge("E9"), bill("S9", encounter_id="E9")]))
    with hospital(quoting) as client:  # the money is on its way to the person
        assert {} == off(quoted(client, bill("S9", encounter_id="E9", version=2)))


def test_a_quote_names_the_pool_that_pays_and_what_is_due_may_be_taken_off(door: Door) -> None:
    """Without money the due waits, and may still be taken off; once the pool has paid the person, nothing may be."""
    publish(door.engine, POOL_POLICY, "test", SHARDS, lambda: RECORDED_AT)
    held(door.engine)
    member, stay, billed = villager("P1", "2024-03-01", 300)
    posted = [pool(), member, stay, billed, contribution(yuan=300)]
    deliveries = in_order(posted)
    with hospital(door) as client:
        for taken, may in ((deliveries[:3], "300.00"), (deliveries[3:4], "300.00"), (deliveries[4:], None)):
            give(door.engine, taken)
            recompute_groups(door.engine, range(SHARDS), SHARDS, lambda: RECORDED_AT)
            answer = quoted(client, billed)
            (benefit,) = answer.json()["decision"]["benefits"]
            assert ("V1", "300.00") == (benefit["pool_id"], benefit["benefit"])
            assert ({} if may is None else {"village_mutual_aid": may}) == off(answer)


def test_nothing_may_be_taken_off_a_claim_that_would_be_held(door: Door) -> None:
    """Its invoice is in another person's claim, which is not named; once two people released it, it may be again."""
    hold = '[checks]\nduplicate_invoice = "hold"\n'
    publish(door.engine, POLICY + hold, "test", SHARDS, lambda: RECORDED_AT)
    held(door.engine)
    other: dict[str, Any] = {"person_id": "P9", "encounter_id": "SECRET-9"}
    give(door.engine, in_order([*COVERED, discharge(**other), bill("S9", invoice_no="INV-7", **other)]))
    mine = bill(invoice_no="INV-7")
    with hospital(door) as client:
        first = quoted(client, mine, discharge=discharge()).json()
        assert (["DUPLICATE_INVOICE"], True, []) == (first["alerts"], first["held"], first["may_take_off"])
        assert "暂缓支付期间不能一站式结算" in first["summary"]
        assert "SECRET-9" not in json.dumps(first)
        free = quoted(client, bill(invoice_no="INV-8"), discharge=discharge()).json()
        assert ([], False) == (free["alerts"], free["held"])
        assert free["may_take_off"] != []
        assert free["decision"]["benefits"] == first["decision"]["benefits"]
    give(door.engine, in_order([discharge(), mine]))
    recompute_groups(door.engine, range(SHARDS), SHARDS, lambda: RECORDED_AT)
    with door.engine.begin() as connection:
        number = release_hold.propose(connection, "E1", "compared", "li.na", SHARDS, lambda: RECORDED_AT)
        release_hold.approve(connection, number, "wang.wei", SHARDS, lambda: RECORDED_AT)
    with hospital(door) as client:
        again = quoted(client, bill(invoice_no="INV-7", version=2, copay=4000)).json()
        shown = client.get("/v1/claims/E1").json()
    assert (["DUPLICATE_INVOICE"], False) == (again["alerts"], again["held"])
    assert again["may_take_off"] != []
    assert (["DUPLICATE_INVOICE"], False) == (shown["alerts"], shown["held"])


def test_a_claims_view_says_that_it_is_held(door: Door) -> None:
    """With the code of the alert and in words, and without the other person's claim."""
    publish(door.engine, POLICY + '[checks]\nduplicate_invoice = "hold"\n', "test", SHARDS, lambda: RECORDED_AT)
    held(door.engine)
    other: dict[str, Any] = {"person_id": "P9", "encounter_id": "SECRET-9"}
    bills = [bill(invoice_no="INV-7"), bill("S9", invoice_no="INV-7", **other)]
    give(door.engine, in_order([*COVERED, discharge(), discharge(**other), *bills]))
    recompute_groups(door.engine, range(SHARDS), SHARDS, lambda: RECORDED_AT)
    with hospital(door) as client:
        shown = client.get("/v1/claims/E1").json()
    assert (["DUPLICATE_INVOICE"], True) == (shown["alerts"], shown["held"])
    assert "补助暂缓支付" in shown["summary"]
    assert "SECRET-9" not in json.dumps(shown)
