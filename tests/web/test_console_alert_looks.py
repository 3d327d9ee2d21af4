"""Alerts, held claims and aid in a browser: from the work list to what two people decided, and how the pages look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page

from infra.ledger.alert_lists import NOBODY
from tests.web.alert_office import high_alert, last_stay, open_office, paths
from tests.web.browsing import WIDTHS, approve_what_waits, faults_of, overhang, shoot, signed_in
from tests.web.desk import Desk
from tests.web.town import new_ledger

BOTH = [("zh", "wide"), ("en", "narrow")]
WHY = {"zh": "已入户核实,家庭负担重", "en": "visited, the family is in debt"}
FOR_AXE = ("alerts-filtered", "high", "holds", "hold", "aids", "aid", "aid-form")
"""Pages of each kind that the town of the other tests does not have, or has without anything to do on them."""
CHECKED = {"zh": "两张票据都属实", "en": "both bills are right"}


@pytest.fixture(scope="module")
def office(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Shared by all tests: each walks on its own person's alert."""
    folder = tmp_path_factory.mktemp("office")
    with new_ledger(postgres_url, "office") as engine, open_office(engine, folder) as opened:
        yield opened


def ill_formed(page: Page) -> list[str]:
    """Headings that skip a level or are there twice, and cells of a table's head that do not say what they head."""
    levels = [int(tag[1]) for tag in page.locator("h1, h2, h3").evaluate_all("all => all.map(e => e.tagName)")]
    found = ["h1"] if levels.count(1) != 1 or levels[0] != 1 else []
    found += [f"h{after}" for before, after in pairwise(levels) if after > before + 1]
    return found + page.locator("th:not([scope]), .wide:not([tabindex]), .wide:not([aria-label])").all_inner_texts()


def foreign(page: Page, language: str) -> list[str]:
    """What a page says in the other language, apart from what people wrote."""
    said = page.locator("body").inner_text()
    written = "入户核实,家庭困难 / visited"
    other = r"[\u4e00-\u9fff]+" if language == "en" else r"[A-Za-z]{2,} [a-z]{2,}"
    return re.findall(other, re.sub(f"{written}|中文|huzhu audit", "", said))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_their_pages_fit_and_are_in_one_language(browser: Browser, office: Desk, language: str) -> None:
    """Nothing is wider than the screen or left in the other language, and the browser does not complain."""
    context, page, complaints = signed_in(browser, office, "finance", language, WIDTHS["wide"])
    for name, path in paths(office).items():
        answer = page.goto(office.address + path)
        assert answer
        assert (name, 200, [], []) == (name, answer.status, foreign(page, language), ill_formed(page))
        for width, pixels in WIDTHS.items():
            page.set_viewport_size({"width": pixels, "height": 900})
            shoot(page, f"{name}-{language}-{width}")
            assert (name, width, 0) == (name, width, overhang(page))
    assert [] == complaints
    context.close()


@pytest.mark.parametrize(("language", "width"), [pytest.param("zh", "wide", marks=pytest.mark.prove), ("en", "narrow")])
def test_their_pages_are_for_the_blind_too(browser: Browser, office: Desk, language: str, width: str) -> None:
    """Contrast, labels and names of controls: axe finds nothing serious."""
    context, page, _ = signed_in(browser, office, "finance", language, WIDTHS[width], checked=True)
    of_page = paths(office)
    for name in FOR_AXE:
        page.goto(office.address + of_page[name])
        assert (name, []) == (name, faults_of(page))
    context.close()


@pytest.mark.parametrize(("language", "width"), BOTH)
def test_from_the_work_list_to_countersigned_aid(browser: Browser, office: Desk, language: str, width: str) -> None:
    """One finds the alert, takes it and proposes; another one follows the menu and countersigns; the first closes."""
    first, page, complaints = signed_in(browser, office, "operator", language, WIDTHS[width])
    second, other, more = signed_in(browser, office, "operator2", language, WIDTHS[width])
    page.click("nav a[href='/alerts']")
    page.select_option("#code", "SELF_PAY_HIGH")
    page.select_option("#taken", NOBODY)
    page.click("form[action='/alerts'] button")
    page.click(f"tr:has-text('{last_stay(language)}') a")
    assert f"{office.address}/alerts/{high_alert(language)}" == page.url
    page.click("form[action$=take] button")
    assert 0 == page.locator("form[action$=take]").count()
    shoot(page, f"taken-{language}-{width}")
    page.click("a[href$='/aid?alert=" + high_alert(language) + "']")
    page.select_option("#level", "district")
    page.fill("#amount", "4,000.00")
    page.check("[name=emergency]")
    page.fill("#reason", WHY[language])
    page.click("form[action*='/aid?'] button")
    shoot(page, f"proposed-{language}-{width}")
    assert 0 == page.locator("form[action$=countersign]").count()
    other.reload()
    approve_what_waits(other, f"to-countersign-{language}-{width}")
    shoot(other, f"countersigned-{language}-{width}")
    page.goto(f"{office.address}/alerts/{high_alert(language)}")
    assert page.locator(f"a[href='{other.url.removeprefix(office.address)}']").is_visible()
    page.fill("#reason", WHY[language])
    page.click("form[action$=close] button")
    assert f"{office.address}/alerts" == page.url
    page.goto(f"{office.address}/alerts/{high_alert(language)}")
    shoot(page, f"closed-{language}-{width}")
    granted = "SELECT proposed_by, decided_by, decision, amount, emergency FROM aid_proposals WHERE alert_id = :alert"
    closed = "SELECT taken_by, closed_by, outcome FROM alerts WHERE alert_id = :alert"
    (aid,), (alert,) = (office.rows(query, alert=high_alert(language)) for query in (granted, closed))
    assert ("operator", "operator2", "approved", 400_000, True) == tuple(aid)
    assert ("operator", "operator", WHY[language]) == tuple(alert)
    assert (0, 0, []) == (overhang(page), overhang(other), complaints + more)
    for each in (first, second):
        each.close()


@pytest.mark.parametrize(("language", "width"), BOTH)
def test_two_persons_release_a_held_claim(browser: Browser, office: Desk, language: str, width: str) -> None:
    """One proposes it from the list, another one finds it in the menu and approves; then it is paid."""
    claim = f"E-{language}-2"
    paid = "SELECT sum(amount) FROM instructions WHERE claim_id = :claim"
    assert office.value(paid, claim=claim) is None
    first, page, complaints = signed_in(browser, office, "finance", language, WIDTHS[width])
    second, other, more = signed_in(browser, office, "finance2", language, WIDTHS[width])
    page.click("nav a[href='/holds']")
    page.click(f"td:first-child a:text-is('{claim}')")
    page.fill("#reason", CHECKED[language])
    page.click("form[action^='/release/'] button")
    shoot(page, f"release-proposed-{language}-{width}")
    assert 0 == page.locator("form[action$=approve]").count()
    other.reload()
    approve_what_waits(other, f"to-release-{language}-{width}")
    shoot(other, f"released-{language}-{width}")
    assert other.url.endswith(f"/holds/{claim}")
    assert 30_000 == office.value(paid, claim=claim)
    assert (0, 0, []) == (overhang(page), overhang(other), complaints + more)
    for each in (first, second):
        each.close()


def test_the_work_list_is_worked_by_the_keyboard(browser: Browser, office: Desk) -> None:
    """From the skip link on: every filter in its order, the button, the next page and the first alert, all outlined."""
    context, page, _ = signed_in(browser, office, "finance", "zh", WIDTHS["wide"])
    page.goto(f"{office.address}/alerts")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    seen = []
    for _ in range(9):
        page.keyboard.press("Tab")
        now = page.locator(":focus")
        assert "solid" == now.evaluate("e => getComputedStyle(e).outlineStyle")
        seen.append(now.evaluate("e => e.id || e.rel || e.className || e.tagName"))
    assert ["code", "area", "days", "taken", "gone", "BUTTON", "next", "wide", "A"] == seen
    page.keyboard.press("Enter")
    page.wait_for_url(f"{office.address}/alerts/AT-*")
    context.close()
