"""Pools in the books of a real ledger: their balance is what they received, less what they paid and did not recover."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, text

from acts.export_books import export_books
from acts.rebuild_books import rebuild_books
from acts.verify_audit_log import Trust, verify_ledger
from handlers.audit.log_check import Fault
from handlers.books.beancount_text import beancount_account
from infra.ledger import tables
from schemas import accounts
from tests.oracle import books as oracle
from tests.oracle.payees import fen
from tests.support.bean_check import bean_check
from tests.support.book_year import BookYear
from tests.support.builders import SHARDS, bill, contribution, contribution_void, pool
from tests.support.length import times
from tests.support.movements import movements, posted
from tests.support.pools import POOL_POLICY, villager
from tests.support.random_town import PooledTown, shanghai
from tests.support.replayed import assert_replays

RECEIVED_LESS_PAID = text("""
SELECT (SELECT coalesce(sum(amount), 0) FROM contributions WHERE pool_id = 'V1')
    - (SELECT coalesce(sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END), 0)
        FROM instructions WHERE pool_id = 'V1')
""")
COUNTED = text("""
SELECT coalesce(sum(CASE side WHEN 'received' THEN amount ELSE -amount END), 0) FROM pool_sums WHERE pool_id = 'V1'
""")


def balances(ledger: Engine, file: Path) -> list[int]:
    """What the pool V1 has, in fen: by SQL, as its steps count it, by replay, and in the export for Beancount."""
    with ledger.connect() as connection:
        found = [int(connection.scalar(query) or 0) for query in (RECEIVED_LESS_PAID, COUNTED)]
    assert rebuild_books(ledger, SHARDS).good
    repeated = assert_replays(ledger).postings
    found.append(-sum(each.amount for each in repeated if each.account == accounts.pool("V1")))
    export_books(ledger, file, None)
    assert (0, "") == bean_check(file)
    own = beancount_account(accounts.pool("V1"))
    asserted = re.findall(rf"^\S+ balance {own}  (\S+) ~ 0.00 CNY$", file.read_text("utf-8"), re.MULTILINE)
    return [*found, -fen(asserted[-1])]


@pytest.fixture
def year(ledger: Engine) -> BookYear:
    """A pool of 1,200 yuan that queues; A and B are paid 500 and 300, and C waits for 600."""
    made = BookYear(ledger, policy=POOL_POLICY)
    made.take(pool(), contribution(yuan=1000), contribution("G2", yuan=200))
    made.take(*villager("A", "2024-03-01", 500), *villager("B", "2024-03-02", 300), *villager("C", "2024-03-03", 600))
    return made


def test_the_balance_of_a_pool_is_one_in_every_way_to_add_it_up(year: BookYear, tmp_path: Path) -> None:
    """With a failed payment that is ordered again, a recovery, and contributions that are lower or voided later."""
    file = tmp_path / "books.beancount"
    assert [40_000] * 4 == balances(year.ledger, file)
    first, second = year.payouts()
    year.report(first, "failed")
    year.on("2025-05-02").reissue(first)
    assert [40_000] * 4 == balances(year.ledger, file)
    year.report(second, "paid")
    year.take(bill("S-B", "E-B", 2400, version=2, person_id="B"))  # 200 due, so 100 are recovered: C gets no 500
    assert [50_000] * 4 == balances(year.ledger, file)
    year.on("2025-06-02").take(contribution("G3", yuan=100))  # C is paid
    assert [0] * 4 == balances(year.ledger, file)
    year.take(contribution_void("G2"), contribution(yuan=950, version=2))
    assert [-25_000] * 4 == balances(year.ledger, file)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(times(2, 25)))
def test_the_books_of_pools_are_those_of_the_oracle(ledger: Engine, tmp_path: Path, seed: int) -> None:
    """Leg by leg, whatever is corrected, contributed, voided, reported, settled or ordered again."""
    town = PooledTown(ledger, Random(seed), shanghai("2025-03-20T09:00"))
    for _ in range(3):
        town.live(30)
        town.until(town.now + timedelta(days=20))
    legs = oracle.journal(movements(town))
    assert sorted(legs) == sorted(posted(ledger))
    held = -oracle.balances(legs).get("pool:V1", 0)
    assert [held] * 4 == balances(ledger, tmp_path / "books.beancount")
    assert {"payment", "recovery"} == {each["kind"] for each in town.instructions() if "pool_id" in each}


def test_an_entry_of_a_contribution_names_it_and_when_it_was_received(year: BookYear, tmp_path: Path) -> None:
    """In the journal and in the export, with the audit entry that took it in; what a pool pays names its payout."""
    first, *_ = year.entries()
    assert ("G1", "2024-01-02") == (first.reference, str(first.effective_on))
    assert [("cash:fund", 100_000), ("pool:V1", -100_000)] == [tuple(leg) for leg in first.legs]
    file = tmp_path / "books.beancount"
    export_books(year.ledger, file, None)
    wanted = r'event_no: (\d+)\n  contribution_id: "G1"\n  audit_hash: "([0-9a-f]{64})"'
    ((number, audit_hash),) = re.findall(wanted, file.read_text("utf-8"))
    entry = tables.audit_entries
    with year.ledger.connect() as connection:
        kept = connection.execute(entry.select().where(entry.c.event_no == int(number))).one()
    assert (audit_hash, "event.accepted") == (json.loads(kept.value)["hash"], kept.kind)
    (paid,) = year.payouts()[:1]
    charged = f'payout_id: "{paid}"[^*]*\n  Liabilities:Pool:V1|payout_id: "{paid}"[^*]*\n  Liabilities:Pool:Id--V1'
    assert re.search(charged, file.read_text("utf-8"))


def test_the_books_of_pools_are_good(year: BookYear) -> None:
    """No false alarm, also of a contribution that was voided and of one whose id is a payout's."""
    year.take(contribution(year.payouts()[0], yuan=3), contribution_void("G2"))
    assert [] == verify_ledger(year.ledger, Trust([], use=False), lambda _: None).findings


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE postings SET amount = amount + sign(amount) WHERE reference = 'G1'", "and its reports: G1"),
        ("UPDATE postings SET account = 'pool:V2' WHERE account = 'pool:V1' AND reference = 'G2'", "reports: G2"),
        ("UPDATE postings SET account = 'pool:V2' WHERE account = 'pool:V1' AND reference LIKE 'PO-%'", "reports: PO-"),
        ("DELETE FROM postings WHERE (event_no, entry) IN "
         "(SELECT event_no, entry FROM postings WHERE account LIKE 'funded:%')", "reports: PO-"),
        ("UPDATE contributions SET amount = amount + 1 WHERE contribution_id = 'G2'", "reports: G2"),
        ("UPDATE pool_sums SET amount = amount - 1 WHERE side = 'released'", "did not recover: V1"),
        ("DELETE FROM pool_sums", "did not recover: V1"),
    ],
)  # fmt: skip
def test_changed_money_of_a_pool_is_found(year: BookYear, statement: str, said: str) -> None:
    """What only who owns the database can do, past the guards."""
    with year.ledger.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement))
    findings = verify_ledger(year.ledger, Trust([], use=False), lambda _: None).findings
    assert Fault.BOOKS_DISAGREE == findings[0].fault
    assert any(said in each.saying.en for each in findings), findings
