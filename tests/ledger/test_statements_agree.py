"""Statements that a real ledger issues, against an oracle that shares no code and is given what was published alone."""

from __future__ import annotations

import json
import tomllib
from datetime import date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Engine, select

from acts.issue_statements import issue_statements
from infra.ledger.clearing_tables import postings
from tests.oracle import books as oracle_of_books
from tests.oracle import statements as oracle
from tests.oracle.payees import fen
from tests.support.builders import SHARDS, Json
from tests.support.length import times
from tests.support.outbox import waiting_messages
from tests.support.random_town import SELF_PAY, RandomTown, shanghai, shared_treaty
from tests.support.replayed import assert_replays
from tests.support.treaties import VILLAGE

STOP_LOSS = """
[treaty.stop_loss]
attachment = "800.00"
limit = "1500.00"
share = "0.90"
insurer = "{}"
"""
THIRDS = ("0.333333", "0.333333", "0.333334")
TREATIES = (
    shared_treaty("v24", "insurer-b", "2024-01-01", "2025-01-01", VILLAGE, THIRDS, STOP_LOSS.format("insurer-a")),
    shared_treaty("s24", "insurer-a", "2024-01-01", "2024-07-01", SELF_PAY, ("0.60", "0.40"), STOP_LOSS.format("re")),
)
MONTHS = [date(2025, month, 1) for month in (3, 4, 5, 6)]


def instructions(town: RandomTown) -> list[oracle.Instruction]:
    return [
        oracle.Instruction(
            each["payout_id"],
            each.get("treaty_id"),
            each["kind"],
            fen(each["amount"]),
            datetime.fromisoformat(each["occurred_at"]),
            each.get("reversal_of"),
            each.get("reissue_of"),
            each.get("set_off_of"),
            (each["claim_id"], each["scheme_id"], each.get("payee_id", "")),
        )
        for each in town.instructions()
    ]


def reports(town: RandomTown) -> list[oracle.Report]:
    return [
        oracle.Report(told["payout_id"], told["status"], recorded_at, datetime.fromisoformat(told["reported_at"]))
        for told, recorded_at in town.reports
    ]


class Issued:
    """What was published of a month of a treaty to one insurer."""

    def __init__(self, messages: list[Json], statement: Json) -> None:
        self.statement = statement
        own = [each for each in messages if each["statement_id"] == statement["statement_id"]]
        self.lines = [line for each in own if each["event_type"] == "statement.lines" for line in each["lines"]]

    def told(self, entry: str) -> list[oracle.Line]:
        """The lines that are instructions, or reports."""
        sign = {"payment": 1, "recovery": -1}
        return [
            oracle.Line(line["payout_id"], sign[line["kind"]] * fen(line["amount"]), line["state"], line["corrects"])
            for line in self.lines
            if line["entry"] == entry
        ]

    def as_told(self) -> oracle.Statement:
        """The statement in the words of the oracle."""
        one = self.statement
        parts = {each["insurer"]: oracle.Part(fen(each["part"]), fen(each["cession"])) for each in one["parts"]}
        sums = (fen(one["cum_before"]), fen(one["net"]), fen(one["cession"]))
        return oracle.Statement(self.told("instruction"), self.told("report"), *sums, parts)


def issued(ledger: Engine) -> list[Issued]:
    sent = [json.loads(row.value) for row in waiting_messages(ledger) if row.topic == "insurance.statements"]
    return [Issued(sent, each) for each in sent if each["event_type"] == "statement.issued"]


def in_any_order(statement: oracle.Statement) -> oracle.Statement:
    """Lines of one event may stand in any order."""
    return statement._replace(lines=sorted(statement.lines), later=sorted(statement.later))


def lived(ledger: Engine, seed: int) -> RandomTown:
    """Some months of a random town, each issued at some time after it ended."""
    random = Random(seed)
    town, waiting = RandomTown(ledger, random, shanghai("2025-03-20T09:00")), list[date]()
    town.live(6)
    for treaty in TREATIES:
        town.publish(treaty)
    for month in MONTHS:
        edge = (month + timedelta(days=31)).replace(day=1)
        town.live(14)
        town.until(shanghai(f"{edge}T00:00") - timedelta(hours=random.randrange(6)))
        town.live(8)
        town.until(max(town.now, shanghai(f"{edge}T00:00")))
        waiting.append(month)
        if random.random() < 0.6 or month == MONTHS[-1]:
            for each in waiting:
                for treaty_id in ("v24", "s24"):
                    with ledger.begin() as connection:
                        issue_statements(connection, treaty_id, each, "li.na", SHARDS, town.clock)
            waiting.clear()
        town.until(shanghai(f"{edge.replace(day=15)}T12:00"))
    return town


@pytest.mark.long
@pytest.mark.parametrize("seed", range(times(2, 25)))
def test_statements_are_those_of_the_oracle(ledger: Engine, seed: int) -> None:
    """Lines, states, sums and everybody's part of every month, however late it was issued; and what is booked of it."""
    town = lived(ledger, seed)
    town.live(10)  # what comes later is in no statement
    found = {
        (one.statement["treaty_id"], one.statement["month"], one.statement["insurer"]): one for one in issued(ledger)
    }
    expected = set[tuple[str, str, str]]()
    for treaty in map(tomllib.loads, TREATIES):
        for month in MONTHS:
            told = oracle.statement(treaty, instructions(town), reports(town), month)
            for insurer, part in told.parts.items():
                name = (treaty["treaty"]["id"], month.isoformat()[:7], insurer)
                expected.add(name)
                own = found[name].statement
                assert in_any_order(told) == in_any_order(found[name].as_told()), name
                assert part == oracle.Part(fen(own["part"]), fen(own["part_of_cession"])), name
                assert told.after == fen(own["cum"])
                assert own["lines"] == len(told.lines) + len(told.later)
    assert expected == found.keys()
    told_to_books = oracle_of_books.journal(oracle_of_books.stated_by(one.statement) for one in found.values())
    assert sorted(told_to_books) == sorted(_posted(ledger, [leg.reference for leg in told_to_books]))
    assert_replays(ledger)


def _posted(ledger: Engine, references: list[str]) -> list[oracle_of_books.Leg]:
    """What is booked of some statements, and whatever else is owed between insurers."""
    leg = postings.c
    with ledger.connect() as connection:
        rows = connection.execute(select(leg.account, leg.amount, leg.booked_on, leg.reference))
        found = [oracle_of_books.Leg(*row) for row in rows]
    return [each for each in found if each.reference in references or each.account.startswith(("insurer:", "borne:"))]
