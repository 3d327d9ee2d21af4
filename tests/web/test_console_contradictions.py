"""What insurers say was paid, beside what is due: contradictions lead from the overview to the payouts themselves."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

from tests.support.builders import report
from tests.support.owed_person import OwedPerson
from tests.web.desk import Desk
from tests.web.town import post
from tests.web.words import words


def paid_twice(desk: Desk) -> OwedPerson:
    """300.00 are due; the payout failed and was reissued, and then the insurer says that both arrived."""
    owed = OwedPerson(desk.engine)
    (first,) = owed.payouts
    owed.report(first, "failed")
    owed.reissue(first)
    owed.report(owed.payouts[-1], "paid", 2)
    owed.report(first, "paid", 3, reference="bank-2")
    desk.catch_up()
    return owed


def test_the_overview_leads_to_what_was_paid_twice(desk: Desk) -> None:
    """The figure says how much is in doubt; the list names claim, payouts, reports, and 600.00 paid for 300.00 due."""
    owed = paid_twice(desk)
    for language, due, paid in (
        ("zh", "已下达(元)", "报告已付(元)"),
        ("en", "Instructed net (yuan)", "Reported paid (yuan)"),
    ):
        visitor = desk.visitor("finance", language)
        overview = visitor.get("/")
        assert 2 == overview.text.count('href="/contradictions"')
        page = visitor.get("/contradictions").text
        said = words(page)
        assert f"{due} 300.00 {paid} 600.00" in said
        for payout in owed.payouts:
            assert payout in page
        assert said.count("bank-1") == 2
        assert "bank-2" in said
        assert 'href="/claims/E1"' in page
    assert 1 == page.count("contradicts</span>")
    admin = desk.visitor("admin")
    assert "报告矛盾(元) 300.00 1 笔" in words(admin.get("/").text)
    assert "/contradictions" not in admin.get("/").text
    assert 403 == admin.get("/contradictions").status_code


def test_a_report_on_a_book_entry_is_listed(desk: Desk) -> None:
    """An insurer who collects a book entry has taken money from the family: less than what is due was paid."""
    owed = OwedPerson(desk.engine)
    owed.report(owed.payouts[0], "failed")
    owed.reissue(owed.payouts[0])
    owed.report(owed.payouts[1], "paid", 2)
    desk.catch_up()
    said = words(desk.visitor("finance").get("/contradictions").text)
    assert "已下达(元) 300.00 报告已付(元) -300.00 差额(元) -600.00" in said
    assert "账面冲销 -300.00 -300.00 已到账" in said


def test_reports_that_match_nothing_are_listed(desk: Desk) -> None:
    """A payout that the ledger does not know, or another person's: neither the overview's doubt nor forgotten."""
    post(desk.engine, [report("PO-unknown", reference="bank-9")])
    desk.catch_up()
    visitor = desk.visitor("operator")
    assert "没有互相矛盾的报告" in visitor.get("/contradictions").text
    assert "PO-unknown 已到账 2024-04-01 10:00:00 · 流水号 bank-9 账本中没有这笔支付" in words(
        visitor.get("/contradictions").text
    )


def figures(page: str) -> list[list[Decimal]]:
    """The amounts of each line that says how the figures add up."""
    (lines,) = re.findall(r'<ul class="sums".*?</ul>', page, re.DOTALL)
    return [
        [Decimal(amount.replace(",", "")) for amount in re.findall(r'<b class="n">(?:<a [^>]+>)?([^<]+)<', line)]
        for line in lines.split("<li>")[1:]
    ]


def check_sums(desk: Desk) -> None:
    """Each line adds up, the net is that of both exports and of the decisions, and the tables add up to it."""
    visitor = desk.visitor("finance")
    page = visitor.get("/").text
    (instructed, book, recovered, net), (all_orders, paid, failed, unreported), *_ = figures(page)
    assert instructed - book - recovered == net
    assert instructed == all_orders == paid + failed + unreported
    due = desk.value("SELECT sum(total_benefit) FROM claims")
    assert Decimal(due) / 100 == net
    for what, column in (("payouts", "amount"), ("claims", "total_benefit")):
        file = visitor.post("/exports", seen="/exports", what=what, format="csv").text
        rows = csv.DictReader(io.StringIO(file.removeprefix("\ufeff")))
        assert net == sum(Decimal(row[column]) for row in rows)
    for table in re.findall(r"<table[^>]*>.*?</table>", page, re.DOTALL)[:2]:
        heads = re.findall(r"<th scope=\"col\"[^>]*>([^<]*)</th>", table)
        body = re.findall(r"<tr>(.*?)</tr>", table.split("<tbody>")[1].split("</tbody>")[0], re.DOTALL)
        cells = [re.findall(r"<td[^>]*>(?:<a [^>]+>)?([^<]*)<", row) for row in body]
        assert net == sum(Decimal(row[heads.index("= 净应付")].replace(",", "")) for row in cells)


def test_the_figures_add_up(town: Desk) -> None:
    """On a town's overview every sum is that of its parts, and of the exports."""
    check_sums(town)


def test_the_figures_add_up_after_a_reissue(desk: Desk) -> None:
    """A reissue and its book entry leave the net as it is, even when both payouts are said to have arrived."""
    paid_twice(desk)
    check_sums(desk)
    assert [Decimal("600.00"), Decimal("300.00"), Decimal("0.00"), Decimal("300.00")] == figures(
        desk.visitor("finance").get("/").text
    )[0]
