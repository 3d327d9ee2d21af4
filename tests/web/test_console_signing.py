"""Signing in to the console: who gets in, who is locked out, and the headers for the browser."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from sqlalchemy import Engine

from acts import console_users
from acts.console_users import FAILURES_MAX, IDLE_MAX, LOCKED, SESSION_MAX, UserRefused
from schemas.access.console_rights import RIGHTS, ConsoleRole, Right
from tests.support.acts import create_user, disable_user, reset_user
from tests.web.desk import CSRF, PASSWORD, Desk, Visitor, open_desk

PAGES = {
    "/": Right.OVERVIEW,
    "/work": Right.WORK,
    "/policies": Right.POLICIES,
    "/search": Right.CLAIMS,
    "/aids": Right.CLAIMS,
    "/refused": Right.REFUSED,
    "/books": Right.BOOKS,
    "/payables": Right.BOOKS,
    "/recoveries": Right.BOOKS,
    "/statements": Right.BOOKS,
    "/exports": Right.EXPORT,
    "/users": Right.USERS,
}


def test_nobody_gets_in_without_signing_in(desk: Desk) -> None:
    """Every page sends a stranger to the sign-in; a page that is not there does too."""
    for path in (*PAGES, "/claims/E1", "/refused/1", "/persons/x.y", "/nowhere"):
        answer = desk.guest().get(path)
        assert (path, 303, "/sign-in") == (path, answer.status_code, answer.headers.get("location"))


def test_signing_in_and_out(desk: Desk) -> None:
    """A right password opens a session by a cookie that scripts and other sites do not get; signing out ends it."""
    visitor = desk.guest()
    answer = visitor.sign_in("auditor", PASSWORD)
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith("huzhu="))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert 200 == visitor.get("/").status_code
    token = visitor.client.cookies["huzhu"]
    assert 303 == visitor.post("/sign-out").status_code
    assert 303 == visitor.get("/", cookies={"huzhu": token}).status_code
    assert 0 == desk.value("SELECT count(*) FROM console_sessions")
    assert ["user.signed_in"] == [each["kind"] for each in desk.audited("user.signed_in")]


def test_neither_password_nor_cookie_is_stored(desk: Desk) -> None:
    """The ledger holds an argon2id hash of the one and a SHA-256 of the other."""
    visitor = desk.visitor("finance")
    held = str(desk.rows("SELECT * FROM console_users")) + str(desk.rows("SELECT * FROM console_sessions"))
    assert "$argon2id$" in held
    assert PASSWORD not in held
    assert visitor.client.cookies["huzhu"] not in held


def test_a_stranger_learns_nothing(desk: Desk) -> None:
    """A wrong password, an unknown name, a disabled and a locked user get the same answer."""
    disable_user(desk.engine, "finance", "test", desk.now)
    for _ in range(FAILURES_MAX):
        desk.guest().sign_in("operator", "wrong password")
    answers = [
        desk.guest().sign_in(name, password)
        for name, password in (
            ("auditor", "wrong password"),
            ("nobody", PASSWORD),
            ("finance", PASSWORD),
            ("operator", PASSWORD),
            ("", ""),
            ("auditor", "x" * 5000),
        )
    ]
    assert {401} == {each.status_code for each in answers}
    assert 1 == len({each.text.split("<main")[1].split("csrf")[0] for each in answers})


def test_five_failures_lock_a_user_out_for_a_while(desk: Desk) -> None:
    """The right password does not help until the time is over; an administrator can end it; a success resets."""
    for _ in range(FAILURES_MAX - 1):
        desk.guest().sign_in("auditor", "wrong password")
    assert 303 == desk.guest().sign_in("auditor", PASSWORD).status_code
    for _ in range(FAILURES_MAX):
        desk.guest().sign_in("auditor", "wrong password")
    assert 401 == desk.guest().sign_in("auditor", PASSWORD).status_code
    assert ["auditor"] == [each["subject"]["user"] for each in desk.audited("user.locked")]
    desk.ahead = LOCKED + timedelta(seconds=1)
    assert 303 == desk.guest().sign_in("auditor", PASSWORD).status_code
    for _ in range(FAILURES_MAX):
        desk.guest().sign_in("auditor", "wrong password")
    admin = desk.visitor("admin")
    assert "已锁定" in admin.get("/users").text
    assert 303 == admin.post("/users/auditor/unlock", seen="/users").status_code
    assert 303 == desk.guest().sign_in("auditor", PASSWORD).status_code


def test_after_a_lock_out_the_counting_begins_anew(desk: Desk) -> None:
    """One wrong password after the time is over does not lock again; the fifth does."""
    for _ in range(FAILURES_MAX):
        desk.guest().sign_in("auditor", "wrong password")
    desk.ahead = LOCKED + timedelta(seconds=1)
    for _ in range(FAILURES_MAX - 1):
        desk.guest().sign_in("auditor", "wrong password")
    assert 1 == len(desk.audited("user.locked"))
    desk.guest().sign_in("auditor", "wrong password")
    assert 2 == len(desk.audited("user.locked"))


def test_a_disabled_user_is_out_at_once(desk: Desk) -> None:
    """The open session ends with the next page; a reset lets the user in again, with the new password only."""
    finance, admin = desk.visitor("finance"), desk.visitor("admin")
    assert 200 == finance.get("/").status_code
    assert 303 == admin.post("/users/finance/disable", seen="/users").status_code
    assert 303 == finance.get("/").status_code
    assert 422 == admin.post("/users/admin/disable", seen="/users").status_code
    reset_user(desk.engine, "finance", "four green kettles", "test", desk.now)
    assert 401 == desk.guest().sign_in("finance", PASSWORD).status_code
    assert 303 == desk.guest().sign_in("finance", "four green kettles").status_code
    changes = [each["subject"]["change"] for each in desk.audited("user.changed")]
    assert ["disabled", "password reset"] == changes


def test_a_new_password_ends_what_the_old_one_opened(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open sessions, and a sign-in that had just checked the old password when the new one was set."""
    finance = desk.visitor("finance")
    assert 200 == finance.get("/").status_code
    reset_user(desk.engine, "finance", "four green kettles", "test", desk.now)
    assert 303 == finance.get("/").status_code

    real, resets = console_users._matches, ["six white horses"]

    def matches(hashed: str, password: str) -> bool:
        matched = real(hashed, password)
        if resets:
            reset_user(desk.engine, "finance", resets.pop(), "test", desk.now)
        return matched

    monkeypatch.setattr(console_users, "_matches", matches)
    assert 401 == desk.guest().sign_in("finance", "four green kettles").status_code
    assert 0 == desk.value("SELECT count(*) FROM console_sessions")
    assert 303 == desk.guest().sign_in("finance", "six white horses").status_code


@pytest.mark.parametrize("role", list(ConsoleRole))
def test_each_act_asks_for_its_right(desk: Desk, role: ConsoleRole) -> None:
    """Who lacks it is told so whatever is asked for, and nobody who has it is."""
    visitor, person = desk.visitor(role.value), desk.keys.token("P1", "person")
    acts = {
        "/search": Right.CLAIMS,
        "/unmask/claims/E1": Right.UNMASK,
        f"/unmask/persons/{person}": Right.UNMASK,
        "/refused/1/reveal": Right.REFUSED,
        "/refused/1/propose": Right.REPLAY,
        "/proposals/1/approve": Right.REPLAY,
        "/proposals/1/reject": Right.REPLAY,
        "/exports": Right.EXPORT,
        "/books/close": Right.CLEAR,
        "/clearing/1/approve": Right.CLEAR,
        "/close-year/V1": Right.CLEAR,
        "/recoveries/PO-1/propose": Right.CLEAR,
        "/statements/of/t1/propose": Right.CLEAR,
        "/statements/ST-1/download": Right.EXPORT,
        "/clearing/1/reject": Right.CLEAR,
        "/users/operator2/disable": Right.USERS,
        "/users/operator2/unlock": Right.USERS,
    }
    secret = _secret(visitor)
    refused = {path for path in acts if 403 == visitor.post(path, csrf=secret, reason="a good one").status_code}
    assert {path for path, right in acts.items() if right not in RIGHTS[role]} == refused


def test_disabling_asks_and_can_be_undone(desk: Desk) -> None:
    """The list leads to a question; who is enabled again signs in with the old password; both leave an audit entry."""
    admin = desk.visitor("admin")
    users = admin.get("/users").text
    assert 'action="/users/finance/disable"' not in users
    assert 'href="/users/finance/disable"' in users
    assert 'href="/users/admin/disable"' not in users
    desk.visitor("finance")
    question = admin.get("/users/finance/disable").text
    assert "停用 finance?" in question
    assert "<dd>1</dd>" in question
    assert desk.value("SELECT disabled_at FROM console_users WHERE name = 'finance'") is None
    assert "Disable finance?" in desk.visitor("admin", "en").get("/users/finance/disable").text
    assert 303 == admin.post("/users/finance/disable", seen="/users/finance/disable").status_code
    assert 409 == admin.get("/users/finance/disable").status_code
    assert 401 == desk.guest().sign_in("finance", PASSWORD).status_code
    assert 'action="/users/finance/enable"' in admin.get("/users").text
    assert 403 == desk.visitor("auditor").post("/users/finance/enable").status_code
    assert 303 == admin.post("/users/finance/enable", seen="/users").status_code
    assert 409 == admin.post("/users/finance/enable", seen="/users").status_code
    assert 303 == desk.guest().sign_in("finance", PASSWORD).status_code
    changes = [(each["actor"], each["subject"]["change"]) for each in desk.audited("user.changed")]
    assert [("operator:admin", "disabled"), ("operator:admin", "enabled")] == changes
    for path in ("/users/admin/disable", "/users/nobody/disable"):
        assert admin.get(path).status_code in (409, 422)
    assert 403 == desk.visitor("operator").get("/users/finance/disable").status_code


def test_a_session_ends_unused_and_ends_anyway(desk: Desk) -> None:
    """After half an hour without a page, and after twelve hours whatever was done."""
    visitor = desk.visitor("auditor")
    desk.ahead = IDLE_MAX + timedelta(seconds=5)
    assert 303 == visitor.get("/").status_code
    visitor = desk.visitor("auditor")
    step = IDLE_MAX - timedelta(minutes=1)
    spent = timedelta()
    while spent + step < SESSION_MAX:
        desk.ahead, spent = desk.ahead + step, spent + step
        assert 200 == visitor.get("/").status_code
    desk.ahead += step
    assert 303 == visitor.get("/").status_code


def test_a_form_from_elsewhere_does_nothing(desk: Desk) -> None:
    """Without the session's own secret, with another session's, or sent by another site: 403, and nothing changed."""
    admin, other = desk.visitor("admin"), desk.visitor("admin")
    answers = [
        admin.post("/users/finance/disable", csrf=""),
        admin.post("/users/finance/disable", csrf="guess"),
        admin.client.post("/users/finance/disable", data={"csrf": _secret(other)}),
        admin.client.post(
            "/users/finance/disable", data={"csrf": _secret(admin)}, headers={"Origin": "https://elsewhere.example"}
        ),
        admin.client.post(
            "/users/finance/disable", data={"csrf": _secret(admin)}, headers={"Sec-Fetch-Site": "cross-site"}
        ),
    ]
    assert [403] * 5 == [each.status_code for each in answers]
    assert 422 == admin.client.post("/users/finance/disable", json={"csrf": _secret(admin)}).status_code
    assert desk.value("SELECT disabled_at FROM console_users WHERE name = 'finance'") is None
    assert 403 == desk.guest().post("/sign-in", csrf="guess", name="admin", password=PASSWORD).status_code


def _secret(visitor: Visitor) -> str:
    found = CSRF.search(visitor.get("/").text)
    assert found
    return found[1]


def test_every_answer_keeps_browsers_from_harm(desk: Desk) -> None:
    """Pages, redirections, errors and files: no scripts, no frames, no referrer, no guessing of types, no cache."""
    visitor = desk.visitor("finance")
    answers = [
        visitor.get(path) for path in ("/", "/nowhere", "/users", "/language/en?back=//evil.example", "/favicon.ico")
    ]
    answers += [desk.guest().get("/"), desk.guest().get("/sign-in")]
    answers += [visitor.post("/exports", seen="/exports", what="claims", format="csv")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert "no-referrer" == answer.headers["referrer-policy"]
        assert "no-store" in answer.headers["cache-control"]
        assert "server" not in answer.headers
    assert "/" == answers[3].headers["location"]
    assert "<script" not in "".join(each.text for each in answers)


def test_under_tls_cookies_are_bound_to_the_host(ledger: Engine, tmp_path: Path) -> None:
    """`__Host-` and Secure, and browsers are told to use only TLS from now on."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key, trusted = (str(tmp_path / name) for name in ("chain.pem", "key.pem", "ca.pem"))
    certificate.private_key_pem.write_to_path(key)
    for number, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(chain, append=number > 0)
    authority.cert_pem.write_to_path(trusted)
    with open_desk(ledger, tmp_path, console_tls_cert=chain, console_tls_key=key) as desk:
        visitor = Visitor(desk, trusted)
        answer = visitor.sign_in("auditor", PASSWORD)
        assert 303 == answer.status_code
        assert "max-age=" in answer.headers["strict-transport-security"]
        cookies = [each for each in answer.headers.get_list("set-cookie") if "__Host-huzhu=" in each]
        assert cookies
        assert "Secure" in cookies[0]


@pytest.mark.parametrize("role", list(ConsoleRole))
def test_each_role_sees_what_its_rights_say(desk: Desk, role: ConsoleRole) -> None:
    """A page is shown only to users with its right; the menu offers only pages that the user can open."""
    visitor = desk.visitor(role.value)
    menu = visitor.get("/").text.split("<nav")[1].split("</nav>")[0]
    for path, right in PAGES.items():
        allowed = right in RIGHTS[role]
        assert (path, 200 if allowed else 403) == (path, visitor.get(path).status_code)
        assert (path, allowed) == (path, f'href="{path}"' in menu)


@pytest.mark.parametrize("password", ["short", "zhang.san1234", "aaaaaaaaaaaaaa", "x" * 2000])
def test_a_weak_password_is_refused(desk: Desk, password: str) -> None:
    """Too short, the name itself, one letter, or too long to be hashed in good time."""
    with pytest.raises(UserRefused, match="password"):
        create_user(desk.engine, "zhang.san", ConsoleRole.FINANCE, password, "test", desk.now)
    assert 0 == desk.value("SELECT count(*) FROM console_users WHERE name = 'zhang.san'")


def test_a_name_is_given_once(desk: Desk) -> None:
    """And is one that can be typed."""
    for name in ("auditor", "Zhang", "张三", "a", "a b", "-x", "x" * 41):
        with pytest.raises(UserRefused):
            create_user(desk.engine, name, ConsoleRole.FINANCE, PASSWORD, "test", desk.now)
