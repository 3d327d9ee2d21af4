"""Alerts, held claims and aid in a browser: from the work list to what two people decided, and how the pages look."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.web.alert_office import MANY, high_alert, last_stay, open_office, paths
from tests.web.browsing import WIDTHS, approve_what_waits, faults_of, overhang, shoot, signed_in
from tests.web.desk import Desk
from tests.web.town import new_ledger

BOTH = [("zh", "wide"), ("en", "narrow")]
WHY = {"zh": "已入户核实,家庭负担重", "en": "visited, the family is in debt"}


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
    found += [f"h{after}" for before, after in zip(levels, levels[1:], strict=False) if after > before + 1]
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
    for name, path in paths(office).items():
        page.goto(office.address + path)
        assert (name, []) == (name, faults_of(page))
    context.close()
