"""One-time codes of local users: set up, asked for, used once, lost, and required of whoever approves money."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser
from sqlalchemy import Engine

from acts.console_users import CODE_WAIT, FAILURES_MAX, LOCKED
from infra.keys.one_time_codes import STEP_SECONDS, code_at
from infra.keys.personal_data import add_key, read_keyring
from infra.ledger import second_factor_rows
from infra.ledger.roles import LedgerRole
from schemas.access.console_rights import ConsoleRole
from tests.web.browsing import faults_of, overhang
from tests.web.desk import PASSWORD, Desk, Visitor, open_desk

SECRET = re.compile(r'<code class="id">([A-Z2-7 ]+)</code>')
SEALED = re.compile(r'name="secret" value="([^"]+)"')
RECOVERY = re.compile(r'<code class="id">([A-Z2-7-]{19})</code>')
STEP = timedelta(seconds=STEP_SECONDS)


@pytest.fixture
def strict(ledger: Engine, tmp_path: Path) -> Iterator[Desk]:
    """A console where whoever approves money needs one-time codes."""
    with open_desk(ledger, tmp_path, console_second_factor="approvers") as opened:
        yield opened


class App(NamedTuple):
    """What a user has from now on: the secret in the app, the recovery codes on paper, and the code that was used."""

    secret: str
    recovery: list[str]
    used: str

    def code(self, desk: Desk) -> str:
        return code_at(self.secret, desk.now())


def set_up(desk: Desk, visitor: Visitor) -> App:
    """Sets one-time codes up, and lets half a minute pass, so that there is another code."""
    page = visitor.get("/second-factor").text
    found, sealed = SECRET.search(page), SEALED.search(page)
    assert found
    assert sealed
    secret = found[1].replace(" ", "")
    code = code_at(secret, desk.now())
    answer = visitor.post("/second-factor", seen="/second-factor", secret=html.unescape(sealed[1]), code=code)
    assert 200 == answer.status_code, answer.text
    desk.ahead += STEP
    return App(secret, RECOVERY.findall(answer.text), code)


def give(visitor: Visitor, code: str) -> int:
    return visitor.post("/sign-in/code", seen="/sign-in/code", code=code).status_code


def half_way(desk: Desk, name: str) -> Visitor:
    """Somebody who has given the right password."""
    visitor = desk.guest()
    answer = visitor.sign_in(name, PASSWORD)
    assert 303 == answer.status_code
    return visitor


def test_a_password_alone_opens_nothing_any_more(desk: Desk) -> None:
    """With the password alone every page leads to the question for the code, and no act is done; the code opens all."""
    app = set_up(desk, desk.visitor("admin"))
    visitor = half_way(desk, "admin")
    for path in ("/", "/users", "/second-factor", "/nowhere", "/sign-in"):
        answer = visitor.get(path)
        assert (path, 303, "/sign-in/code") == (path, answer.status_code, answer.headers.get("location"))
    assert 303 == visitor.post("/users/finance/disable", seen="/sign-in/code").status_code
    assert desk.value("SELECT disabled_at FROM console_users WHERE name = 'finance'") is None
    assert 303 == give(visitor, app.code(desk))
    assert 200 == visitor.get("/users").status_code
    ways = [each["subject"].get("second_factor") for each in desk.audited("user.signed_in")]
    assert [None, "code", "code"] == ways


def test_the_page_shows_the_secret_as_a_picture_and_as_text(desk: Desk) -> None:
    """Both languages; no scripts and nothing from elsewhere; the secret in the form cannot be read."""
    for language, words in (("zh", "扫描这张图"), ("en", "scan this")):
        page = desk.visitor("finance", language).get("/second-factor").text
        found = SECRET.search(page)
        assert found
        assert words in page
        assert "<svg" in page
        assert 'role="img"' in page
        assert 1 == page.replace(" ", "").count(found[1].replace(" ", ""))


def test_a_code_is_taken_once(desk: Desk) -> None:
    """Neither the code of the set-up nor one that was used opens a second session while it is valid."""
    app = set_up(desk, desk.visitor("finance"))
    assert 401 == give(half_way(desk, "finance"), app.used)
    code = app.code(desk)
    assert 303 == give(half_way(desk, "finance"), code)
    assert 401 == give(half_way(desk, "finance"), code)


def test_a_recovery_code_works_once(desk: Desk) -> None:
    """However it is typed; the others stay; the audit log says that it was one; new ones end the older ones."""
    app = set_up(desk, desk.visitor("finance"))
    assert 8 == len(set(app.recovery))
    assert 303 == give(half_way(desk, "finance"), app.recovery[0].lower().replace("-", " "))
    assert 401 == give(half_way(desk, "finance"), app.recovery[0])
    visitor = half_way(desk, "finance")
    assert 303 == give(visitor, app.recovery[1])
    assert "recovery code" == desk.audited("user.signed_in")[-1]["subject"]["second_factor"]
    answer = visitor.post("/second-factor/recovery-codes", seen="/second-factor", code=app.code(desk))
    fresh = RECOVERY.findall(answer.text)
    assert 8 == len(fresh)
    assert 401 == give(half_way(desk, "finance"), app.recovery[2])
    assert 303 == give(half_way(desk, "finance"), fresh[0])


def test_wrong_codes_lock_out_as_wrong_passwords_do(desk: Desk) -> None:
    """A right password in between does not start the counting again, and a right code does not help a locked user."""
    app = set_up(desk, desk.visitor("finance"))
    for _ in range(FAILURES_MAX - 1):
        assert 401 == give(half_way(desk, "finance"), "000000")
    waiting = half_way(desk, "finance")
    assert 401 == give(half_way(desk, "finance"), "000000")
    assert 1 == len(desk.audited("user.locked"))
    assert 401 == give(waiting, app.code(desk))
    assert 401 == desk.guest().sign_in("finance", PASSWORD).status_code
    desk.ahead += LOCKED
    assert 303 == give(half_way(desk, "finance"), app.code(desk))


def test_a_code_is_not_waited_for_for_ever(desk: Desk) -> None:
    """Ten minutes after the password it has to be given again."""
    app = set_up(desk, desk.visitor("finance"))
    visitor = half_way(desk, "finance")
    desk.ahead += CODE_WAIT + timedelta(seconds=1)
    answer = visitor.post("/sign-in/code", seen="/sign-in", code=app.code(desk))
    assert "/sign-in" == answer.headers["location"]


def test_setting_up_ends_the_other_sessions(desk: Desk) -> None:
    """What the password alone had opened is closed; the browser in which the app was set up goes on."""
    other, visitor = desk.visitor("finance"), desk.visitor("finance")
    set_up(desk, visitor)
    assert 303 == other.get("/").status_code
    assert 200 == visitor.get("/").status_code


def test_a_wrong_first_code_sets_nothing_up(desk: Desk) -> None:
    """The same secret is shown again, so that the app need not start anew; and nobody sets up a secret of their own."""
    visitor = desk.visitor("finance")
    page = visitor.get("/second-factor").text
    found, sealed = SECRET.search(page), SEALED.search(page)
    assert found
    assert sealed
    answer = visitor.post("/second-factor", seen="/second-factor", secret=html.unescape(sealed[1]), code="000000")
    assert 422 == answer.status_code
    assert found[1] in answer.text
    other = desk.visitor("finance2")
    code = code_at(found[1].replace(" ", ""), desk.now())
    for secret in (html.unescape(sealed[1]), "A" * 32, ""):
        assert 409 == other.post("/second-factor", seen="/second-factor", secret=secret, code=code).status_code
    assert 0 == desk.value("SELECT count(*) FROM second_factors")


def test_an_administrator_resets_what_is_lost(desk: Desk) -> None:
    """With a reason, which the audit log keeps without numbers of persons; nobody resets their own."""
    set_up(desk, desk.visitor("finance"))
    admin, finance = desk.visitor("admin"), desk.visitor("operator")
    set_up(desk, admin)
    assert "已设置" in admin.get("/users").text
    assert 403 == finance.post("/users/finance/second-factor", reason="phone lost").status_code
    assert 422 == admin.post("/users/admin/second-factor", reason="phone lost").status_code
    assert 422 == admin.post("/users/finance/second-factor", reason="").status_code
    reason = "phone lost, call 13812345678"
    asked = admin.post("/users/finance/second-factor", seen="/users/finance/second-factor", reason=reason)
    assert 303 == asked.status_code
    assert 409 == admin.get("/users/finance/second-factor").status_code
    told = [each["subject"] for each in desk.audited("user.changed")][-1]
    assert ("finance", "second factor reset") == (told["user"], told["change"])
    assert "13812345678" not in told["reason"]
    assert 200 == desk.visitor("finance").get("/").status_code


def test_who_approves_money_needs_one_where_the_setting_says_so(strict: Desk) -> None:
    """Finance and operators come to the set-up first, with every page; auditors and administrators do not."""
    for role in ConsoleRole:
        visitor, asked = strict.visitor(role.value), role in (ConsoleRole.FINANCE, ConsoleRole.OPERATOR)
        answer = visitor.get("/")
        assert (role, asked) == (role, "/second-factor" == answer.headers.get("location"))
    visitor = strict.visitor("finance")
    assert 303 == visitor.post("/books/close", seen="/second-factor", month="2024-01", reason="it is time").status_code
    assert 0 == strict.value("SELECT count(*) FROM clearing_proposals")
    set_up(strict, visitor)
    assert 200 == visitor.get("/books").status_code


def test_nothing_of_it_is_stored_in_clear(desk: Desk) -> None:
    """Neither the secret nor recovery codes; and another user's row cannot take its place."""
    app = set_up(desk, desk.visitor("finance"))
    held = str(desk.rows("SELECT * FROM second_factors")) + str(desk.rows("SELECT * FROM audit_entries"))
    assert [] == [each for each in (app.secret, *app.recovery) if each in held or each.replace("-", "") in held]
    with desk.engine.connect() as connection:
        factor = second_factor_rows.find(connection, "finance")
    assert factor
    assert app.secret == second_factor_rows.secret_of(factor, desk.keys)
    with pytest.raises(Exception, match="changed"):
        second_factor_rows.secret_of(factor._replace(user_name="operator"), desk.keys)


def test_a_rotation_takes_the_secrets_along(desk: Desk, tmp_path: Path) -> None:
    """They are encrypted with the newest key, under the rights of an operator, and say the same."""
    app = set_up(desk, desk.visitor("finance"))
    file = tmp_path / "console.keys"
    add_key(file)
    with desk.roles(LedgerRole.OPERATOR).begin() as connection:
        assert 1 == second_factor_rows.rotate(connection, read_keyring(file))
        assert 0 == second_factor_rows.rotate(connection, read_keyring(file))
    file.write_text("\n".join(file.read_text("ascii").splitlines()[1:]), "ascii")
    with desk.engine.connect() as connection:
        factor = second_factor_rows.find(connection, "finance")
    assert factor
    assert app.secret == second_factor_rows.secret_of(factor, read_keyring(file))


@pytest.mark.parametrize(("language", "width"), [("zh", 1280), ("en", 380)])
def test_the_pages_can_be_used_by_anybody(browser: Browser, desk: Desk, language: str, width: int) -> None:
    """Set-up, recovery codes, question for the code, state and reset: by keyboard, narrow or wide, without a fault."""
    set_up(desk, desk.visitor("finance"))
    context = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    page, faults, texts = context.new_page(), {}, {}

    def look(name: str) -> None:
        faults[name], texts[name] = (faults_of(page), overhang(page)), page.locator("main").inner_text()

    page.goto(f"{desk.address}/language/{language}?back=/sign-in")
    page.fill("#name", "admin")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{desk.address}/")
    page.goto(f"{desk.address}/second-factor")
    look("set-up")
    secret = page.locator("ol code").inner_text().replace(" ", "")
    page.fill("#code", code_at(secret, desk.now()))
    page.keyboard.press("Enter")
    page.wait_for_selector("ul code")
    look("recovery codes")
    page.goto(f"{desk.address}/second-factor")
    look("state")
    page.goto(f"{desk.address}/users/finance/second-factor")
    look("reset")
    context.clear_cookies()
    page.goto(f"{desk.address}/language/{language}?back=/sign-in")
    page.fill("#name", "admin")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#code")
    look("code")
    assert page.url.endswith("/sign-in/code")
    context.close()
    assert {} == {name: found for name, found in faults.items() if found != ([], 0)}
    if language == "en":
        assert [] == [name for name, words in texts.items() if re.search("[\u4e00-\u9fff]", words)]
