"""A simulated year of a made-up town: its books are closed month by month, exported, and accepted by Beancount."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from random import Random

from sqlalchemy import Engine, select

from acts.book_balances import all_balances
from acts.close_month import close_month
from acts.export_books import export_books
from acts.issue_statements import issue_statements
from acts.rebuild_books import rebuild_books
from handlers.books.beancount_text import account_of_beancount
from handlers.books.trial_balance import TrialBalance, trial_balance_bytes
from handlers.claims.payout_reports import NotReissuable
from handlers.claims.recoveries import NotSettleable
from infra.ledger import book_rows, tables
from infra.population import generate, with_advances
from infra.sharding import shard_of
from schemas.dates import SHANGHAI
from schemas.money import format_yuan
from schemas.months import next_month
from schemas.records import Delivery, Manner
from schemas.topics import FUNDS, HOUSEHOLDS, address
from tests.support.acts import publish, publish_treaty_text, reissue, settle
from tests.support.bean_check import bean_check
from tests.support.builders import SHARDS, Json, report
from tests.support.ledgers import Clock, give, held, in_order, ticking
from tests.support.length import times
from tests.support.loads import sample
from tests.support.replayed import assert_replays
from tests.support.treaties import shared_text

FIRST, LAST = date(2025, 3, 1), date(2026, 2, 1)
SETTLEMENTS = times(250, 2500)


class Town:
    """A ledger that takes a year of events, and insurers that report on what they are told to pay."""

    def __init__(self, ledger: Engine) -> None:
        self.ledger, self.rng = ledger, Random(5)
        self._reports: list[Json] = []
        self._known = 0

    def reports(self, clock: Clock) -> None:
        """About most payouts that were instructed since the last time: paid, failed, or paid and returned later."""
        order = tables.instructions
        query = select(order.c.payout_id, order.c.person_id).order_by(order.c.event_no, order.c.payout_id)
        with self.ledger.connect() as connection:
            rows = connection.execute(query).all()
        told: list[Json] = []
        for row in rows[self._known :]:
            status = self.rng.choices(["paid", "failed", "returned", None], [80, 8, 6, 6])[0]
            if status is not None:
                told.append(report(row.payout_id, person_id=row.person_id, status=status))
        self._known = len(rows)
        self._reports += told
        give(self.ledger, in_order(self._reports)[-len(told) :] if told else [], clock)

    def operators(self, clock: Clock) -> None:
        """Some payouts are ordered again, some recoveries are set off and some are waived, where that is allowed."""
        with self.ledger.connect() as connection:
            ids = list(connection.scalars(select(tables.instructions.c.payout_id).order_by("payout_id")))
            recoveries = select(tables.instructions.c.payout_id).where(tables.instructions.c.kind == "recovery")
            taken_back = list(connection.scalars(recoveries.order_by("payout_id")))
        for name in self.rng.sample(ids, min(len(ids), 40)):
            try:
                reissue(self.ledger, name, "wang.wei", "wrong account", SHARDS, clock)
            except NotReissuable:
                continue
        for name in self.rng.sample(taken_back, min(len(taken_back), 10)):
            try:
                manner = self.rng.choice(list(Manner))
                settle(self.ledger, name, manner, "wang.wei", "poor", SHARDS, clock)
            except NotSettleable:
                continue

    def close(self, month: date, clock: Clock) -> None:
        with self.ledger.begin() as connection:
            close_month(connection, month, "li.na", SHARDS, clock)
            issue_statements(connection, "t1", month, "li.na", SHARDS, clock)


def load() -> list[list[Delivery]]:
    """A year of events in twelve parts; nearly half of the bills say what the hospital advanced."""
    ends: Counter[tuple[str, int]] = Counter()
    found = []
    for value in with_advances(generate(5, 40, settlements=SETTLEMENTS, bad_share=0.05, last_year=2024), 0.4):
        topic, key = address(value)
        if topic in (HOUSEHOLDS.name, FUNDS.name):
            continue  # no policy here counts by household, and none is paid by pools
        place = (topic, shard_of(key.decode(), SHARDS) if key else 0)
        found.append(Delivery(*place, ends[place], key, value))
        ends[place] += 1
    first = len(found) // 4  # registries first
    size = -(-(len(found) - first) // 11)
    return [found[:first], *(found[start : start + size] for start in range(first, len(found), size))]


def closings(balances: dict[date, TrialBalance]) -> dict[tuple[str, str], str]:
    """What each account closes each month with, by the day after the month, and by account."""
    return {
        (str(next_month(month)), account): format_yuan(fen)
        for month, balance in balances.items()
        for account, fen in balance.closings.items()
    }


def asserted(text: str) -> dict[tuple[str, str], str]:
    """The same, as a file for Beancount asserts it."""
    found = re.findall(r"^(\S+) balance (\S+)  (\S+) ~ 0.00 CNY$", text, re.MULTILINE)
    return {(day, account_of_beancount(account)): yuan for day, account, yuan in found}


def test_the_books_of_a_year_are_closed_exported_and_accepted(ledger: Engine, tmp_path: Path) -> None:
    """Events, reports, reissues, set-offs, waivers, a treaty with its statements; closed months stay as they were."""
    town, month = Town(ledger), FIRST
    start = ticking(datetime(2025, 3, 1, 9, tzinfo=SHANGHAI))
    publish(ledger, sample("wuxi", "2010-01-01", None), "li.na", SHARDS, start)
    publish_treaty_text(ledger, shared_text(), "li.na", SHARDS, start)
    held(ledger)
    for part in load():
        clock = ticking(datetime(month.year, month.month, 10, tzinfo=SHANGHAI))
        give(ledger, part, clock)
        town.reports(clock)
        town.operators(clock)
        following = next_month(month)
        town.close(month, ticking(datetime(following.year, following.month, 2, tzinfo=SHANGHAI)))
        month = following
    with ledger.connect() as connection:
        kept = book_rows.closed_months(connection)
        balances = {each.month: each for each in all_balances(connection, next_month(LAST))}  # February's statements
    assert [FIRST, LAST, 12] == [min(kept), max(kept), len(kept)]
    assert [each.trial_balance for each in kept.values()] == [trial_balance_bytes(balances[each]) for each in kept]
    kinds = Counter(line.account.partition(":")[0] for line in balances[LAST].lines)
    assert {"cash", "receivable", "insurer", "payable", "borne", "expense", "waived"} == set(kinds)
    file = tmp_path / "books.beancount"
    done = export_books(ledger, file, None)
    assert (0, "") == bean_check(file)
    text = file.read_text("utf-8")
    assert done.entries == text.count("event_no:") == len(re.findall('audit_hash: "[0-9a-f]{64}"', text))
    assert asserted(text) == closings(balances)
    assert not re.search("P-?[0-9]{4}", text.replace("PO-", ""))
    legs = re.search(r"\n  (\S+)  (\S+) CNY\n  (\S+)  -(\S+) CNY\n", text)
    assert legs is not None
    file.write_text(text.replace(legs[0], legs[0].replace(f"{legs[2]} CNY", f"{legs[2]}1 CNY"), 1), "utf-8")
    status, said = bean_check(file)
    assert (1, True) == (status, "Balance failed" in said)
    assert rebuild_books(ledger, SHARDS).good
    assert_replays(ledger)
