"""Copies of a running PostgreSQL, as its own tool makes them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from sqlalchemy import make_url

from infra.servers.local.postgres_programs import programs, server_user
from infra.servers.local.postgres_server import LocalPostgres


def base_backup(server: LocalPostgres, folder: Path, *options: str) -> None:
    """Copies it to ``folder``, which can be started; with ``--write-recovery-conf`` as a replica that follows it."""
    folder.mkdir()
    url = make_url(server.url).set(drivername="postgresql", database=None).render_as_string(hide_password=False)
    tool = programs(server.folder, server_user()) / "pg_basebackup"
    command: list[str | Path] = [tool, "-d", url, "-D", folder / "data", "-X", "stream", "-c", "fast", *options]
    subprocess.run(command, check=True)
    (folder / "password").write_bytes((server.folder / "password").read_bytes())
    if (user := server_user()) is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, *user)
