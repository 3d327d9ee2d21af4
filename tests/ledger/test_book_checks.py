"""`huzhu audit verify` notices postings and closed months that are not what was recorded."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from acts.verify_audit_log import Trust, verify_ledger
from handlers.audit.log_check import Fault
from schemas.records import Manner
from tests.support.book_year import BookYear
from tests.support.builders import bill, void
from tests.support.replayed import assert_replays


def findings(ledger: Engine) -> list[tuple[Fault, str]]:
    verified = verify_ledger(ledger, Trust([], use=False), lambda _: None)
    return [(each.fault, each.saying.en) for each in verified.findings]


@pytest.fixture
def closed(ledger: Engine) -> BookYear:
    """A closed month with a payment that returned and was ordered again, and an open one in which all is taken back."""
    year = BookYear(ledger)
    year.take(bill(advances=[{"scheme_id": "village_mutual_aid", "amount": "100.00"}]))
    first, second = year.payouts()
    year.report(first, "paid")
    year.report(first, "returned", "2025-04-04T10:00:00+08:00")
    year.report(second, "paid")
    year.reissue(first)
    year.on("2025-05-02").close("2025-04")
    year.take(void(version=2))
    year.report(year.payouts()[-1], "paid")
    return year


def test_sound_books_are_good(closed: BookYear) -> None:
    """No false alarm."""
    assert [] == findings(closed.ledger)


def test_recoveries_that_nobody_collects_are_good(ledger: Engine) -> None:
    """One is set off against the next payment, and one is waived; a report about either moves nothing."""
    year = BookYear(ledger)
    year.take(bill())
    year.report(year.payouts()[0], "paid")
    year.take(void(version=2))
    first = year.payouts()[-1]
    year.settle(first, Manner.SET_OFF)
    year.take(bill(version=3))
    year.report(first, "paid")
    year.take(void(version=4))
    second = year.payouts()[-1]
    year.settle(second, Manner.WAIVED)
    year.report(second, "paid")
    assert [] == findings(ledger)
    kinds = {leg.account.partition(":")[0] for each in year.entries() for leg in each.legs}
    assert {"cash", "expense", "payable", "receivable", "waived"} == kinds
    assert_replays(ledger)


@pytest.mark.parametrize(
    ("statements", "fault", "said"),
    [
        (["UPDATE postings SET amount = amount + sign(amount) WHERE event_no = 4 AND entry = 1"],
         Fault.BOOKS_DISAGREE, "of the instruction and its reports: PO-"),
        (["UPDATE postings SET amount = amount + 1 WHERE event_no = 4 AND entry = 1 AND leg = 1"],
         Fault.BOOKS_DISAGREE, "entries do not balance"),
        (["UPDATE postings SET account = 'payable:fund:person' WHERE account LIKE 'payable:fund:facility:%'"],
         Fault.BOOKS_DISAGREE, "of the instruction and its reports: PO-"),
        (["UPDATE postings SET booked_on = '2025-05-02' WHERE event_no = 4"], Fault.BOOKS_DISAGREE, "4/1, 4/2"),
        (["DELETE FROM postings WHERE event_no = 4"], Fault.BOOKS_DISAGREE, "instruction and its reports: PO-"),
        (["INSERT INTO postings SELECT 4711, entry, leg, account, amount, effective_on, booked_on, reference "
          "FROM postings WHERE event_no = 4"], Fault.BOOKS_DISAGREE, "4711/1"),
        (["ALTER TABLE book_months DROP CONSTRAINT book_months_sha256",
          "UPDATE book_months SET trial_balance = trial_balance || ' '"],
         Fault.BOOKS_DISAGREE, "the trial balance of 2025-04 is not the one at its closing"),
        (["UPDATE book_months SET trial_balance = 'x', sha256 = encode(sha256('x'), 'hex')"],
         Fault.CONTENT_CHANGED, "the closed month is not what was recorded: 2025-04"),
        (["DELETE FROM book_months"], Fault.CONTENT_CHANGED, "the closed month is not what was recorded: 2025-04"),
        (["INSERT INTO book_months SELECT '2025-05-01', trial_balance, sha256, operator, closed_at, event_no "
          "FROM book_months"], Fault.NOT_AUDITED, "no entry closes the month 2025-05"),
    ],
)  # fmt: skip
def test_changed_books_are_found(closed: BookYear, statements: list[str], fault: Fault, said: str) -> None:
    """What only who owns the database can do, past the guards."""
    with closed.ledger.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for each in statements:
            connection.execute(text(each))
    found = findings(closed.ledger)
    assert fault == found[0][0]
    assert any(said in each for _, each in found), found
