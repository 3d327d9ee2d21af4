"""Statements and the closing of a month in a browser without JavaScript, from one person's proposal to the file."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from tests.support.builders import bill
from tests.support.stated_town import StatedTown
from tests.web.browsing import WIDTHS, approve_what_waits, faults_of, overhang, shoot, signed_in
from tests.web.desk import Desk

pytestmark = pytest.mark.long


@pytest.mark.parametrize(("language", "width"), [("zh", "wide"), ("en", "narrow")])
def test_two_persons_in_two_browsers(browser: Browser, desk: Desk, language: str, width: str) -> None:
    """One issues and closes by a form each, the other one finds both in the menu; what was done is on the pages."""
    town = StatedTown(desk.engine)
    town.cover("P1")
    town.take(bill("S1", "E-P1", person_id="P1"))
    desk.catch_up()
    first, page, complaints = signed_in(browser, desk, "finance", language, WIDTHS[width])
    second, other, more = signed_in(browser, desk, "finance2", language, WIDTHS[width])
    for path, name in (("/statements/of/t1", "statement"), ("/books?month=2025-01", "closing")):
        page.goto(desk.address + path)
        page.fill("#reason", "the month is complete")
        shoot(page, f"{name}-form-{language}-{width}")
        page.click("form[action$=propose] button, form[action$=close] button")
        assert 0 == page.locator("form[action$=approve]").count()
        other.goto(desk.address)
        approve_what_waits(other, f"{name}-proposed-{language}-{width}")
        assert other.url.endswith(path)
        assert 0 == other.locator("a.awaiting").count()
    (balance,) = desk.rows("SELECT sha256 FROM book_months")
    assert other.locator(f"text={balance.sha256}").is_visible()
    other.goto(f"{desk.address}/statements/of/t1")
    other.locator("td.id a").first.click()
    shoot(other, f"statement-{language}-{width}")
    with other.expect_download() as download:
        other.click("form[action$=download] button")
    assert re.fullmatch(r"ST-\w+\.xlsx", download.value.suggested_filename)
    assert 0 == overhang(other)
    assert [] == complaints + more
    for each in (first, second):
        each.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_serious_on_their_pages(browser: Browser, desk: Desk, width: str) -> None:
    """With a proposal that waits, an issued statement, and its lines."""
    town = StatedTown(desk.engine)
    town.cover("P1")
    town.take(bill("S1", "E-P1", person_id="P1"))
    town.set("2025-02-03T10:00:00+08:00")
    made, *_ = town.issue("2025-01")
    visitor = desk.visitor("finance")
    reason = {"reason": "the month is complete"}
    assert 303 == visitor.post("/statements/of/t1/propose", seen="/books", month="2025-02", **reason).status_code
    assert 303 == visitor.post("/books/close", seen="/books", month="2025-01", **reason).status_code
    context = browser.new_context(viewport={"width": WIDTHS[width], "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{desk.address}/sign-in")
    page.fill("#name", "finance2")
    page.fill("#password", "seven red bicycles")
    page.click("main button")
    statement = f"/statements/{made.statement_id}"
    for path in ("/clearing", "/books?month=2025-01", "/statements/of/t1", statement, f"{statement}/lines"):
        answer = page.goto(desk.address + path)
        assert answer
        assert (path, 200, []) == (path, answer.status, faults_of(page))
    context.close()
