"""The books of a real ledger: what is posted, months that are closed for good, and that events give them again."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from acts.close_month import NotClosable
from acts.four_eyes import NoProposal, OwnProposal, TooLate
from acts.propose_closing import approve_closing, propose_closing, reject_closing
from handlers.claims.settle import payout_id_of
from infra.ledger.book_checks import booked_wrongly
from infra.ledger.book_rows import EntryFilter
from schemas.canonical import sha256_hex
from schemas.ids import ClaimId
from tests.support.book_year import BookYear
from tests.support.builders import SHARDS, bill, discharge, report, void
from tests.support.ledgers import contents
from tests.support.replayed import assert_replays


@pytest.fixture
def year(ledger: Engine) -> BookYear:
    return BookYear(ledger)


def accounts(value: bytes) -> dict[str, tuple[str, ...]]:
    """Opening, debit, credit and closing of each account."""
    names = ("opening", "debit", "credit", "closing")
    return {each["account"]: tuple(each[name] for name in names) for each in json.loads(value)["accounts"]}


def test_a_month_shows_what_was_instructed_and_what_was_paid(year: BookYear) -> None:
    """The expense stays, the payable goes when the money has gone, and the next month opens with what was left."""
    year.take(bill())
    year.report(year.payouts()[0], "paid")
    assert accounts(year.balance("2025-04")) == {
        "cash:fund": ("0.00", "0.00", "300.00", "-300.00"),
        "expense:village_mutual_aid": ("0.00", "300.00", "0.00", "300.00"),
        "payable:fund:person": ("0.00", "300.00", "300.00", "0.00"),
    }
    assert accounts(year.balance("2025-05"))["payable:fund:person"] == ("0.00", "0.00", "0.00", "0.00")
    assert accounts(year.balance("2025-05"))["cash:fund"] == ("-300.00", "0.00", "0.00", "-300.00")


def test_a_report_that_came_too_early_is_booked_with_the_instruction(year: BookYear) -> None:
    """It met nothing; once the payout is instructed, its state is paid, in the books as well, and later ones follow."""
    payout_id = payout_id_of(ClaimId("E1"), "village_mutual_aid", 1)
    year.take(report(payout_id))
    assert year.entries() == []
    year.take(bill())
    assert accounts(year.balance("2025-04")) == {
        "cash:fund": ("0.00", "0.00", "300.00", "-300.00"),
        "expense:village_mutual_aid": ("0.00", "300.00", "0.00", "300.00"),
        "payable:fund:person": ("0.00", "300.00", "300.00", "0.00"),
    }
    year.report(payout_id, "returned", "2025-04-04T10:00:00+08:00")
    assert accounts(year.balance("2025-04"))["payable:fund:person"] == ("0.00", "300.00", "600.00", "-300.00")
    with year.ledger.connect() as connection:
        assert [] == booked_wrongly(connection)
    assert_replays(year.ledger)


def test_a_closed_month_stays_as_it_is_whatever_is_corrected_later(year: BookYear) -> None:
    """The correction is booked in the open month and names the month that it concerns; the law, byte for byte."""
    year.take(bill())
    year.report(year.payouts()[0], "paid")
    closed = year.on("2025-05-02").close("2025-04")
    kept = year.stored("2025-04")
    assert (kept, sha256_hex(kept)) == (year.balance("2025-04"), closed.sha256)
    year.on("2025-06-10").take(void(version=2))
    assert kept == year.balance("2025-04") == year.stored("2025-04")
    year.close("2025-05")
    year.on("2025-07-01").close("2025-06")
    year.take(bill(version=3, copay=4000))
    assert kept == year.balance("2025-04") == year.stored("2025-04")
    assert year.balance("2025-06") == year.stored("2025-06")
    assert accounts(year.stored("2025-06"))["receivable:fund:person"] == ("0.00", "300.00", "0.00", "300.00")
    assert ["2024-03-01"] * 4 == [str(each.concerns) for each in year.entries()]
    assert_replays(year.ledger)


def test_an_entry_of_its_own_month_names_no_other(year: BookYear) -> None:
    """Discharged in April and booked in April."""
    year.take(discharge(version=2, discharged_on="2025-04-01", occurred_at="2025-04-01T12:00:00+08:00"), bill())
    assert [None] == [each.concerns for each in year.entries()]


def test_closing_is_an_act_in_the_audit_log(year: BookYear) -> None:
    """With the operator, the month and the SHA-256 of the trial balance."""
    year.take(bill())
    closed = year.on("2025-05-01", "00:00:00").close("2025-04")
    (told,) = year.audited("month.closed")
    assert "operator:li.na" == told["actor"]
    assert {"month": "2025-04", "trial_balance_sha256": closed.sha256} == told["subject"]


def refused(year: BookYear, month: str) -> str:
    """Why a month cannot be closed; nothing was written."""
    before = contents(year.ledger)
    with pytest.raises(NotClosable) as raised:
        year.close(month)
    assert before == contents(year.ledger)
    return raised.value.why.en


def test_nothing_is_closed_while_nothing_was_posted(year: BookYear) -> None:
    """Not even a month that has ended."""
    assert "Nothing has been posted yet" in refused(year, "2025-03")


def test_months_are_closed_in_order_each_once_and_after_its_end(year: BookYear) -> None:
    """The first is that of the first posting; every refusal names the next one."""
    year.take(bill())
    assert "2025-04 has not ended" in refused(year.on("2025-04-30", "23:59:50"), "2025-04")
    year.on("2025-08-01", "00:00:00")
    assert "The next one is 2025-04" in refused(year, "2025-03")
    assert "The next one is 2025-04" in refused(year, "2025-05")
    year.close("2025-04")
    assert "2025-04 is closed already, and is closed once. The next month to close is 2025-05" in refused(
        year, "2025-04"
    )
    assert "The next one is 2025-05" in refused(year, "2025-03")
    assert "The next one is 2025-05" in refused(year, "2025-06")
    year.close("2025-05")
    year.close("2025-06")
    assert json.loads(year.stored("2025-05"))["debit"] == "0.00"
    assert "2025-08 has not ended" in refused(year.close("2025-07") and year, "2025-08")
    assert_replays(year.ledger)


def test_a_clock_that_is_behind_books_nothing_in_a_closed_month(year: BookYear) -> None:
    """It is taken for the first moment after the month."""
    year.take(bill())
    year.on("2025-05-01").close("2025-04")
    year.on("2025-04-20").take(void(version=2))
    assert ["2025-04-02", "2025-04-02", "2025-05-01", "2025-05-01"] == [str(day) for day, _ in year.booked()]
    assert_replays(year.ledger)


def test_entries_are_found_by_month_account_and_payout(year: BookYear) -> None:
    """Each figure of the trial balance leads to the entries under it."""
    year.take(bill())
    (name,) = year.payouts()
    year.on("2025-05-02").report(name, "failed")
    year.reissue(name)
    new = year.payouts()[-1]
    year.on("2025-06-02").report(new, "paid", "2025-06-01T10:00:00+08:00")

    def found(**chosen: Any) -> list[tuple[str, str]]:
        return [(str(each.booked_on)[:7], each.legs[0].account) for each in year.entries(EntryFilter(**chosen))]

    expense, payable = "expense:village_mutual_aid", "payable:fund:person"
    assert [("2025-04", expense), ("2025-05", payable), ("2025-05", expense), ("2025-06", payable)] == found()
    assert [("2025-05", payable), ("2025-05", expense)] == found(since=date(2025, 5, 1), before=date(2025, 6, 1))
    assert [("2025-06", payable)] == found(account="cash:fund")
    assert [("2025-05", expense), ("2025-06", payable)] == found(reference=new)
    assert_replays(year.ledger)


def test_in_the_console_two_people_close_a_month(year: BookYear) -> None:
    """Whoever proposed cannot approve; one closing waits at a time; the act names both, and replays."""
    year.take(bill())
    april = date(2025, 4, 1)
    with pytest.raises(NotClosable), year.ledger.begin() as connection:
        propose_closing(connection, april, "month end", "li.na", year.clock)
    year.on("2025-05-02")
    with year.ledger.begin() as connection:
        number = propose_closing(connection, april, "month end", "li.na", year.clock)
    with pytest.raises(TooLate), year.ledger.begin() as connection:
        propose_closing(connection, april, "month end", "zhao.min", year.clock)
    with pytest.raises(OwnProposal), year.ledger.begin() as connection:
        approve_closing(connection, number, "Li.Na", SHARDS, year.clock)
    with year.ledger.begin() as connection:
        reject_closing(connection, number, "a report is missing", "wang.wei", year.clock)
    with year.ledger.begin() as connection:
        number = propose_closing(connection, april, "month end", "li.na", year.clock)
    with year.ledger.begin() as connection:
        closed = approve_closing(connection, number, "wang.wei", SHARDS, year.clock)
    with pytest.raises(TooLate), year.ledger.begin() as connection:
        approve_closing(connection, number, "wang.wei", SHARDS, year.clock)
    with pytest.raises(NoProposal), year.ledger.begin() as connection:
        reject_closing(connection, 99, "why", "wang.wei", year.clock)
    assert closed.sha256 == sha256_hex(year.stored("2025-04"))
    (entry,) = year.audited("month.closed")
    assert "month end (proposed by li.na, approved by wang.wei)" == entry["subject"]["reason"]
    assert_replays(year.ledger)
