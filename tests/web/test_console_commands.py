"""`huzhu users`, `huzhu people` and `huzhu console` as an operator meets them."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from infra.servers.local.guard_client import Guarded
from infra.servers.local.ports import free_ports
from infra.settings import Settings
from tests.support.processes import command, decoded, huzhu
from tests.support.servers import await_true
from tests.web.desk import PASSWORD
from web.server import NotServed, check_address

UNUSABLE = 2


def typed(said: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command with something on its standard input."""
    return decoded(command(*words, environment=environment, data=said.encode()))


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def kinds(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT kind FROM audit_entries ORDER BY shard, seq")))


def test_a_user_from_beginning_to_end(ledger: Engine) -> None:
    """Made, listed, disabled, reset: the password comes from standard input and is shown nowhere."""
    ledger_url: dict[str, Any] = {"HUZHU_DATABASE_URL": url_of(ledger)}
    made = typed(f"{PASSWORD}\n", "users", "create", "li.na", "--role", "finance", "--operator", "wang", **ledger_url)
    assert 0 == made.returncode, made.stderr
    twice = typed(f"{PASSWORD}\n", "users", "create", "li.na", "--role", "finance", "--operator", "wang", **ledger_url)
    assert UNUSABLE == twice.returncode
    short = typed("short\n", "users", "create", "zhao", "--role", "admin", "--operator", "wang", **ledger_url)
    assert UNUSABLE == short.returncode
    assert "at least 12" in short.stderr
    assert 0 == huzhu("users", "disable", "li.na", "--operator", "wang", **ledger_url).returncode
    assert "disabled" in huzhu("users", "list", **ledger_url).stdout
    again = typed("seven blue bicycles\n", "users", "reset", "li.na", "--operator", "wang", **ledger_url)
    assert 0 == again.returncode, again.stderr
    listed = huzhu("users", "list", **ledger_url).stdout
    assert "active" in listed
    assert UNUSABLE == huzhu("users", "disable", "nobody", "--operator", "wang", **ledger_url).returncode
    for each in (made, twice, short, again):
        assert PASSWORD not in each.stdout + each.stderr
    assert ["user.created", "user.changed", "user.changed"] == kinds(ledger)


def test_people_are_loaded_and_encrypted_anew(ledger: Engine, tmp_path: Path) -> None:
    """A key, a file of people, a second key, everything under it; each load and rotation is audited without names."""
    keys, file = tmp_path / "keys", tmp_path / "people.csv"
    settings: dict[str, Any] = {"HUZHU_DATABASE_URL": url_of(ledger), "HUZHU_CONSOLE_KEY_FILE": str(keys)}
    assert 0 == huzhu("people", "newkey", keys).returncode
    assert 0o600 == keys.stat().st_mode & 0o777
    file.write_text("person_id,name,phone,id_number\nP1,张三,13812345678,11010519491231002X\nP2,李四,,\n", "utf-8")
    loaded = huzhu("people", "load", file, "--operator", "wang", **settings)
    assert 0 == loaded.returncode, loaded.stderr
    assert "2 persons" in loaded.stdout
    assert 0 == huzhu("people", "newkey", keys).returncode
    assert "2 persons" in huzhu("people", "rotate", "--operator", "wang", **settings).stdout
    with ledger.connect() as connection:
        held = str(connection.execute(text("SELECT * FROM people")).all())
        told = str(connection.execute(text("SELECT value FROM events")).all())
    assert "13812345678" not in held + told
    assert ["people.loaded", "people.loaded"] == kinds(ledger)


def test_people_who_were_there_before_are_found_after_a_rotation(ledger: Engine, tmp_path: Path) -> None:
    """Loaded without a finding key, hashed by the rotation, once; each is audited without names."""
    keys, file = tmp_path / "keys", tmp_path / "people.csv"
    settings: dict[str, Any] = {"HUZHU_DATABASE_URL": url_of(ledger), "HUZHU_CONSOLE_KEY_FILE": str(keys)}
    assert UNUSABLE == huzhu("people", "newkey", keys, "--finding").returncode
    huzhu("people", "newkey", keys)
    file.write_text("person_id,name,phone,id_number\nP1,张三,,\nP2,李四,13812345678,\n", "utf-8")
    huzhu("people", "load", file, "--operator", "wang", **settings)
    rotate = ("people", "rotate", "--operator", "wang")
    assert "no finding key" in huzhu(*rotate, **settings).stdout
    assert "people rotate" in huzhu("people", "newkey", keys, "--finding").stdout
    assert "hashes of 2 more persons" in huzhu(*rotate, **settings).stdout
    assert "hashes of 0 more persons" in huzhu(*rotate, **settings).stdout
    with ledger.connect() as connection:
        assert 2 == connection.scalar(text("SELECT count(*) FROM people_hashes"))
        held = str(connection.execute(text("SELECT * FROM people_hashes")).all())
    assert "13812345678" not in held
    assert ["people.loaded", "people.loaded"] == kinds(ledger)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("person_id,name\nP1,张三\n", "missing in the first line"),
        ("person_id,name,phone,id_number\n,张三,1,2\n", "line 2"),
        ("person_id,name,phone,id_number\nP1,a,,\nP2," + "x" * 201 + ",,\n", "line 3"),
        ("person_id,name,phone,id_number\nP1,张三,,110105194912310021\n", "line 2: id_number"),
        ("person_id,name,phone,id_number\nP1,张三,2,\n", "line 2: phone"),
        ("person_id,name,phone,id_number\nP1,张三\n", "line 2: has more or fewer cells"),
        ('person_id,name,phone,id_number\n"P1,张三\n', "is not CSV"),
    ],
)
def test_a_file_of_people_that_cannot_be_used(ledger: Engine, tmp_path: Path, content: str, said: str) -> None:
    """Exit status 2, the line, nothing of the people, and nothing loaded."""
    keys, file = tmp_path / "keys", tmp_path / "people.csv"
    huzhu("people", "newkey", keys)
    file.write_text(content, "utf-8")
    settings: dict[str, Any] = {"HUZHU_DATABASE_URL": url_of(ledger), "HUZHU_CONSOLE_KEY_FILE": str(keys)}
    done = huzhu("people", "load", file, "--operator", "wang", **settings)
    assert (UNUSABLE, True) == (done.returncode, said in done.stderr)
    assert "张三" not in done.stderr
    with ledger.connect() as connection:
        assert 0 == connection.scalar(text("SELECT count(*) FROM people"))


def test_people_are_loaded_from_a_table_as_chinese_excel_saves_it(ledger: Engine, tmp_path: Path) -> None:
    """GB 18030 is read like UTF-8, with old identity numbers and fixed telephones."""
    keys, file = tmp_path / "keys", tmp_path / "people.csv"
    huzhu("people", "newkey", keys)
    file.write_bytes("person_id,name,phone,id_number\nP1,张三,0510-82345678,320202491231002\n".encode("gb18030"))
    settings: dict[str, Any] = {"HUZHU_DATABASE_URL": url_of(ledger), "HUZHU_CONSOLE_KEY_FILE": str(keys)}
    done = huzhu("people", "load", file, "--operator", "wang", **settings)
    assert (0, True) == (done.returncode, "1 persons" in done.stdout), done.stderr


@pytest.mark.parametrize("content", [b"not a key\n", b"\x00\xff" * 50, b""])
def test_a_file_that_is_no_key_ring_is_never_appended_to(tmp_path: Path, content: bytes) -> None:
    """Exit status 2, and the file is as it was."""
    file = tmp_path / "report.pdf"
    file.write_bytes(content)
    file.chmod(0o600)
    done = huzhu("people", "newkey", file)
    assert (UNUSABLE, content) == (done.returncode, file.read_bytes())
    assert "report.pdf" in done.stderr


def test_a_key_is_a_line_of_its_own_after_one_that_lacks_its_end(tmp_path: Path) -> None:
    """An editor that ate the last line feed does not spoil the ring."""
    file = tmp_path / "keys"
    assert 0 == huzhu("people", "newkey", file).returncode
    file.write_bytes(file.read_bytes().rstrip())
    assert 0 == huzhu("people", "newkey", file).returncode
    assert 2 == len(file.read_text("ascii").splitlines())


def test_the_console_serves_until_a_signal(ledger: Engine, tmp_path: Path) -> None:
    """Loopback alone, ready in seconds, and a clean end."""
    keys, port = tmp_path / "keys", free_ports(1)[0]
    huzhu("people", "newkey", keys)
    variables = {
        "HUZHU_DATABASE_URL": url_of(ledger),
        "HUZHU_CONSOLE_KEY_FILE": str(keys),
        "HUZHU_CONSOLE_PORT": str(port),
    }
    argv = [
        "env",
        *(f"{name}={value}" for name, value in variables.items()),
        sys.executable,
        "-m",
        "cli.main",
        "console",
    ]
    guarded = Guarded(tmp_path, temporary=False)
    try:
        guarded.start("console", argv, tmp_path / "console.log")

        def serves() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/sign-in", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        assert await_true(serves, 60), (tmp_path / "console.log").read_text()
    finally:
        guarded.close()


def test_it_refuses_before_it_touches_anything(tmp_path: Path) -> None:
    """Without keys, on an address without TLS, with half a certificate: exit status 2 and the variable's name."""
    assert "HUZHU_CONSOLE_KEY_FILE" in huzhu("console").stderr
    assert "HUZHU_CONSOLE_TLS_CERT" in huzhu("console", HUZHU_CONSOLE_HOST="0.0.0.0").stderr
    assert "HUZHU_CONSOLE_TLS_CERT" in huzhu("console", HUZHU_CONSOLE_TLS_KEY="/nowhere.pem").stderr
    missing = huzhu("console", HUZHU_CONSOLE_KEY_FILE=str(tmp_path / "none"))
    assert (UNUSABLE, True) == (missing.returncode, "cannot be read" in missing.stderr)
    with pytest.raises(NotServed, match="HUZHU_CONSOLE_HOST"):
        check_address(Settings(console_host="10.0.0.5"), allow_plain=False, name="console")


@pytest.mark.parametrize("name", ["console", pytest.param("gateway", marks=pytest.mark.prove)])
def test_no_address_is_said_that_another_program_has(ledger: Engine, tmp_path: Path, name: str) -> None:
    """Where the port is taken the server says so, with the setting to change, and no address at which nothing is."""
    keys = tmp_path / "keys"
    huzhu("people", "newkey", keys)
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings: dict[str, Any] = {
            "HUZHU_DATABASE_URL": url_of(ledger),
            "HUZHU_KAFKA_BOOTSTRAP": "127.0.0.1:9",
            "HUZHU_CONSOLE_KEY_FILE": str(keys),
            f"HUZHU_{name.upper()}_PORT": str(other.getsockname()[1]),
        }
        done = huzhu(name, **settings)
    assert UNUSABLE == done.returncode
    assert f"cannot listen at 127.0.0.1:{settings[f'HUZHU_{name.upper()}_PORT']}" in done.stderr
    assert f"HUZHU_{name.upper()}_PORT" in done.stderr
    assert "is at http" not in done.stderr
