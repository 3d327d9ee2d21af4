"""PostgreSQL on this machine: one server on a free loopback port, from the programs in a wheel.

Every connection uses TCP and a random password that is created with the folder; there is no Unix socket and no trusted
user. As the server keeps money, `fsync` and `synchronous_commit` stay on. Without a data folder the data is in a
temporary folder that is removed at the end.
"""

import contextlib
import os
import secrets
import signal
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Literal

import psycopg

from infra.servers.local.errors import PartFailed
from infra.servers.local.guard_client import Guarded, tail
from infra.servers.local.ports import LOOPBACK, free_ports
from infra.servers.local.postgres_programs import programs, require_reachable, server_user

DATABASE = "huzhu"
USER = "huzhu"
START_SECONDS_MAX = 60.0  # well under a second, unless it first has to recover from a crash
PORT_ATTEMPTS = 5
POLL_SECONDS = 0.02
SERVER = "postgres"

StopMode = Literal["fast", "immediate"]
STOP_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class LocalPostgres:
    """A running server with an empty database `huzhu`. Use it as a context manager, or call `stop`."""

    port: int
    """Its TCP port on 127.0.0.1. Does not change with `restart`."""

    def __init__(self, data_dir: Path | None) -> None:
        """Use `start`."""
        self._user = server_user()
        if data_dir is not None:
            require_reachable(data_dir.absolute(), self._user)
        folder = Path(tempfile.mkdtemp(prefix="huzhu-postgres-")) if data_dir is None else data_dir.absolute()
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._log = folder / "postgres.log"
        self._guarded = Guarded(folder, temporary=data_dir is None)
        self._stopped = False
        try:
            if self._user is not None:
                os.chown(folder, *self._user)
            self._programs = programs(folder, self._user)
            self._password = self._kept_password()
            self._make_cluster()
            self._start_on_free_port()
            self._make_database()
        except BaseException:  # Ctrl-C too
            self.stop("immediate")
            raise

    @classmethod
    def start(cls, data_dir: Path | None = None) -> "LocalPostgres":
        """Start a server and wait until it answers.

        A `data_dir` is kept, including the password; its parent must exist. Raises `PartUnavailable` when the programs
        or a user to run them are missing, and `PartFailed` with the end of the log when the server does not start.
        """
        return cls(data_dir)

    @property
    def url(self) -> str:
        """The database as an SQLAlchemy URL."""
        return f"postgresql+psycopg://{USER}:{self._password}@{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def pid(self) -> int:
        """The pid of the server (the postmaster)."""
        return self._pid

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop the server, if it is still running, and start it again on the same port and data."""
        self._guarded.stop(SERVER, STOP_SIGNALS[mode])
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                return self._launch()
            except _Obstructed:  # by a backend that has not noticed yet that its server was killed
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server and remove a temporary folder. Stopping twice is harmless.

        `fast` ends the sessions and writes everything to disk; `immediate` is like a crash, with recovery at the next
        start.
        """
        if not self._stopped:
            self._stopped = True
            with contextlib.suppress(PartFailed):  # the guard was killed, and the server with it
                self._guarded.send(SERVER, STOP_SIGNALS[mode])
            self._guarded.close()

    def __enter__(self) -> "LocalPostgres":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _kept_password(self) -> str:
        file = self.folder / "password"
        if not file.exists():
            partial = file.with_suffix(".partial")
            partial.touch(mode=0o600)
            partial.write_text(secrets.token_hex(24))
            if self._user is not None:
                os.chown(partial, *self._user)
            partial.rename(file)
        return file.read_text()

    def _make_cluster(self) -> None:
        """Run `initdb` unless the folder is already initialised."""
        data = self.folder / "data"
        if data.exists():
            return
        partial = self.folder / f"data-{secrets.token_hex(4)}"
        command = [
            *(str(self._programs / "initdb"), "-D", str(partial), "-U", USER, "--auth=scram-sha-256"),
            *(f"--pwfile={self.folder / 'password'}", "--encoding=UTF8", "--locale=C"),
        ]
        self._guarded.run("initdb", command, self._log, timeout_seconds=START_SECONDS_MAX, user=self._user)
        partial.rename(data)

    def _start_on_free_port(self) -> None:
        for _ in range(PORT_ATTEMPTS):
            (self.port,) = free_ports(1)
            try:
                return self._launch()
            except _Obstructed:
                continue
        raise PartFailed(f"PostgreSQL could not start {PORT_ATTEMPTS} times in a row:\n{tail(self._log)}")

    def _launch(self) -> None:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 100,
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        begin = self._log.stat().st_size if self._log.exists() else 0
        self._pid = self._guarded.start(
            SERVER,
            [str(self._programs / "postgres"), "-D", str(self.folder / "data"), *options],
            self._log,
            stop_signal=signal.SIGINT,
            # Not SIGKILL, so that the postmaster can stop its own children.
            orphan_signal=signal.SIGQUIT,
            user=self._user,
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            code = self._guarded.exit_code(SERVER)
            end = tail(self._log, begin)
            if code is not None and ("Address already in use" in end or "is still in use" in end):
                raise _Obstructed(f"PostgreSQL could not start. The end of its log:\n{end}")
            if code is not None or time.monotonic() > deadline:
                what = "did not answer" if code is None else f"ended with {code} at its start"
                raise PartFailed(f"PostgreSQL {what}. The end of its log:\n{end}")
            time.sleep(POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_database(self) -> None:
        with self._connect() as connection:
            rows = connection.execute("select 1 from pg_database where datname = %s", [DATABASE])
            if rows.fetchone() is None:
                connection.execute(f"create database {DATABASE}")

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=USER,
            password=self._password,
            dbname="postgres",
            connect_timeout=2,
            autocommit=True,
        )


class _Obstructed(PartFailed):
    """The port is taken, or a process of a killed server still uses the data: try again."""
