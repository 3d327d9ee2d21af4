"""The published treaty files as the ledger keeps them."""

from __future__ import annotations

from sqlalchemy import Connection, select

from infra.ledger.policy_rows import PublishedFile
from infra.ledger.tables import treaties
from schemas.treaty.treaty_model import Treaty


def texts(connection: Connection) -> list[str]:
    """The published treaty files, in the order of their publication."""
    return list(connection.scalars(select(treaties.c.source_text).order_by(treaties.c.event_no)))


def ids(connection: Connection) -> set[str]:
    """The ids of the published treaties."""
    return set(connection.scalars(select(treaties.c.treaty_id)))


def leads(connection: Connection) -> list[str]:
    """The insurers that lead a published treaty, and so have a topic of instructions."""
    return list(connection.scalars(select(treaties.c.lead).distinct().order_by(treaties.c.lead)))


def add(connection: Connection, treaty: Treaty, file: PublishedFile, event_no: int) -> None:
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
