"""The API's documentation in a browser: from the package alone, in both languages, and it works."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, expect

from schemas.access.callers import ApiRole
from tests.support.paths import REPOSITORY
from tests.web.door import Door

STATIC = REPOSITORY / "web" / "api" / "static"
SCREENSHOTS = os.environ.get("HUZHU_SCREENSHOTS")


def test_the_documentation_is_shown_without_any_other_site(door: Door, browser: Browser) -> None:
    """Every address of the API is on the page, under a strict policy, and all that is loaded comes from the gateway."""
    page = browser.new_page(locale="zh-CN")
    troubles: list[str] = []
    asked: list[Request] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: asked.append(request))
    page.goto(f"{door.address}/")
    assert f"{door.address}/docs" == page.url
    assert "互助接口文档 · Huzhu API" == page.title()
    with door.client("") as nobody:
        operations = sum(len(methods) for methods in nobody.get("/openapi.json").json()["paths"].values())
    expect(page.locator(".opblock")).to_have_count(operations)
    assert [] == troubles
    elsewhere = [request.url for request in asked if not request.url.startswith((f"{door.address}/", "data:"))]
    assert [] == elsewhere
    if SCREENSHOTS:
        page.screenshot(path=str(Path(SCREENSHOTS, "api-docs.png")), full_page=True)
    page.close()


def test_a_request_can_be_tried_with_a_key(door: Door, browser: Browser) -> None:
    """The key goes in under Authorize, and the example of a discharge is acknowledged."""
    page = browser.new_page()
    page.goto(f"{door.address}/docs")
    page.locator(".btn.authorize").click()
    page.locator(".auth-container input").fill(door.key(ApiRole.HOSPITAL, "H1"))
    page.locator(".auth-btn-wrapper .authorize").click()
    page.locator(".auth-btn-wrapper .btn-done").click()
    page.locator("#operations-post-post_events_v1_events_post button.opblock-summary-control").click()
    page.locator(".try-out__btn").click()
    page.locator(".opblock-body .execute").click()
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("202")
    assert [(1,)] == door.rows("SELECT count(*) FROM inbox")
    page.close()


def test_its_files_are_those_that_the_documents_name() -> None:
    """Version, licence and SHA-256 of the program that is not ours stand in docs/dependencies.md."""
    text = (REPOSITORY / "docs" / "dependencies.md").read_text("utf-8")
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        content = (STATIC / "swagger-ui" / name).read_bytes()
        assert f"`{name}` {hashlib.sha256(content).hexdigest()}" in text
    assert "Apache License" in (STATIC / "swagger-ui" / "LICENSE").read_text("utf-8")
    assert re.search(r"swagger-ui-dist [0-9.]+", text)


def test_the_files_are_in_the_wheel(tmp_path: Path) -> None:
    """Whoever installs the package has the page, and the licences of what is not ours."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = {str(file.relative_to(REPOSITORY)) for file in STATIC.rglob("*") if file.is_file()}
    assert {f"web/api/static/swagger-ui/{name}" for name in ("LICENSE", "NOTICE", "swagger-ui-bundle.js")} < files
    assert files <= packed


@pytest.mark.parametrize("file", ["docs.html", "start.js", "docs.css"])
def test_our_own_files_of_the_page_name_no_other_site(file: str) -> None:
    """Nothing in them is absolute."""
    assert "//" not in (STATIC / file).read_text("utf-8").replace(" // ", "")
