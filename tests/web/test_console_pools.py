"""Pools in the console: what they have, who waits, and the closing of a year by two persons."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from acts.pool_account import pool_account
from cli.pools.public_sheet import sheet_page
from infra.ledger import pool_figures
from tests.support.builders import contribution, void
from tests.support.pools import villager
from tests.support.village_pool import VillagePool, sharing_village, short_village
from tests.web.browsing import SCREENSHOTS, WIDTHS, faults_of, overhang, shoot, signed_in
from tests.web.desk import PASSWORD, Desk, Visitor
from tests.web.words import words

REASON = "the year has ended"


@pytest.fixture
def short(desk: Desk) -> VillagePool:
    return short_village(desk.engine)


@pytest.fixture
def sharing(desk: Desk) -> VillagePool:
    return sharing_village(desk.engine)


def said(visitor: Visitor, path: str) -> str:
    answer = visitor.get(path)
    assert 200 == answer.status_code
    return words(answer.text)


def test_the_list_adds_up(desk: Desk, short: VillagePool) -> None:
    """Received less released is the balance; a pool that nobody recorded says so."""
    short.take(*villager("P9", "2024-05-01", 40, "V-unknown"))
    shown = said(desk.visitor("finance", "en"), "/pools")
    assert "Lihu village V1 queues 700.00 500.00 200.00 400.00 2" in shown
    assert "not recorded V-unknown not recorded, and benefits wait for it" in shown
    assert "Total 700.00 500.00 200.00 440.00 3" in shown
    assert "按序排队" in said(desk.visitor("auditor"), "/pools")


def test_a_pool_adds_up(desk: Desk, short: VillagePool) -> None:
    """By kind, by use, by month, by contribution; who waits leads to the claim, and the claim back."""
    visitor = desk.visitor("finance", "en")
    shown = said(visitor, "/pools/V1")
    assert "villagers 600.00 government 100.00 Total 700.00" in shown
    assert "for any scheme 600.00 200.00 village_mutual_aid 100.00 0.00 Total 700.00 200.00" in shown
    assert "2024-01 700.00 0.00 700.00 Total 700.00 500.00 200.00" in shown
    assert "number 1 E-P2 village_mutual_aid 2024-03-02 300.00 number 2 E-P3" in shown
    assert "Total 400.00" in shown
    assert "Qian Duoduo" not in shown
    assert 'href="/claims/E-P2"' in visitor.get("/pools/V1").text
    assert 'href="/pools/V1"' in visitor.get("/claims/E-P2").text


def test_what_is_given_back_is_there_again(desk: Desk, short: VillagePool) -> None:
    """A voided bill's recovery is taken off what was released, and pays those who waited; by month and in all."""
    short.take(void("S-P1", "E-P1", person_id="P1"))
    shown = said(desk.visitor("finance", "en"), "/pools/V1")
    assert "Received (yuan) 700.00 Released, net of recoveries 400.00 Balance 300.00 Waiting 0.00 0 benefits" in shown
    assert "2025-03 0.00 400.00 300.00" in shown


def test_a_claim_says_that_it_waits(desk: Desk, short: VillagePool) -> None:
    """As a payout that waits, with its place of now, in the villager's words; the total is of what was instructed."""
    visitor = desk.visitor("finance")
    shown = said(visitor, "/claims/E-P3")
    assert "100.00 等待发放 本村互助金暂时不足,这笔补助已排队,第 2 位,资金到账后自动发放" in shown
    assert "合计(不含等待发放) 0.00" in shown
    short.take(contribution("G4", yuan=100))
    assert "第 1 位" in said(visitor, "/claims/E-P3")
    assert "等待发放" not in said(visitor, "/claims/E-P2")


def propose(visitor: Visitor, year: str = "2024", reason: str = REASON) -> httpx.Response:
    return visitor.post("/close-year/V1", seen="/pools/V1", year=year, reason=reason)


def decide(visitor: Visitor, act: str, **fields: str) -> httpx.Response:
    """Presses a button on the pool's page."""
    page = visitor.get("/pools/V1").text
    (address,) = re.findall(rf'action="(/clearing/\d+/{act})"', page)
    (sha256,) = re.findall(r'name="sha256" value="(\w*)"', page)
    return visitor.post(address, seen="/pools/V1", **{"sha256": sha256, **fields})


def test_two_persons_close_a_year(desk: Desk, sharing: VillagePool) -> None:
    """The other one finds it in the menu, sees what it comes to, and approves; each gets half."""
    first, second = desk.visitor("finance"), desk.visitor("finance2", "en")
    assert 303 == propose(first).status_code
    assert 'action="/clearing/' not in first.get("/pools/V1").text
    assert 'class="awaiting"' in second.get("/pools").text
    assert "close a pool's year V1 2024" in said(second, "/clearing")
    shown = said(second, "/pools/V1")
    assert "Available (yuan) 450.00 Due 900.00 (3 benefits) Released 450.00 Left unpaid 450.00" in shown
    assert 303 == decide(second, "approve").status_code
    assert [("E-P1", 25_000), ("E-P2", 15_000), ("E-P3", 5_000)] == [
        (*row,) for row in desk.rows("SELECT claim_id, released FROM benefits ORDER BY claim_id")
    ]
    assert "2024 450.00 900.00 450.00 3 finance2" in said(first, "/pools/V1")
    assert "Approve" not in said(second, "/pools/V1")
    assert "还有 250.00 元因互助金不足没有发放" in said(first, "/claims/E-P1")


def test_what_has_changed_is_not_approved(desk: Desk, sharing: VillagePool) -> None:
    """Money that came after the page was opened changes what each gets, so nothing is done."""
    propose(desk.visitor("finance"))
    second = desk.visitor("finance2")
    (sha256,) = re.findall(r'name="sha256" value="(\w*)"', second.get("/pools/V1").text)
    sharing.take(contribution("G4", yuan=90))
    assert 409 == decide(second, "approve", sha256=sha256).status_code
    assert 0 == desk.value("SELECT count(*) FROM pool_years")
    assert 303 == decide(second, "approve").status_code


def test_a_closing_is_refused_with_its_reason(desk: Desk, sharing: VillagePool) -> None:
    """Twice, too early, by oneself, without a reason, without the right; and a rejection leaves everything open."""
    first, second = desk.visitor("finance"), desk.visitor("finance2")
    early = propose(first, "2099")
    assert (422, True) == (early.status_code, "2099 年度还没有结束" in words(early.text))
    assert 'value="2099"' in early.text
    assert (422, 422) == (propose(first, reason=" ").status_code, propose(first, "12x4").status_code)
    assert 403 == propose(desk.visitor("auditor")).status_code
    assert 303 == propose(first).status_code
    assert 409 == propose(second).status_code
    assert 303 == decide(second, "reject", reason="money is still to come").status_code
    assert 0 == desk.value("SELECT count(*) FROM pool_years")
    assert 303 == propose(second).status_code


@pytest.mark.parametrize("path", ["/pools/V9", "/pools/V1/x"])
def test_a_pool_that_is_not_there(desk: Desk, short: VillagePool, path: str) -> None:
    """No page, for those with the right; and none at all without it."""
    assert 404 == desk.visitor("finance").get(path).status_code
    assert 403 == desk.visitor("admin").get("/pools/V1").status_code


@pytest.mark.parametrize(("language", "width"), [("zh", "narrow"), ("en", "wide"), ("en", "narrow")])
def test_the_pages_fit(browser: Browser, desk: Desk, short: VillagePool, language: str, width: str) -> None:
    """At 390 and at 1280 pixels, in both languages, without a complaint or an accessibility fault."""
    paths = {"pools": "/pools", "pool": "/pools/V1", "waiting-claim": "/claims/E-P3"}
    context, page, complaints = signed_in(browser, desk, "finance", language, WIDTHS[width])
    for name, path in paths.items():
        page.goto(desk.address + path)
        shoot(page, f"{name}-{language}-{width}")
        assert (name, 0) == (name, overhang(page))
    assert [] == complaints
    context.close()
    context = browser.new_context(viewport={"width": WIDTHS[width], "height": 900})
    page = context.new_page()
    page.goto(f"{desk.address}/sign-in")
    page.fill("#name", "finance")
    page.fill("#password", PASSWORD)
    page.click("main button")
    for path in paths.values():
        page.goto(desk.address + path)
        assert [] == faults_of(page)
    context.close()


def test_the_village_s_sheet_fits(browser: Browser, desk: Desk, short: VillagePool, tmp_path: Path) -> None:
    """On a telephone, and on one sheet of A4."""
    short.take(contribution("G4", yuan=600), *villager("P4", "2024-06-01", 100))
    with desk.engine.connect() as connection:
        account = pool_account(connection, "V1", date(2025, 3, 31))
        paid = pool_figures.paid_persons(connection, "V1")
    assert account
    page = browser.new_page(viewport={"width": WIDTHS["narrow"], "height": 900})
    page.set_content(sheet_page(account, paid, 0, date(2025, 3, 31)))
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS["narrow"]
    shoot(page, "village-sheet")
    assert [] == faults_of(page)
    file = Path(SCREENSHOTS or tmp_path) / "village-sheet.pdf"
    page.pdf(path=file, format="A4", print_background=True)
    assert 1 == len(re.findall(rb"/Type\s*/Page[^s]", file.read_bytes()))
    page.close()
