"""Views of personal data that are noted and not yet in the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from infra.ledger.console_tables import console_views
from schemas.outbound import AuditKind


class ViewNote(NamedTuple):
    """Who looked at what, and when."""

    kind: str
    user: str
    subject: dict[str, str]
    viewed_at: datetime


def add(connection: Connection, kind: AuditKind, user: str, subject: dict[str, str], moment: datetime) -> None:
    """Notes one view."""
    connection.execute(
        console_views.insert().values(kind=kind.value, user_name=user, subject=subject, viewed_at=moment)
    )


def take(connection: Connection, limit: int) -> list[ViewNote]:
    """Takes up to ``limit`` notes out of the table, oldest first, except those that another transaction is taking."""
    view = console_views
    rows = connection.execute(
        select(view).order_by(view.c.view_no).limit(limit).with_for_update(skip_locked=True)
    ).all()
    connection.execute(delete(view).where(view.c.view_no.in_([row.view_no for row in rows])))
    return [ViewNote(row.kind, row.user_name, row.subject, row.viewed_at) for row in rows]
