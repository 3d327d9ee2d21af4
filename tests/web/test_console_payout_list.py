"""The list of payouts: what is in it, by filter and order, what it adds up to, and the file of it."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from decimal import Decimal

import pytest

from infra.ledger import digest
from schemas.records import Manner
from tests.support.builders import POLICY, bill, coverage, coverage_void, discharge, report
from tests.support.debtor import Debtor
from tests.support.owed_person import OwedPerson
from tests.web.desk import Desk
from tests.web.downloads import table
from tests.web.lists import figure, lines, yuan
from tests.web.town import post, publish_text
from web.console import payouts_page

BY_TIER = """
    SELECT scheme_id, tier, day, kind, state, sum(payouts) AS payouts, sum(amount) AS amount FROM digest_payout_list
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""
SUMMED = """
    SELECT scheme_id, tier, day, kind, state, payouts, amount FROM digest_money WHERE amount <> 0 ORDER BY 1, 2, 3, 4, 5
"""
LISTED = """
    SELECT payout_id, claim_id, scheme_id, kind, state, payer, payee_id, sum(amount) AS amount
    FROM digest_payout_list GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1
"""
ORDERED = """
    SELECT i.payout_id, claim_id, scheme_id, kind, CASE WHEN coalesce(reversal_of, set_off_of) IS NOT NULL THEN 'book'
        ELSE coalesce(s.state, 'instructed') END AS state, payer, payee_id, amount
    FROM instructions i LEFT JOIN payout_states s ON s.payout_id = i.payout_id AND s.person_id = i.person_id ORDER BY 1
"""


def check(desk: Desk) -> None:
    """Each instruction is listed with the state that it has, in the tiers of the digest's sums."""
    assert desk.rows(ORDERED) == desk.rows(LISTED)
    assert desk.rows(SUMMED) == desk.rows(BY_TIER)


def test_a_towns_payouts(town: Desk) -> None:
    """Each with claim, scheme, kind, state, payer, payee and amount, and in the tiers whose money it moves."""
    assert town.value("SELECT count(DISTINCT state) FROM digest_payout_list") > 3
    check(town)


@pytest.mark.parametrize("chunk", [1, 5000])
def test_the_pieces_do_not_matter_to_the_list_of_payouts(desk: Desk, chunk: int) -> None:
    """One entry at a time or all at once: reports, a return, reissues, and a recovery that falls into two tiers."""
    publish_text(desk.engine, POLICY)
    for events in ([coverage("C1", "ordinary"), coverage("C2")], [discharge(), bill(copay=3000)]):
        post(desk.engine, events)
    for event in (coverage("C1", "dibao", version=2), bill(copay=7000, version=2)):
        post(desk.engine, [event])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    payouts = [row.payout_id for row in desk.rows("SELECT payout_id FROM instructions ORDER BY payout_id")]
    post(desk.engine, [report(payout_id, status="failed") for payout_id in payouts[:2]])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    post(desk.engine, [report(payouts[0], status="paid", reported_at="2026-02-01T10:00:00+08:00")])
    for event in (bill(copay=2500, version=3), coverage("C1", "nobody", version=3), coverage_void("C2")):
        post(desk.engine, [event])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    assert desk.value("SELECT count(*) - count(DISTINCT payout_id) FROM digest_payout_list") > 0, "none in two tiers"


def test_the_list_of_payouts_has_reissues_and_set_offs(desk: Desk) -> None:
    """What takes a payout off the books, and what is kept back, are book entries there too."""
    owed = OwedPerson(desk.engine)
    owed.report(owed.payouts[0], "failed")
    owed.reissue(owed.payouts[0])
    desk.catch_up()
    check(desk)
    assert desk.value("SELECT count(*) FROM digest_payout_list WHERE state = 'book'") == 1


def test_a_set_off_is_listed_as_a_book_entry(desk: Desk) -> None:
    """It moves no money."""
    debtor = Debtor(desk.engine)
    debtor.settle(Manner.SET_OFF)
    debtor.stay(5)
    desk.catch_up()
    check(desk)
    assert desk.value("SELECT count(*) FROM digest_payout_list WHERE state = 'book'") > 0


@pytest.mark.parametrize("few", [0, 5000])
@pytest.mark.parametrize("sort", ["newest", "oldest", "largest", "smallest"])
def test_each_payout_is_listed_once_in_order(town: Desk, monkeypatch: pytest.MonkeyPatch, sort: str, few: int) -> None:
    """Through all pages, each of which begins where the one before ended, whatever the order and however many."""
    monkeypatch.setattr(payouts_page, "FEW", few)
    monkeypatch.setattr(payouts_page, "PAGE_ROWS", 11)
    found = lines(town.visitor("auditor"), f"/payouts?sort={sort}")
    listed = town.rows("SELECT payout_id, tier FROM digest_payout_list")
    assert sorted((row.payout_id, row.tier or "–") for row in listed) == sorted((row[0], row[4]) for row in found)
    keys = [row[2] if sort in ("newest", "oldest") else abs(yuan(row[8])) for row in found]
    assert keys == sorted(keys, reverse=sort in ("newest", "largest"))


FILTERS = {
    "kind=payment&status=ordered": "kind = 'payment' AND state <> 'book'",
    "status=missing": "state IN ('failed', 'returned')",
    "scheme=village_mutual_aid&low=200&high=1,000.00": "scheme_id = 'village_mutual_aid' "
    "AND amount BETWEEN 20000 AND 100000",
    "payer=fund&payee=person&status=paid": "payer = 'fund' AND payee_id = '' AND state = 'paid'",
    "since=2020-01-01&until=2999-01-01": "true",
}


@pytest.mark.parametrize("asked", FILTERS)
def test_a_filter_leaves_the_payouts_that_the_file_holds(town: Desk, asked: str) -> None:
    """The instructions of the ledger that match, the figures at the top, and the export with the same fields."""
    visitor = town.visitor("finance")
    wanted = {
        row.payout_id: Decimal(row.amount if row.kind == "payment" else -row.amount) / 100
        for row in town.rows(f"SELECT * FROM ({ORDERED}) AS o WHERE {FILTERS[asked]}")
    }
    assert wanted
    listed = defaultdict[str, Decimal](Decimal)
    for row in lines(visitor, f"/payouts?{asked}"):
        listed[row[0]] += yuan(row[8])
    assert wanted == listed
    page = visitor.get(f"/payouts?{asked}").text
    assert sum(wanted.values()) == figure(page, "净应付(元)")
    given = dict(each.split("=") for each in asked.split("&"))
    file = visitor.post("/exports", seen=f"/payouts?{asked}", what="payouts", format="csv", **given)
    assert wanted == {row["payout_id"]: Decimal(row["amount"]) for row in table("csv", file.content)}


@pytest.mark.parametrize("path", ["/", "/payouts"])
def test_each_total_of_payouts_leads_to_them(town: Desk, path: str) -> None:
    """A figure of the overview, of a tier, of a day and of the list itself is what the list that it opens holds."""
    visitor = town.visitor("finance")
    found = set(re.findall(r'href="(/payouts[^"]*)" aria-label="[^"]+: (-?[\d,.]+)">', visitor.get(path).text))
    assert len(found) > (15 if path == "/" else 6)
    for address, number in found:
        amounts = [yuan(row[8]) for row in lines(visitor, html.unescape(address))]
        together = map(abs, amounts) if address.endswith("?status=missing") else amounts
        assert (address, abs(yuan(number))) == (address, abs(sum(together, Decimal(0))))


def test_who_may_see_no_claims_has_no_way_to_payouts(town: Desk) -> None:
    """The administrator sees the overview's totals, without a link, and not the list."""
    visitor = town.visitor("admin")
    assert "/payouts" not in visitor.get("/").text
    assert 403 == visitor.get("/payouts").status_code


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("status=adjudicated", 422),
        ("kind=gift", 422),
        ("payee=dog", 422),
        ("facility=H1", 422),
        ("tier=ordinary", 422),
        ("sort=random", 404),
        ("after=x", 404),
        ("after=tomorrow.PO.x", 404),
        (f"sort=largest&after={2**63}.PO.x", 404),
    ],
)
def test_a_list_of_payouts_that_makes_no_sense(town: Desk, asked: str, status: int) -> None:
    """Is refused with a page that says why, and is no fault."""
    assert status == town.visitor("auditor").get(f"/payouts?{asked}").status_code
