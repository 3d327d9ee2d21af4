"""Statements in a real ledger: each instruction in one month, who bears what, and that nothing changes them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from acts import issue_statements
from acts.issue_statements import NotIssuable
from acts.issued_statements import differs, issued_statement, lines_again
from acts.ledger_act import ledger_act
from acts.make_checkpoints import make_due
from handlers.audit.merkle import Frontier, leaf_hash
from handlers.treaties.statements import MonthLines
from infra.keys.audit_signing import SigningKey
from infra.ledger import clearing_tables, tables
from schemas.canonical import canonical_json, sha256_hex
from schemas.money import parse_yuan
from schemas.months import format_month, month_start, parse_month
from schemas.records import Manner
from tests.oracle import statements as oracle
from tests.support.acts import reissue, settle
from tests.support.builders import SHARDS, bill, discharge, report, void
from tests.support.ledgers import contents
from tests.support.length import times
from tests.support.replayed import assert_replays
from tests.support.stated_town import StatedTown
from tests.support.treaties import shared_text, treaty_text


@pytest.fixture
def town(ledger: Engine) -> StatedTown:
    """Under a treaty of three insurers that was published on 10 January 2025."""
    return StatedTown(ledger)


def paid(town: StatedTown, copay: int = 3000, version: int = 1, person: str = "P1") -> None:
    """A bill of a person, or its correction: 30 % of what is over 2,000 yuan is owed."""
    town.take(bill(f"S-{person}", f"E-{person}", copay, person_id=person, version=version))


def test_a_month_is_issued_to_each_insurer(town: StatedTown) -> None:
    """With the same lines and sums, and what it bears by its share and as the stop-loss; no person is named."""
    town.cover("P1", "P2")
    paid(town)
    paid(town, 5000, person="P2")
    town.set("2025-02-03T09:00:00+08:00")
    made = town.issue("2025-01")
    assert [("insurer-a", 28_500, 0), ("insurer-b", 17_100, 0), ("insurer-c", 11_400, 63_000)] == [
        (each.insurer, each.part, each.part_of_cession) for each in made
    ]
    assert {(120_000, 0, 120_000, 63_000, 2, 1)} == {
        (each.net, each.cum_before, each.cum, each.cession, each.lines, each.number) for each in made
    }
    first, second = town.lines("2025-01")
    assert ("300.00", "900.00") == (first["amount"], second["amount"])
    assert ("E-P1", "instruction", 1, "instructed", "2024-03-10", "2025-01-10", None, "member", "person") == tuple(
        first[name]
        for name in ("claim_id", "entry", "line", "state", "discharged_on", "recorded_on", "corrects", "tier", "payee")
    )
    for each, row in zip(made, town.rows(), strict=True):
        lines, issued = town.messages(each.insurer)
        assert [first, second] == lines["lines"]
        assert (each.insurer, each.statement_id, "t1") == (
            issued["insurer"],
            issued["statement_id"],
            lines["treaty_id"],
        )
        assert canonical_json(issued) == row.value
        assert sha256_hex(b"".join(canonical_json(line) + b"\n" for line in lines["lines"])) == each.lines_sha256
        assert '"P1"' not in json.dumps([lines, issued])
        assert "person_id" not in json.dumps([lines, issued])
    assert_replays(town.ledger)


def test_every_instruction_is_a_line_of_one_month(town: StatedTown) -> None:
    """The one in which it was recorded in Shanghai; what came back later is a line of its own that says of which."""
    town.cover("P1")
    town.set("2025-01-31T23:59:50+08:00")
    paid(town)
    town.set("2025-02-01T00:00:00+08:00")
    paid(town, 4000, version=2)
    town.take(void("S-P1", "E-P1", version=3, person_id="P1"))
    town.set("2025-03-02T09:00:00+08:00")
    town.issue("2025-01")
    town.issue("2025-02")
    order, more, back = town.instructed()
    (january,), february = town.lines("2025-01"), town.lines("2025-02")
    assert (order, "2025-01-31", None) == (january["payout_id"], january["recorded_on"], january["corrects"])
    assert [(more, "payment", order), (back, "recovery", more)] == [
        (line["payout_id"], line["kind"], line["corrects"]) for line in february
    ]
    assert (30_000, -30_000) == tuple(parse_yuan(row["net"]) for row in stated(town, "insurer-a"))
    assert_replays(town.ledger)


def stated(town: StatedTown, insurer: str) -> list[dict[str, Any]]:
    return [json.loads(row.value) for row in town.rows() if row.insurer == insurer]


def test_a_report_changes_no_statement_that_was_issued(town: StatedTown) -> None:
    """The new state is on the statement of the month in which the report was recorded, and no sum counts it again."""
    town.cover("P1", "P2")
    paid(town)
    paid(town, 5000, person="P2")
    one, two = town.instructed()
    town.take(report(one, person_id="P1"))
    town.set("2025-02-02T09:00:00+08:00")
    town.take(report(two, person_id="P2", status="failed", reported_at="2025-01-20T10:00:00+08:00"))
    issued = town.issue("2025-01")
    assert {one: "paid", two: "instructed"} == {line["payout_id"]: line["state"] for line in town.lines("2025-01")}
    before = town.rows()
    town.take(report(one, person_id="P1", status="returned", reported_at="2025-01-05T10:00:00+08:00"))
    town.set("2025-03-02T09:00:00+08:00")
    (lead, *_) = town.issue("2025-02")
    assert {(one, "report", "returned", "2025-02-02"), (two, "report", "failed", "2025-02-02")} == {
        (line["payout_id"], line["entry"], line["state"], line["recorded_on"]) for line in town.lines("2025-02")
    }
    assert (2, 2, 0, 120_000, []) == (lead.lines, lead.reports, lead.net, lead.cum, lead.by_scheme)
    assert before == town.rows()[:3]
    with town.ledger.connect() as connection:
        for each in issued:
            lines = MonthLines()
            assert 2 == len(list(lines_again(connection, issued_statement(connection, each.statement_id), lines)))
            assert not differs(each, lines)
    assert_replays(town.ledger)


def test_a_report_that_repeats_or_contradicts_is_no_line(town: StatedTown) -> None:
    """Only a state that changed is told again; nor does one count that names another person."""
    town.cover("P1")
    paid(town)
    (one,) = town.instructed()
    town.take(report(one, person_id="P1"))
    town.set("2025-02-02T09:00:00+08:00")
    town.take(report(one, person_id="P1", reported_at="2025-02-01T10:00:00+08:00"))
    town.take(report(one, person_id="P9", status="failed"))
    town.set("2025-03-02T09:00:00+08:00")
    town.issue("2025-01")
    assert 0 == town.issue("2025-02")[0].lines
    assert_replays(town.ledger)


def test_a_reissue_is_two_lines_about_the_failed_payout(town: StatedTown) -> None:
    """The reversal and the new order both correct it, and together they are nothing."""
    town.cover("P1")
    paid(town)
    (one,) = town.instructed()
    town.take(report(one, person_id="P1", status="failed"))
    town.set("2025-02-02T09:00:00+08:00")
    reissue(town.ledger, one, "li.na", "wrong account", SHARDS, town.clock)
    town.set("2025-03-02T09:00:00+08:00")
    town.issue("2025-01")
    assert 0 == town.issue("2025-02")[0].net
    assert {("recovery", "book", one), ("payment", "instructed", one)} == {
        (line["kind"], line["state"], line["corrects"]) for line in town.lines("2025-02")
    }
    assert_replays(town.ledger)


def test_what_is_kept_back_is_a_book_entry_that_corrects_its_recovery(town: StatedTown) -> None:
    """It counts for what the month paid, as any payment; no money moves by it."""
    town.cover("P1")
    paid(town)
    paid(town, 2500, 2)
    recovery = town.payouts()[-1].payout_id
    settle(town.ledger, recovery, Manner.SET_OFF, "li.na", "agreed", SHARDS, town.clock)
    town.set("2025-02-02T09:00:00+08:00")
    town.take(discharge("F1"), bill("S9", "F1"))
    town.set("2025-03-02T09:00:00+08:00")
    town.issue("2025-01")
    assert 30_000 == town.issue("2025-02")[0].net
    assert {("book", "150.00", recovery), ("instructed", "150.00")} == {
        (line["state"], line["amount"], line["corrects"])[: 3 if line["state"] == "book" else 2]
        for line in town.lines("2025-02")
    }
    assert_replays(town.ledger)


WRONG: dict[str, tuple[str, str, str]] = {
    "a treaty that was not published": ("t9", "2025-01", "No treaty t9 is published"),
    "a month before the first": ("t1", "2024-12", "begin with 2025-01"),
    "a month after the next": ("t1", "2025-02", "the next month of t1 is 2025-01"),
    "a month long after": ("t1", "2026-01", "the next month of t1 is 2025-01"),
}


@pytest.mark.parametrize(("treaty_id", "month", "why"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_issued_writes_nothing(town: StatedTown, treaty_id: str, month: str, why: str) -> None:
    """It is said in both languages which month comes next."""
    town.cover("P1")
    paid(town)
    town.set("2026-03-02T09:00:00+08:00")
    before = contents(town.ledger)
    with pytest.raises(NotIssuable, match=why) as refused:
        town.issue(month, treaty_id)
    assert refused.value.why.zh
    assert before == contents(town.ledger)


def test_a_month_is_issued_once_and_after_it_ended(town: StatedTown) -> None:
    """At its last instant it has not; at the next one it can be, and never again."""
    town.cover("P1")
    paid(town)
    before = contents(town.ledger)
    town.set("2025-01-31T23:59:50+08:00")
    with pytest.raises(NotIssuable, match="has not ended"):
        town.issue("2025-01")
    assert before == contents(town.ledger)
    town.set("2025-02-01T00:00:00+08:00")
    town.issue("2025-01")
    after = contents(town.ledger)
    with pytest.raises(NotIssuable, match="were issued before and never change; the next month is 2025-02"):
        town.issue("2025-01")
    with pytest.raises(NotIssuable, match="2025-02 has not ended"):
        town.issue("2025-02")
    with pytest.raises(NotIssuable, match="begin with 2025-02"):
        town.issue("2024-12")
    assert after == contents(town.ledger)


def test_a_month_without_a_line_is_issued_too(town: StatedTown) -> None:
    """So that there is no gap."""
    town.set("2025-04-02T09:00:00+08:00")
    numbers = [town.issue(month)[0].number for month in ("2025-01", "2025-02", "2025-03")]
    assert [1, 2, 3] == numbers
    assert ["statement.issued"] * 3 == [each["event_type"] for each in town.messages("insurer-b")]


def test_a_clock_that_is_behind_records_nothing_in_an_issued_month(town: StatedTown) -> None:
    """What comes afterwards belongs to the next month, from its first instant on."""
    town.cover("P1")
    town.set("2025-02-03T09:00:00+08:00")
    town.issue("2025-01")
    town.set("2025-01-20T09:00:00+08:00")
    paid(town)
    with pytest.raises(NotIssuable, match="has not ended"):
        town.issue("2025-02")
    town.set("2025-03-03T09:00:00+08:00")
    town.issue("2025-02")
    (line,) = town.lines("2025-02")
    assert "2025-02-01" == line["recorded_on"]
    assert_replays(town.ledger)


def test_what_is_recorded_while_the_lines_are_made_is_not_lost(
    town: StatedTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that read the clock in the month and commits before the shards are locked is in the month's statement."""
    town.cover("P1")
    town.set("2025-02-03T09:00:00+08:00")
    real: Callable[..., AbstractContextManager[Any]] = ledger_act

    def late(*given: Any) -> AbstractContextManager[Any]:
        now = town.now
        town.set("2025-01-31T23:00:00+08:00")
        paid(town)
        town.now = now
        return real(*given)

    monkeypatch.setattr(issue_statements, "ledger_act", late)
    (lead, *_) = town.issue("2025-01")
    assert (1, 30_000) == (lead.lines, lead.net)
    assert 1 == len(town.lines("2025-01", "insurer-c"))


def test_the_audit_root_is_that_of_all_entries_before(town: StatedTown) -> None:
    """Of each shard, whether or not a checkpoint was made, and as it was when the shards were locked."""
    town.cover("P1", "P2", "P3")
    paid(town)
    town.set("2025-02-03T09:00:00+08:00")
    assert make_due(town.ledger, SigningKey("test/huzhu", b"\x01" * 32), town.clock, 1, timedelta(0)).checkpoints
    paid(town, person="P2")
    entry = tables.audit_entries
    with town.ledger.connect() as connection:
        rows = connection.execute(select(entry).order_by(entry.c.shard, entry.c.seq)).all()
    (lead, *_) = town.issue("2025-01")
    trees = {shard: Frontier() for shard in range(SHARDS)}
    for row in rows:
        trees[row.shard].append(leaf_hash(row.value))
    assert [(shard, tree.size, tree.root().hex()) for shard, tree in trees.items()] == [
        (each.shard, each.size, each.root) for each in lead.audit
    ]
    told = [{"root": tree.root().hex(), "shard": shard, "size": tree.size} for shard, tree in trees.items()]
    assert sha256_hex(canonical_json(told)) == lead.audit_root


def test_the_books_hold_what_the_other_insurers_owe_the_lead(town: StatedTown) -> None:
    """Share and cession together, on the last day of the month, under the statement's id; back when money came back."""
    town.cover("P1", "P2")
    paid(town)
    paid(town, 5000, person="P2")
    town.set("2025-02-03T09:00:00+08:00")
    made = {each.insurer: each.statement_id for each in town.issue("2025-01")}
    assert {
        ("insurer:insurer-a:insurer-b", 17_100, date(2025, 1, 31), date(2025, 2, 3), made["insurer-b"]),
        ("borne:insurer-b:t1", -17_100, date(2025, 1, 31), date(2025, 2, 3), made["insurer-b"]),
        ("insurer:insurer-a:insurer-c", 74_400, date(2025, 1, 31), date(2025, 2, 3), made["insurer-c"]),
        ("borne:insurer-c:t1", -74_400, date(2025, 1, 31), date(2025, 2, 3), made["insurer-c"]),
    } == booked(town, set(made.values()))
    town.take(void("S-P2", "E-P2", version=2, person_id="P2"))
    town.set("2025-03-03T09:00:00+08:00")
    again = {each.statement_id for each in town.issue("2025-02")}
    assert {("insurer:insurer-a:insurer-b", -8_100), ("insurer:insurer-a:insurer-c", -68_400)} <= {
        each[:2] for each in booked(town, again)
    }
    assert_replays(town.ledger)


def booked(town: StatedTown, references: Collection[str]) -> set[tuple[Any, ...]]:
    leg = clearing_tables.postings
    with town.ledger.connect() as connection:
        rows = connection.execute(select(leg).where(leg.c.reference.in_(references))).all()
    return {(row.account, row.amount, row.effective_on, row.booked_on, row.reference) for row in rows}


def test_the_first_month_is_that_of_the_first_instruction_or_of_its_days(ledger: Engine) -> None:
    """A treaty that was published before its first day begins with the month of that day."""
    town = StatedTown(ledger, shared_text(first="2025-03-15"))
    town.set("2025-05-02T09:00:00+08:00")
    with pytest.raises(NotIssuable, match="begin with 2025-03"):
        town.issue("2025-02")
    assert 1 == town.issue("2025-03")[0].number


def test_treaties_are_stated_each_by_itself(ledger: Engine) -> None:
    """What another treaty, or the fund, paid is on no statement of this one."""
    town = StatedTown(
        ledger,
        shared_text().replace("effective_from", "effective_to = 2024-06-01\neffective_from"),
        treaty_text("t2", "insurer-z", "2024-06-01", "2025-06-01"),
    )
    town.cover("P1")
    paid(town)
    town.set("2025-02-03T09:00:00+08:00")
    assert (1, 0) == (town.issue("2025-01")[0].lines, town.issue("2025-01", "t2")[0].lines)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(times(3, 40)))
def test_months_are_those_of_the_oracle(ledger: Engine, seed: int) -> None:
    """Whatever comes when: lines, states, sums and parts are what an independent program finds; replayed the same."""
    chance, town = Random(seed), StatedTown(ledger)
    persons = ["P1", "P2", "P3"]
    town.cover(*persons)
    versions = dict.fromkeys(persons, 0)
    months = ["2025-01", "2025-02", "2025-03", "2025-04", "2025-05"]
    waiting: list[str] = []
    kept: list[Any] = []
    for month in months:
        for _ in range(chance.randrange(1, 6)):
            town.now = max(town.now, parse_at(month, chance.randrange(1, 28)))
            person = chance.choice(persons)
            payouts = [each for each in town.payouts() if each.claim_id == f"E-{person}"]
            if payouts and chance.random() < 0.5:
                day = f"2025-0{chance.randrange(1, 6)}-{chance.randrange(1, 28):02}T10:00:00+08:00"
                status = chance.choice(["paid", "failed", "returned"])
                town.take(report(chance.choice(payouts).payout_id, person_id=person, status=status, reported_at=day))
                continue
            versions[person] += 1
            if versions[person] > 1 and chance.random() < 0.3:
                town.take(void(f"S-{person}", f"E-{person}", versions[person], person_id=person))
            else:
                paid(town, chance.randrange(1000, 9000), versions[person], person)
        waiting.append(month)
        town.now = parse_at(month, 1) + timedelta(days=40)
        if chance.random() < 0.6:
            while waiting:
                town.issue(waiting.pop(0))
            assert kept == town.rows()[: len(kept)]
            kept = town.rows()
    town.set("2025-07-01T09:00:00+08:00")
    while waiting:
        town.issue(waiting.pop(0))
    assert kept == town.rows()[: len(kept)]
    assert_as_the_oracle_says(town, months)
    assert_replays(town.ledger)


def parse_at(month: str, day: int) -> datetime:
    """Nine o'clock on a day of a month."""
    return month_start(parse_month(month)) + timedelta(days=day - 1, hours=9)


def assert_as_the_oracle_says(town: StatedTown, months: list[str]) -> None:
    order, event, fact = tables.instructions, tables.events, tables.facts
    orders = select(order, event.c.recorded_at).join(event, event.c.event_no == order.c.event_no)
    told = select(event.c.value, event.c.recorded_at, fact.c.subject_id).join(fact, fact.c.event_no == event.c.event_no)
    with town.ledger.connect() as connection:
        instructions = [
            oracle.Instruction(
                row.payout_id,
                row.treaty_id,
                row.kind,
                row.amount,
                row.recorded_at,
                row.reversal_of,
                row.reissue_of,
                of=(row.claim_id, row.scheme_id, row.payee_id),
            )
            for row in connection.execute(orders.order_by(order.c.event_no, order.c.payout_id))
        ]
        reports = [
            oracle.Report(row.subject_id, said["status"], row.recorded_at, datetime.fromisoformat(said["reported_at"]))
            for row in connection.execute(told.where(fact.c.kind == "payout"))
            for said in [json.loads(row.value)]
        ]
    treaty = tomllib.loads(shared_text())
    for month, row in zip(months, stated(town, "insurer-b"), strict=True):
        wanted = oracle.statement(treaty, instructions, reports, parse_month(month))
        lines = town.lines(month, "insurer-b")
        own = [line for line in lines if line["entry"] == "instruction"]
        sign = {"payment": 1, "recovery": -1}
        assert wanted.lines == [
            oracle.Line(
                each["payout_id"], sign[each["kind"]] * parse_yuan(each["amount"]), each["state"], each["corrects"]
            )
            for each in own
        ]
        assert (wanted.before, wanted.net, wanted.after, wanted.cession) == tuple(
            parse_yuan(row[name]) for name in ("cum_before", "net", "cum", "cession")
        )
        assert wanted.parts == {
            each["insurer"]: oracle.Part(parse_yuan(each["part"]), parse_yuan(each["cession"])) for each in row["parts"]
        }
        changed = {line["payout_id"]: line["state"] for line in lines if line["entry"] == "report"}
        assert changed == {line.payout_id: line.state for line in wanted.later}


def test_a_changed_ledger_gives_other_lines(town: StatedTown) -> None:
    """As many as before, but not the same ones: their hash says so."""
    town.cover("P1")
    paid(town)
    town.set("2025-02-03T09:00:00+08:00")
    (lead, *_) = town.issue("2025-01")
    with town.ledger.begin() as connection:
        connection.execute(text("ALTER TABLE instructions DISABLE TRIGGER USER"))
        value = canonical_json({"payee": "person", "tier": "poor"})
        connection.execute(update(tables.instructions).values(value=value))
        lines = MonthLines()
        assert 1 == len(list(lines_again(connection, lead, lines)))
        assert differs(lead, lines)


GUARDED: dict[str, Callable[[Connection], object]] = {
    "a changed statement": lambda c: c.execute(update(clearing_tables.statements).values(value=b"{}")),
    "a deleted statement": lambda c: c.execute(delete(clearing_tables.statements)),
    "a month left out": lambda c: c.execute(insert(clearing_tables.statements), [row_of(3, date(2025, 3, 1))]),
    "a month twice": lambda c: c.execute(insert(clearing_tables.statements), [row_of(2, date(2025, 1, 1))]),
    "the month of another number": lambda c: c.execute(
        insert(clearing_tables.statements), [row_of(1, date(2025, 2, 1), "insurer-x")]
    ),
    "a shard that goes back": lambda c: c.execute(
        update(tables.shards).values(not_before=text("not_before - interval '1 s'"))
    ),
}


def row_of(number: int, month: date, insurer: str = "insurer-a") -> dict[str, Any]:
    name = f"ST-{number}-{format_month(month)}"
    return {
        "statement_id": name,
        "treaty_id": "t1",
        "month": month,
        "insurer": insurer,
        "number": number,
        "value": b"{}",
        "event_no": 1,
    }


@pytest.mark.parametrize("wrong", GUARDED.values(), ids=GUARDED.keys())
def test_the_database_guards_what_was_issued(town: StatedTown, wrong: Callable[[Connection], object]) -> None:
    """Whatever program it is that tries."""
    town.set("2025-02-03T09:00:00+08:00")
    town.issue("2025-01")
    with pytest.raises(DBAPIError), town.ledger.begin() as connection:
        wrong(connection)
