"""Reports and reissues in a real ledger: states, several at once, the guards, and replay byte for byte."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from acts.reissue_payout import NoSuchPayout
from acts.take_in import take_in
from handlers.claims.payout_reports import NotReissuable
from handlers.claims.reconcile import in_scope
from infra.ledger import payout_states, reads, schema, tables
from infra.sharding import shard_of
from schemas.statement import Scope
from tests.support.acts import publish, reissue
from tests.support.builders import POLICY, RECORDED_AT, SHARDS, bill, coverage, discharge, report
from tests.support.ledgers import (
    at_once,
    dispositions,
    for_person,
    give,
    held,
    in_order,
    patiently,
    person_of_shard,
    ranges,
    ticking,
)
from tests.support.outbox import waiting_messages
from tests.support.owed_person import OwedPerson
from tests.support.replayed import assert_replays


@pytest.fixture
def owed(ledger: Engine) -> OwedPerson:
    return OwedPerson(ledger)


# States ---------------------------------------------------------------------------------------------------


def test_reports_make_the_state_in_whatever_order_and_batches_they_come(owed: OwedPerson) -> None:
    """Returned on the 3rd arrives first, paid on the 2nd later: the state is returned, and nothing contradicts."""
    (name,) = owed.payouts
    assert owed.state(name) is None
    owed.report(name, "returned", 3)
    owed.report(name, "paid", 2)
    assert "returned" == owed.state(name)
    with owed.ledger.connect() as connection:
        row = connection.execute(select(tables.payout_states)).one()
    assert (2, 0, []) == (row.reports, row.contradictions, waiting_messages(owed.ledger, "alerts"))
    assert_replays(owed.ledger)


def test_a_report_under_another_person_leaves_the_payout_as_it_is(owed: OwedPerson) -> None:
    """It is accepted, kept under the person who was named, and raises an alert."""
    (name,) = owed.payouts
    owed.report(name, "failed", person_id=person_of_shard(0))
    assert owed.state(name) is None
    assert "failed" == owed.state(name, person_of_shard(0))
    with pytest.raises(NotReissuable, match="is instructed"):
        owed.reissue(name)
    assert_replays(owed.ledger)


def test_reports_of_one_payout_under_two_persons_at_once_end_no_worker(ledger: Engine) -> None:
    """Two shards give their reports the same number: the later one reads again, and both are kept."""
    held(ledger)
    persons = [person_of_shard(shard) for shard in (0, 2)]
    first = [for_person(each, report(status="failed")) for each in persons]
    give(ledger, in_order(first[0] + first[1]))  # the id is known by now, so only the number is contested
    barrier = threading.Barrier(2)
    with ledger.connect() as connection:
        epochs = {row.shard: row.epoch for row in connection.execute(select(tables.shards))}

    def work(person: str) -> None:
        batch, asked = ranges(in_order(for_person(person, report()), first=1)), Counter[str]()

        def now() -> Any:
            asked["now"] += 1
            if asked["now"] == 1:
                barrier.wait(timeout=30)
            return RECORDED_AT

        patiently(lambda: take_in(ledger, batch, epochs, SHARDS, now))

    at_once(*(partial(work, person) for person in persons))
    assert ["accepted"] * 4 == dispositions(ledger)
    with ledger.connect() as connection:
        assert [1, 2, 3, 4] == sorted(connection.scalars(select(tables.facts.c.version)))
    assert_replays(ledger)


@pytest.mark.parametrize(
    ("since", "until", "there"),
    [
        ("2025-03-01", "2025-03-02", True),
        ("2025-03-02", None, False),
        (None, "2025-03-01", False),
        (None, "2025-03-02", True),
    ],
)
@pytest.mark.parametrize("moment", ["00:00:00", "07:59:59", "08:00:00", "23:59:59.999999"])
def test_a_payout_is_compared_on_its_day_in_shanghai(
    ledger: Engine, moment: str, since: str | None, until: str | None, there: bool
) -> None:
    """From the first moment of the day to the last."""
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    held(ledger)
    at = datetime.fromisoformat(f"2025-03-01T{moment}+08:00")
    give(ledger, in_order([coverage(), discharge(), bill()]), lambda: at)
    first, end = (None if day is None else date.fromisoformat(day) for day in (since, until))
    scope = Scope(None, first, end)
    with ledger.connect() as connection:
        found = payout_states.payouts_to_compare(connection, [], scope)
        (payout,) = payout_states.payouts_to_compare(connection, [], Scope())
    assert ([payout] if there else [], there) == (found, in_scope(payout, scope))


# Reissue --------------------------------------------------------------------------------------------------


def test_a_failed_payout_is_instructed_again(owed: OwedPerson) -> None:
    """The books take it back and order it anew, under new ids, so that what is instructed stays what is due."""
    (name,) = owed.payouts
    owed.report(name, "failed")
    again, amount = owed.reissue(name)
    _, off, new = owed.payouts
    assert (again, amount) == (new, 30_000)
    assert owed.told() == [
        ("payment", "300.00", None, None),
        ("recovery", "300.00", None, name),
        ("payment", "300.00", name, None),
    ]
    assert off not in (name, new)
    with owed.ledger.connect() as connection:
        due, revision = connection.execute(
            select(tables.benefits.c.benefit, tables.benefits.c.instruction_revision).where(
                tables.benefits.c.scheme_id == "village_mutual_aid"
            )
        ).one()
        entries = [json.loads(each) for each in connection.scalars(select(tables.audit_entries.c.value))]
    assert (30_000, 3) == (due, revision)
    (act,) = [each for each in entries if each["kind"] == "payout.reissued"]
    assert ("operator:wang.wei", name, "the account was closed") == (
        act["actor"],
        act["subject"]["payout_id"],
        act["subject"]["reason"],
    )
    assert 3 == sum(each["kind"] == "payout.instructed" for each in entries)
    assert_replays(owed.ledger)


def test_a_reissued_payout_is_reissued_again_only_where_the_new_one_failed(owed: OwedPerson) -> None:
    """The first may never be again; the second may once it failed too; and later corrections go on from there."""
    (name,) = owed.payouts
    owed.report(name, "failed")
    second, _ = owed.reissue(name)
    for wrong, why in ((name, "already reissued"), (second, "is instructed")):
        with pytest.raises(NotReissuable, match=why):
            owed.reissue(wrong)
    owed.report(second, "paid", 2)
    owed.report(second, "returned", 3)
    third, _ = owed.reissue(second)
    owed.report(third, "paid", 4)
    with pytest.raises(NotReissuable, match="is paid"):
        owed.reissue(third)
    owed.correct(2500, 2)
    assert ("recovery", "150.00", None, None) == owed.told()[-1]
    assert_replays(owed.ledger)


def test_only_what_is_still_due_is_instructed_again(owed: OwedPerson) -> None:
    """300.00 failed, then 150.00 were to be taken back, which failed too, as nothing was there: 150.00 are ordered."""
    (name,) = owed.payouts
    owed.correct(2500, 2)
    owed.report(name, "failed")
    owed.report(owed.payouts[1], "failed", 2)
    assert 15_000 == owed.reissue(name)[1]
    with pytest.raises(NotReissuable, match="nothing is missing"):
        owed.reissue(owed.payouts[1])
    assert_replays(owed.ledger)


def test_the_payouts_of_another_scheme_do_not_count(ledger: Engine) -> None:
    """Two schemes pay for one stay: what the one is still owed is not made up for by the other."""
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    held(ledger)
    give(ledger, in_order([coverage(), coverage("C2", "ordinary"), discharge(), bill()]))
    with ledger.connect() as connection:
        orders = {row.scheme_id: row for row in connection.execute(select(tables.instructions))}
    village = orders["village_mutual_aid"]
    assert {"village_mutual_aid", "self_pay_assistance"} == orders.keys()
    give(ledger, in_order([report(village.payout_id, status="failed")]))
    done = reissue(ledger, village.payout_id, "wang.wei", "the account was closed", SHARDS, lambda: RECORDED_AT)
    assert village.amount == done.amount


def test_a_payment_whose_recovery_is_under_way_is_ordered_before_it_is_taken_off(owed: OwedPerson) -> None:
    """Off the books first would make them negative, which the ledger refuses."""
    (name,) = owed.payouts
    owed.correct(2500, 2)
    owed.report(name, "failed")
    assert 30_000 == owed.reissue(name)[1]
    assert [("payment", "300.00", name, None), ("recovery", "300.00", None, name)] == owed.told()[-2:]
    assert_replays(owed.ledger)


def test_an_unknown_payout_is_named_as_such(owed: OwedPerson) -> None:
    """Nothing is written."""
    with pytest.raises(NoSuchPayout):
        owed.reissue("PO-unknown")
    assert 1 == len(owed.payouts)


def test_of_two_operators_one_reissues_and_the_other_is_told(owed: OwedPerson) -> None:
    """Both ask at the same moment: one pair of instructions, and the other hears which payout it is now."""
    (name,) = owed.payouts
    owed.report(name, "failed")
    done: list[str] = []
    barrier = threading.Barrier(2)

    def ask(operator: str) -> None:
        barrier.wait(timeout=30)
        try:
            done.append(owed.reissue(name, operator)[0])
        except NotReissuable as refused:
            done.append(str(refused))

    at_once(*(partial(ask, operator) for operator in ("li.na", "wang.wei")))
    (again,) = [each for each in done if each in owed.payouts]
    (told,) = [each for each in done if each not in owed.payouts]
    assert again in told
    assert 3 == len(owed.payouts)
    assert_replays(owed.ledger)


@pytest.mark.parametrize("seed", range(4))
def test_a_report_and_a_reissue_at_once_leave_one_history(owed: OwedPerson, seed: int) -> None:
    """Whichever comes first: either nothing is ordered, or the contradiction raises an alert; never silently both."""
    (name,) = owed.payouts
    owed.report(name, "failed")
    refused: list[str] = []
    barrier, clock = threading.Barrier(2), ticking()

    def order() -> None:
        barrier.wait(timeout=30)
        try:
            owed.reissue(name, now=clock)
        except NotReissuable as error:
            refused.append(str(error))

    def tell() -> None:
        barrier.wait(timeout=30)
        patiently(lambda: owed.report(name, "paid", 2 + seed))

    at_once(*((order, tell) if seed % 2 else (tell, order)))
    assert (1 if refused else 3) == len(owed.payouts)
    alerts = waiting_messages(owed.ledger, "alerts")
    assert ["REPORT_CONTRADICTS"] == [json.loads(each.value)["code"] for each in alerts]
    assert_replays(owed.ledger)


@pytest.mark.parametrize("statement", range(1, 12))
def test_a_reissue_that_dies_on_the_way_leaves_nothing(owed: OwedPerson, statement: int) -> None:
    """Whatever statement of its writing is the last one: nothing was ordered, and the next try orders it once."""
    (name,) = owed.payouts
    owed.report(name, "failed")
    count = Counter[str]()

    def die(*arguments: Any) -> None:
        count["written"] += arguments[2].lstrip()[:6] in ("INSERT", "SELECT")
        if count["written"] == statement:
            raise KeyboardInterrupt

    event.listen(owed.ledger, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        owed.reissue(name)
    event.remove(owed.ledger, "before_cursor_execute", die)
    assert 1 == len(owed.payouts)
    owed.reissue(name)
    assert 3 == len(owed.payouts)
    assert_replays(owed.ledger)


# Guards ---------------------------------------------------------------------------------------------------


def half(number: int, before: int, after: int, **columns: Any) -> dict[str, Any]:
    """An instruction of E1 as wrong code would write it."""
    kind = "payment" if after > before else "recovery"
    line = {"payout_id": f"PO-{number}", "claim_id": "E1", "scheme_id": "village_mutual_aid", "revision": number}
    amounts = {"kind": kind, "amount": abs(after - before), "balance_before": before, "balance_after": after}
    return {**line, **amounts, "person_id": "P1", "event_no": 1, "value": b"{}", **columns}


@pytest.mark.parametrize(
    ("state", "rows"),
    [
        ("failed", [half(2, 30_000, 0, reversal_of="FIRST"), half(3, 0, 30_000)]),
        ("failed", [half(2, 30_000, 0), half(3, 0, 30_000, reissue_of="FIRST")]),
        ("failed", [half(2, 30_000, 60_000, reissue_of="FIRST"), half(3, 60_000, 30_000)]),
        ("paid", [half(2, 30_000, 0, reversal_of="FIRST"), half(3, 0, 30_000, reissue_of="FIRST")]),
        (None, [half(2, 30_000, 0, reversal_of="FIRST"), half(3, 0, 30_000, reissue_of="FIRST")]),
    ],
    ids=["only off the books", "only anew", "anew and a common recovery", "paid", "not reported"],
)
def test_the_database_refuses_half_a_reissue(owed: OwedPerson, state: str | None, rows: list[dict[str, Any]]) -> None:
    """One without the other, or of a payout that did not fail."""
    (name,) = owed.payouts
    if state:
        owed.report(name, state)
    named = [{key: name if value == "FIRST" else value for key, value in row.items()} for row in rows]
    with pytest.raises(DBAPIError, match="a reissue needs"), owed.ledger.begin() as connection:
        connection.execute(insert(tables.instructions), [{"reissue_of": None, "reversal_of": None, **r} for r in named])
    assert [name] == owed.payouts


def test_the_database_lets_a_payout_be_reissued_once(owed: OwedPerson) -> None:
    """A second pair for the same failed payout cannot be written."""
    (name,) = owed.payouts
    owed.report(name, "failed")
    owed.reissue(name)
    again = [half(4, 30_000, 0, reversal_of=name), half(5, 0, 30_000, reissue_of=name)]
    for row in again:
        with pytest.raises(DBAPIError, match="_of_key"), owed.ledger.begin() as connection:
            connection.execute(insert(tables.instructions).values(row))


def test_a_state_is_one_of_those_there_are(owed: OwedPerson) -> None:
    """A payout is paid, failed or returned, or has no row."""
    owed.report(owed.payouts[0], "paid")
    with pytest.raises(DBAPIError, match="payout_states_state"), owed.ledger.begin() as connection:
        connection.execute(update(tables.payout_states).values(state="lost"))


# Ids --------------------------------------------------------------------------------------------------------


def test_a_bill_with_the_id_of_a_payout_is_no_report_on_it(owed: OwedPerson) -> None:
    """Ids of different kinds are different ids, whatever senders call their bills."""
    (name,) = owed.payouts
    give(owed.ledger, in_order([discharge("E2"), bill(name, "E2", 1000)], first=1))
    owed.report(name, "failed")
    owed.report(name, "failed", 2)
    assert "failed" == owed.state(name)
    assert 2 == len(owed.reissue(name))
    assert_replays(owed.ledger)


# Upgrading ------------------------------------------------------------------------------------------------


def test_a_ledger_that_had_reports_before_there_were_states_gets_them(owed: OwedPerson) -> None:
    """What the migration works out from the facts is what the program had written."""
    (name,) = owed.payouts
    stories = {
        name: ["paid", "failed", "returned", "returned"],
        "PO-a": ["failed", "paid"],
        "PO-b": ["paid", "paid"],
        "PO-c": ["returned", "failed", "returned"],
    }
    for payout_id, statuses in stories.items():
        for day, status in enumerate(statuses, start=1):
            owed.report(payout_id, status, day, reference=f"bank-{day // 2}")
    owed.report(name, "paid", person_id=person_of_shard(0))
    states = tables.payout_states
    told = [each for each in states.c if each.name != "matched"]  # of a later migration
    wanted = select(*told).order_by(*states.primary_key)
    with owed.ledger.connect() as connection:
        before = connection.execute(wanted).all()
    with owed.ledger.begin() as connection:
        connection.execute(text("DELETE FROM payout_states"))
        migration_of("0003", connection).fill()
    with owed.ledger.connect() as connection:
        assert before == connection.execute(wanted).all()
    assert 5 == len(before)


def migration_of(revision: str, connection: Any) -> Any:
    """A migration's module, its operations bound to a connection."""
    script = ScriptDirectory(str(Path(schema.__file__).parent / "migrations")).get_revision(revision)
    assert script is not None
    module: Any = script.module
    module.op = Operations(MigrationContext.configure(connection))
    return module


def test_no_shard_is_locked_that_need_not_be(owed: OwedPerson) -> None:
    """A reissue goes on while a worker is busy in another person's shard."""
    (name,) = owed.payouts
    owed.report(name, "failed")
    others = [shard for shard in range(SHARDS) if shard != shard_of("P1", SHARDS)]
    with owed.ledger.begin() as connection:
        reads.lock_shards(connection, others, {})
        owed.reissue(name)
    assert 3 == len(owed.payouts)
