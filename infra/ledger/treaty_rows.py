"""The published treaty files as the ledger keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from infra.ledger.tables import treaties
from schemas.treaty.treaty_model import Treaty


class PublishedTreaty(NamedTuple):
    """A treaty file, who published it and when."""

    source_text: str
    operator: str
    published_at: datetime


def texts(connection: Connection) -> list[str]:
    """The published treaty files, in the order of their publication."""
    return list(connection.scalars(select(treaties.c.source_text).order_by(treaties.c.event_no)))


def ids(connection: Connection) -> set[str]:
    """The ids of the published treaties."""
    return set(connection.scalars(select(treaties.c.treaty_id)))


def leads(connection: Connection) -> list[str]:
    """The insurers that lead a published treaty, and so have a topic of instructions."""
    return list(connection.scalars(select(treaties.c.lead).distinct().order_by(treaties.c.lead)))


def hashes(connection: Connection) -> dict[str, str]:
    """SHA-256 of the texts of the published treaties, by the treaties' own hashes."""
    text = func.encode(func.sha256(func.convert_to(treaties.c.source_text, "UTF8")), "hex")
    return {row[0]: row[1] for row in connection.execute(select(treaties.c.sha256, text))}


def add(connection: Connection, treaty: Treaty, file: PublishedTreaty, event_no: int) -> None:
    """Keeps a treaty that event ``event_no`` published. The database refuses two for one day of a scheme."""
    connection.execute(
        treaties.insert().values(
            sha256=treaty.sha256,
            treaty_id=treaty.id,
            lead=treaty.lead,
            effective_from=treaty.effective_from,
            effective_to=treaty.effective_to,
            schemes=list(treaty.schemes),
            event_no=event_no,
            **file._asdict(),
        )
    )
