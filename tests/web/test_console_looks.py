"""The console in a browser: every page and role, both languages, wide, narrow, on paper, and for the blind.

Screenshots are left in the folder `HUZHU_SCREENSHOTS`, if that is set, to be looked at.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser

from schemas.access.console_rights import RIGHTS, ConsoleRole
from tests.support.builders import bill, encode
from tests.web.browsing import SCREENSHOTS, WIDTHS, faults_of, overhang, shoot, signed_in
from tests.web.desk import PASSWORD, Desk
from tests.web.pages import paths
from tests.web.town import post

ColorScheme = Literal["light", "dark"]


@pytest.mark.parametrize(
    ("language", "width"),
    [
        pytest.param("zh", "wide", marks=pytest.mark.long),
        pytest.param("en", "narrow", marks=pytest.mark.long),  # the longer words
        pytest.param("zh", "narrow", marks=pytest.mark.prove),
        pytest.param("en", "wide", marks=pytest.mark.prove),
    ],
)
@pytest.mark.parametrize("role", list(ConsoleRole))
def test_every_page_and_role(browser: Browser, town: Desk, role: ConsoleRole, language: str, width: str) -> None:
    """Each page that a role may open renders without a complaint, fits the screen, and is in one language."""
    context, page, complaints = signed_in(browser, town, role.value, language, WIDTHS[width])
    for name, (right, path) in paths(town).items():
        answer = page.goto(town.address + path)
        assert answer
        expected = 404 if name == "not-there" else 200 if right in RIGHTS[role] else 403
        assert (name, expected) == (name, answer.status)
        shoot(page, f"{name}-{role}-{language}-{width}")
        assert (name, 0) == (name, overhang(page))
        assert {"zh": "zh-CN", "en": "en"}[language] == page.locator("html").get_attribute("lang")
        chrome = page.locator("header").inner_text() + page.locator("h1").first.inner_text()
        if language == "en" and name not in ("policy", "claim"):
            left = re.sub("中文", "", chrome)
            assert not re.search(r"[\u4e00-\u9fff]", left), (name, left)
    assert [] == complaints
    context.close()


@pytest.mark.parametrize(("language", "width"), [("zh", "wide"), ("en", "narrow")])
def test_back_loses_no_correction(browser: Browser, desk: Desk, language: str, width: str) -> None:
    """A mistake comes back with what was typed; Back leads to the form again, not to an error of the browser."""
    post(desk.engine, [encode({**bill(), "total_charge": "1.00"})])
    desk.catch_up()
    number = desk.value("SELECT event_no FROM refusals")
    context, page, _ = signed_in(browser, desk, "operator", language, WIDTHS[width])
    page.goto(f"{desk.address}/refused/{number}")
    page.fill("#why", "the hospital called")
    page.click("form[action$=reveal] button")
    page.fill("#value", page.input_value("#value").replace('"1.00"', '"2.345"').replace('"CNY"', "1"))
    page.fill("#reason", "copay retyped")
    with page.expect_navigation() as navigation:
        page.click("form[action$=propose] button")
    assert 422 == navigation.value.status
    shoot(page, f"mistake-{language}-{width}")
    assert '"2.345"' in page.input_value("#value")
    assert "copay retyped" == page.input_value("#reason")
    assert ["/currency", "/total_charge"] == sorted(page.locator("[role=alert] code").all_inner_texts())
    page.go_back()
    assert page.url.startswith(f"{desk.address}/refused/{number}/clear/")
    assert page.locator("#value").is_visible()
    page.goto(f"{desk.address}/refused/{number}")
    page.fill("#reason", "as it was")
    page.click("form[action$=propose] button")
    other, page, _ = signed_in(browser, desk, "operator2", language, WIDTHS[width])
    shoot(page, f"awaiting-{language}-{width}")
    page.click("a.awaiting")
    assert 1 == page.locator("tbody tr").count()
    shoot(page, f"mine-{language}-{width}")
    for each in (context, other):
        each.close()


def serious(browser: Browser, desk: Desk, who: str, width: int, scheme: ColorScheme) -> dict[str, Any]:
    """What axe calls serious or critical, by page."""
    context = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{desk.address}/sign-in")
    found = {"sign-in": faults_of(page)}
    page.fill("#name", who)
    page.fill("#password", PASSWORD)
    page.click("main button")
    for name, (right, path) in paths(desk).items():
        if right in RIGHTS[ConsoleRole(who)]:
            page.goto(desk.address + path)
            shoot(page, f"{name}-{who}-{width}-{scheme}")
            found[name] = faults_of(page)
    context.close()
    return found


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("narrow", "light"), ("wide", "dark")])
@pytest.mark.parametrize("who", ["auditor", "operator", "admin"])
def test_no_serious_accessibility_fault(
    browser: Browser, town: Desk, who: str, width: str, scheme: ColorScheme
) -> None:
    """Contrast in light and in the dark, labels, headings, landmarks, names of controls: axe finds nothing serious."""
    found = serious(browser, town, who, WIDTHS[width], scheme)
    assert {} == {name: faults for name, faults in found.items() if faults}


def test_it_is_dark_where_the_screen_is(browser: Browser, town: Desk) -> None:
    """By the setting of the browser, and on paper never."""
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(f"{town.address}/sign-in")
    behind = "getComputedStyle(document.body).backgroundColor"
    assert "rgb(25, 26, 27)" == page.evaluate(behind)
    page.emulate_media(media="print")
    assert "rgb(255, 255, 255)" == page.evaluate(behind)
    context.close()


@pytest.mark.parametrize("who", ["finance", "operator", "admin"])
def test_no_table_and_no_chart_is_cut_on_a_phone(browser: Browser, town: Desk, who: str) -> None:
    """Nothing scrolls sideways within the page: wide tables are lists there, whose cells have their headings."""
    context, page, _ = signed_in(browser, town, who, "en", WIDTHS["narrow"], checked=True)
    for name, (right, path) in paths(town).items():
        if right in RIGHTS[ConsoleRole(who)]:
            page.goto(town.address + path)
            cut = "e => e.scrollWidth > e.clientWidth + 1"
            assert (name, 0) == (
                name,
                page.evaluate(f"[...document.querySelectorAll('.wide, figure')].filter({cut}).length"),
            )
    page.goto(town.address)
    if who != "admin":
        cell = page.locator("[data-stacked] tbody td").nth(2)
        assert "block" == cell.locator("xpath=..").evaluate("e => getComputedStyle(e).display")
        assert '"Payments instructed"' == cell.evaluate("e => getComputedStyle(e, '::before').content")
    context.close()


def test_the_keyboard_is_enough(browser: Browser, town: Desk) -> None:
    """The first tab offers to skip the menu, and what has the focus is outlined."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{town.address}/sign-in")
    page.fill("#name", "auditor")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{town.address}/")
    page.keyboard.press("Tab")
    assert "#content" == page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert "solid" == page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    context.close()


def test_figures_stand_in_columns(browser: Browser, town: Desk) -> None:
    """Amounts are right-aligned, in digits of one width, with separators."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{town.address}/sign-in")
    page.fill("#name", "auditor")
    page.fill("#password", PASSWORD)
    page.click("main button")
    cells = page.locator("tbody td.n, tfoot td.n")
    assert cells.count() > 10
    for at in range(cells.count()):
        style = cells.nth(at).evaluate("e => [getComputedStyle(e).textAlign, getComputedStyle(e).fontVariantNumeric]")
        assert ["right", "tabular-nums"] == style
        assert re.fullmatch(r"-?\d{1,3}(,\d{3})*(\.\d{2})?", cells.nth(at).text_content() or "")
    context.close()


def test_the_sheet_for_the_family(browser: Browser, town: Desk, tmp_path: Path) -> None:
    """On paper a claim has its bill, its sentences and its payouts on one page, and neither menu nor audit entries."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{town.address}/sign-in")
    page.fill("#name", "finance")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.goto(town.address + paths(town)["claim"][1])
    page.emulate_media(media="print")
    for gone in ("header.top", "text=办理过程(全程留痕)", "details.unmask"):
        assert not page.locator(gone).first.is_visible(), gone
    for there in ("text=医院的账单", "text=补助是怎么算的", "text=发放情况", "text=打印于"):
        assert page.locator(there).first.is_visible(), there
    file = Path(SCREENSHOTS or tmp_path) / "sheet.pdf"
    page.pdf(path=file, format="A4", print_background=True)
    pages = len(re.findall(rb"/Type\s*/Page[^s]", file.read_bytes()))
    assert 1 == pages
    shoot(page, "sheet")
    context.close()
