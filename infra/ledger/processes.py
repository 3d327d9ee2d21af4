"""Which processes work on the ledger: each names itself in its sessions, and leaves a row when it starts."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

from sqlalchemy import Engine, func

from infra.ledger.tables import process_starts
from schemas.health import PROGRAM

KEPT = timedelta(days=1)
"""How long a start is kept."""

HOST_CHARACTERS_MAX = 40
"""PostgreSQL cuts a session's name after 63 bytes."""


def process_name(kind: str) -> str:
    """The name of this process's sessions, such as ``huzhu relay host-1/4711``: its kind, machine and process id."""
    return f"{PROGRAM} {kind} {socket.gethostname()[:HOST_CHARACTERS_MAX]}/{os.getpid()}"


def note_start(engine: Engine, kind: str) -> None:
    """Notes that this process has started, and forgets starts of long ago. Raises DBAPIError."""
    with engine.begin() as connection:
        connection.execute(process_starts.insert().values(kind=kind, name=process_name(kind)))
        old = (
            process_starts.select()
            .with_only_columns(process_starts.c.start_no)
            .where(process_starts.c.started_at < func.now() - KEPT)
            .with_for_update(skip_locked=True)  # another start may be forgetting the same ones
        )
        connection.execute(process_starts.delete().where(process_starts.c.start_no.in_(old)))
