"""A person at the console with a real browser.

Screenshots are left in the folder `HUZHU_SCREENSHOTS`, if that is set, to be looked at.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.web.desk import PASSWORD, Desk

SCREENSHOTS = os.environ.get("HUZHU_SCREENSHOTS")
WIDTHS = {"wide": 1280, "narrow": 390}


def signed_in(
    browser: Browser, desk: Desk, who: str, language: str, width: int, *, checked: bool = False
) -> tuple[BrowserContext, Page, list[str]]:
    """A page of somebody who has signed in by hand, without JavaScript; and what the browser complained of.

    With ``checked`` axe can be run on the page, which needs JavaScript.
    """
    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, java_script_enabled=checked, bypass_csp=checked)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []

    def complained(message: ConsoleMessage) -> None:
        refused = re.search(r"status of 40[34]", message.text)  # as expected: the statuses are looked at
        if message.type in ("error", "warning") and not refused:
            complaints.append(message.text)

    page.on("console", complained)
    page.on("request", lambda request: None if request.url.startswith(desk.address) else complaints.append(request.url))
    page.goto(f"{desk.address}/sign-in")
    if language == "en":
        page.click("text=English")
    page.fill("#name", who)
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{desk.address}/")
    return context, page, complaints


def shoot(page: Page, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)


def faults_of(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]


def overhang(page: Page) -> int:
    """By how many pixels the page is wider than the screen; tables that scroll by themselves do not count."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def approve_what_waits(page: Page, name: str) -> None:
    """Follows the number in the menu to the proposal, and approves it."""
    page.click("a.awaiting")
    page.click("tbody a")
    shoot(page, name)
    page.click("form[action$=approve] button, form[action$=countersign] button")
