"""Operators on the command line are users of the console: who is believed, for how long, and for what."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from acts import second_factor
from acts.console_users import FAILURES_MAX
from acts.operator_tokens import SIGNED_IN_FOR, NotSignedIn, acting_operator, keep_signed_in
from infra.keys.one_time_codes import STEP_SECONDS, code_at, new_secret
from infra.ledger.roles import LedgerRole
from schemas.access.console_rights import RIGHTS, ConsoleRole, Right
from tests.support.acts import create_user, disable_user, reset_user
from tests.support.processes import command, decoded
from tests.web.desk import PASSWORD, Desk

REFUSED = 2
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


class Terminal:
    """A terminal of one person, with a home of its own, at the ledger of a desk."""

    def __init__(self, desk: Desk, folder: Path, **settings: str) -> None:
        self.file = folder / "huzhu" / "operator.token"
        url = desk.engine.url.render_as_string(hide_password=False)
        self._environment = {
            "HUZHU_DATABASE_URL": url,
            "XDG_STATE_HOME": str(folder),
            "HUZHU_CONSOLE_KEY_FILE": str(desk.key_file),
            **settings,
        }

    def run(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        done = decoded(command(*words, environment=self._environment, data=typed.encode()))
        assert "Traceback" not in done.stderr
        return done

    def sign_in(self, name: str, *more: str) -> subprocess.CompletedProcess[str]:
        return self.run("signin", name, typed="\n".join((PASSWORD, *more)) + "\n")


@pytest.fixture
def terminal(desk: Desk, tmp_path: Path) -> Terminal:
    return Terminal(desk, tmp_path / "state")


def test_a_name_alone_is_not_believed_any_more(desk: Desk, terminal: Terminal) -> None:
    """In a ledger with users `--operator` acts for nobody; the message says what to do, and nothing is done."""
    for name in ("admin", "somebody"):
        done = terminal.run("users", "disable", "finance", "--operator", name)
        assert REFUSED == done.returncode
        assert "huzhu signin" in done.stderr
    assert desk.value("SELECT disabled_at FROM console_users WHERE name = 'finance'") is None


def test_who_signed_in_acts(desk: Desk, terminal: Terminal) -> None:
    """In the name of the user, with or without `--operator`, until signing out; the file is its owner's alone."""
    assert 0 == terminal.sign_in("admin").returncode
    assert 0o600 == terminal.file.stat().st_mode & 0o777
    assert terminal.file.read_text("ascii").strip() not in str(desk.rows("SELECT * FROM operator_tokens"))
    assert 0 == terminal.run("users", "disable", "finance").returncode
    assert 0 == terminal.run("users", "enable", "finance", "--operator", "admin").returncode
    other = terminal.run("users", "disable", "finance", "--operator", "wang.wei")
    assert REFUSED == other.returncode
    assert "wang.wei" in other.stderr
    assert {"operator:admin"} == {each["actor"] for each in desk.audited("user.changed")}
    assert 0 == terminal.run("signout").returncode
    assert not terminal.file.exists()
    assert 0 == desk.value("SELECT count(*) FROM operator_tokens")
    assert REFUSED == terminal.run("users", "disable", "finance").returncode


def test_only_the_right_role_acts(desk: Desk, terminal: Terminal) -> None:
    """Finance makes no users, and an administrator closes no month; the message says who may."""
    assert 0 == terminal.sign_in("finance").returncode
    made = terminal.run("users", "create", "li.na", "--role", "admin", typed=f"{PASSWORD}\n")
    assert REFUSED == made.returncode
    assert "admin may" in made.stderr
    assert 0 == terminal.sign_in("admin").returncode
    closed = terminal.run("books", "close", "2024-01", "--yes")
    assert REFUSED == closed.returncode
    assert "finance may" in closed.stderr


def test_a_wrong_password_signs_nobody_in(desk: Desk, terminal: Terminal) -> None:
    """It counts as it does in the console, and what the last sign-in left stays."""
    assert 0 == terminal.sign_in("admin").returncode
    kept = terminal.file.read_bytes()
    for _ in range(FAILURES_MAX):
        assert REFUSED == terminal.run("signin", "finance", typed="wrong password\n").returncode
    assert REFUSED == terminal.sign_in("finance").returncode
    assert ["finance"] == [each["subject"]["user"] for each in desk.audited("user.locked")]
    assert kept == terminal.file.read_bytes()


def test_the_second_factor_is_asked_for(desk: Desk, terminal: Terminal) -> None:
    """Password and code together sign in; without the code, or with a used one, nobody is."""
    secret, before = new_secret(), datetime.now(UTC) - timedelta(seconds=3 * STEP_SECONDS)
    done = second_factor.enrol(desk.engine, desk.keys, "admin", secret, code_at(secret, before), lambda: before)
    assert done
    assert REFUSED == terminal.sign_in("admin").returncode
    assert not terminal.file.exists()
    code = code_at(secret, datetime.now(UTC))
    assert 0 == terminal.sign_in("admin", code).returncode
    assert REFUSED == terminal.sign_in("admin", code).returncode
    assert 0 == terminal.sign_in("admin", done[1][0]).returncode


def test_who_must_have_codes_cannot_do_without_them_here(desk: Desk, tmp_path: Path) -> None:
    """Where approvers need one-time codes, the command line asks for them too."""
    strict = Terminal(desk, tmp_path / "strict", HUZHU_CONSOLE_SECOND_FACTOR="approvers")
    refused = strict.sign_in("finance")
    assert REFUSED == refused.returncode
    assert "console" in refused.stderr
    assert 0 == desk.value("SELECT count(*) FROM operator_tokens")
    assert 0 == strict.sign_in("admin").returncode


def test_a_file_that_others_can_read_is_not_used(terminal: Terminal) -> None:
    """The command says so instead of acting."""
    assert 0 == terminal.sign_in("admin").returncode
    terminal.file.chmod(0o644)
    done = terminal.run("users", "disable", "finance")
    assert REFUSED == done.returncode
    assert "chmod 600" in done.stderr


def test_a_program_has_a_token_of_its_own(desk: Desk, terminal: Terminal, tmp_path: Path) -> None:
    """An administrator makes it for a user; it acts for that user alone, and is in the audit log without its text."""
    assert 0 == terminal.sign_in("admin").returncode
    made = terminal.run("users", "token", "admin", "--days", "3")
    assert 0 == made.returncode
    token = made.stdout.strip()
    program = Terminal(desk, tmp_path / "program", HUZHU_OPERATOR_TOKEN=token)
    assert 0 == program.run("users", "disable", "finance").returncode
    told = [each["subject"] for each in desk.audited("user.changed")]
    assert ["operator token made", "disabled"] == [each["change"] for each in told]
    assert token not in str(desk.rows("SELECT * FROM operator_tokens")) + str(told)
    assert REFUSED == terminal.run("users", "token", "finance").returncode


def acts_as(desk: Desk, token: str, at: timedelta = timedelta(), right: Right = Right.CLEAR) -> str | None:
    with desk.roles(LedgerRole.OPERATOR).connect() as connection:
        try:
            return acting_operator(connection, token, "", (right,), lambda: NOON + at)
        except NotSignedIn:
            return None


@pytest.fixture
def kept(desk: Desk) -> str:
    """The token of somebody in finance who signed in at noon."""
    with desk.roles(LedgerRole.OPERATOR).begin() as connection:
        return keep_signed_in(connection, "finance", lambda: NOON)


def test_a_sign_in_ends_after_twelve_hours(desk: Desk, kept: str) -> None:
    """To the second; and the next sign-in of anybody forgets it."""
    assert "finance" == acts_as(desk, kept, SIGNED_IN_FOR - timedelta(seconds=1))
    assert acts_as(desk, kept, SIGNED_IN_FOR) is None
    with desk.roles(LedgerRole.OPERATOR).begin() as connection:
        keep_signed_in(connection, "finance2", lambda: NOON + SIGNED_IN_FOR)
    assert 1 == desk.value("SELECT count(*) FROM operator_tokens")


def test_a_disabled_user_acts_no_more(desk: Desk, kept: str) -> None:
    """Nor does one whose password was set anew, until the next sign-in."""
    assert acts_as(desk, "guess") is None
    disable_user(desk.engine, "finance", "test", desk.now)
    assert acts_as(desk, kept) is None
    reset_user(desk.engine, "finance", "four green kettles", "test", desk.now)
    assert acts_as(desk, kept) is None


@pytest.mark.parametrize("role", list(ConsoleRole))
def test_a_role_has_the_same_rights_here(desk: Desk, role: ConsoleRole) -> None:
    """A right that a role lacks in the console it lacks on the command line."""
    with desk.engine.begin() as connection:
        token = keep_signed_in(connection, role.value, lambda: NOON)
    assert RIGHTS[role] == {right for right in Right if acts_as(desk, token, right=right)}


def test_the_first_users_are_made_by_name(ledger: Engine) -> None:
    """Without users a name is believed; without an administrator it can make one, and do nothing else."""

    def believed(right: Right) -> bool:
        with ledger.connect() as connection:
            try:
                return "li.na" == acting_operator(connection, None, "li.na", (right,), lambda: NOON)
            except NotSignedIn:
                return False

    with ledger.connect() as connection, pytest.raises(NotSignedIn, match="must not be empty"):
        acting_operator(connection, None, "", (Right.CLEAR,), lambda: NOON)
    assert believed(Right.CLEAR)
    create_user(ledger, "zhao", ConsoleRole.FINANCE, PASSWORD, "test", lambda: NOON)
    assert (False, True) == (believed(Right.CLEAR), believed(Right.USERS))
    create_user(ledger, "wang", ConsoleRole.ADMIN, PASSWORD, "test", lambda: NOON)
    assert (False, False) == (believed(Right.CLEAR), believed(Right.USERS))
    disable_user(ledger, "wang", "test", lambda: NOON)
    assert (False, True) == (believed(Right.CLEAR), believed(Right.USERS))
