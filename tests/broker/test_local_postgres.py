"""A local PostgreSQL keeps what was committed, rejects connections without the password and leaves no trace."""

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from infra.servers.local import postgres_programs, postgres_server
from infra.servers.local.errors import PartUnavailable
from infra.servers.local.ports import free_ports
from infra.servers.local.postgres_server import LocalPostgres
from tests.support.servers import all_gone, execute, family_of, listening_addresses, query


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder to keep data in that PostgreSQL's user can reach too, which pytest's own is not for root."""
    folder = Path(tempfile.mkdtemp(prefix="huzhu-test-"))
    yield folder
    shutil.rmtree(folder)


def test_postgres_answers() -> None:
    """A new database answers, with the settings that money needs, and not beyond the loopback interface."""
    with LocalPostgres.start() as server:
        assert query(server.url, "select 1") == 1
        assert query(server.url, "select current_database()") == "huzhu"
        expected = {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "server_encoding": "UTF8",
            "lc_collate": "C",
            "timezone": "UTC",
            "max_connections": "100",
        }
        collation = "select datcollate from pg_database where datname = 'huzhu'"
        actual = {key: query(server.url, collation if key == "lc_collate" else f"show {key}") for key in expected}
        assert actual == expected
        assert listening_addresses(server.pid) == {"127.0.0.1"}
        assert os.geteuid() != 0 or psutil.Process(server.pid).username() != "root"


def test_postgres_wants_the_password() -> None:
    """Nobody else on the machine gets in without the password."""
    with LocalPostgres.start() as server:
        password = server.url.split(":")[2].split("@")[0]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            query(server.url.replace(password, "guess"), "select 1")
        assert (server.folder / "password").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("end", ["fast", "immediate", "kill -9"])
def test_postgres_restarts_with_its_data(end: str) -> None:
    """What was committed is there after a restart on the same URL, however the server ended."""
    with LocalPostgres.start() as server:
        url, first = server.url, server.pid
        execute(url, "create table payout (minor bigint)")
        execute(url, "insert into payout values (42)")
        if end == "kill -9":
            os.kill(server.pid, signal.SIGKILL)
        server.restart("immediate" if end == "immediate" else "fast")
        assert (server.url, server.pid != first) == (url, True)
        assert query(url, "select minor from payout") == 42


def test_postgres_in_a_named_folder_keeps_its_data(open_folder: Path) -> None:
    """A second start with the same folder has the same tables."""
    with LocalPostgres.start(open_folder) as first:
        execute(first.url, "create table kept as select 7 as seven")
    with LocalPostgres.start(open_folder) as second:
        assert query(second.url, "select seven from kept") == 7


def test_postgres_stops_without_a_trace() -> None:
    """After `stop` no process and no folder is left, even with a session open."""
    server = LocalPostgres.start()
    session = psycopg.connect(server.url.replace("+psycopg", ""))
    processes = family_of(server.pid)
    server.stop()
    server.stop("immediate")
    session.close()
    assert all_gone(processes)
    assert not server.folder.exists()


def test_postgres_tries_another_port_when_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that another program bound after it was chosen costs a second attempt, not the start."""
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        choices = [(squatter.getsockname()[1],)]
        monkeypatch.setattr(
            postgres_server, "free_ports", lambda count: choices.pop() if choices else free_ports(count)
        )
        with LocalPostgres.start() as server:
            assert choices == []
            assert query(server.url, "select 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change the user")
def test_postgres_runs_from_a_place_its_user_may_not_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the virtual environment is closed to the server's user, a copy of the programs is run instead."""
    monkeypatch.setattr(postgres_programs, "is_open_to_all", lambda folder: "site-packages" not in str(folder))
    with LocalPostgres.start() as server:
        assert Path(psutil.Process(server.pid).exe()).is_relative_to(server.folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change the user")
def test_postgres_refuses_a_folder_its_user_may_not_enter(open_folder: Path) -> None:
    """A data folder inside a closed one is refused in one sentence."""
    with pytest.raises(PartUnavailable, match="choose a data folder"):
        LocalPostgres.start(open_folder / "data")
