"""The published policy files as the ledger keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from infra.ledger.tables import policies
from schemas.policy.model import Policy


class PublishedFile(NamedTuple):
    """A file of a policy or a treaty, who published it and when."""

    source_text: str
    operator: str
    published_at: datetime


def texts(connection: Connection) -> list[str]:
    """The published policy files, oldest first."""
    return list(connection.scalars(select(policies.c.source_text).order_by(policies.c.effective_from)))


def text_of(connection: Connection, sha256: str) -> str | None:
    """The published file of a policy's hash."""
    return connection.scalar(select(policies.c.source_text).where(policies.c.sha256 == sha256))


def releases(connection: Connection) -> list[PublishedFile]:
    """All published files, the newest first."""
    columns = [policies.c[name] for name in PublishedFile._fields]
    return [
        PublishedFile(*row) for row in connection.execute(select(*columns).order_by(policies.c.effective_from.desc()))
    ]


def add(connection: Connection, policy: Policy, file: PublishedFile, event_no: int) -> None:
    """Keeps a policy that event ``event_no`` published, which ends the one that it succeeds.

    The database refuses two that are in force on one day.
    """
    connection.execute(
        policies.insert().values(
            sha256=policy.sha256,
            policy_id=policy.id,
            effective_from=policy.effective_from,
            effective_to=policy.effective_to,
            succeeds=policy.succeeds,
            event_no=event_no,
            **file._asdict(),
        )
    )
