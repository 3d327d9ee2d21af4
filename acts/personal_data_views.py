"""Looks at personal data: noted before the page is shown, chained into the audit log a moment later.

A page that chained its own view would wait for the worker that holds the shard.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Engine

from acts.record_operator_acts import record_operator_acts
from infra.clock import Clock
from infra.ledger import view_notes
from schemas.access.console_rights import ConsoleAct
from schemas.outbound import AuditKind

VIEWS_AT_ONCE = 500


def note_view(connection: Connection, kind: AuditKind, user: str, subject: dict[str, str], moment: datetime) -> None:
    """Notes that somebody looks at personal data. Commit before the page is shown."""
    view_notes.add(connection, kind, user, subject, moment)


def chain_views(engine: Engine, now: Clock) -> int:
    """Moves noted views into the audit log; returns how many."""
    with engine.begin() as connection:
        notes = view_notes.take(connection, VIEWS_AT_ONCE)
        if notes:
            acts = [
                ConsoleAct(note.kind, note.user, note.subject | {"viewed_at": note.viewed_at.isoformat()})
                for note in notes
            ]
            record_operator_acts(connection, now, acts)
        return len(notes)
