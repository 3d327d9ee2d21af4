"""The published files of watches as the ledger keeps them, and whom they may find."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from infra.ledger.group_tables import memberships
from infra.ledger.policy_rows import PublishedFile
from infra.ledger.tables import claims, watches
from schemas.decisions import Status
from schemas.ids import PersonId
from schemas.watch.watch_model import Watches


def texts(connection: Connection) -> list[str]:
    """The published files of watches, in the order of their publication."""
    return list(connection.scalars(select(watches.c.source_text).order_by(watches.c.event_no)))


def add(connection: Connection, file: Watches, published: PublishedFile, event_no: int) -> None:
    """Keeps a file that event ``event_no`` published. The database refuses two with one watch on one day."""
    connection.execute(
        watches.insert().values(
            sha256=file.sha256,
            watches_id=file.id,
            effective_from=file.effective_from,
            effective_to=file.effective_to,
            watch_ids=[each.id for each in file.watches],
            event_no=event_no,
            **published._asdict(),
        )
    )


def persons_over(connection: Connection, step: int, by_household: bool) -> list[PersonId]:
    """Persons whose claims that count come to more than a step (fen), and with ``by_household`` all who have one."""
    counted = claims.c.status.in_((Status.ADJUDICATED, Status.NOT_COVERED))
    alone = select(claims.c.person_id).where(counted).group_by(claims.c.person_id)
    found = set(connection.scalars(alone.having(func.sum(claims.c.personal_burden) > step)))
    if by_household:
        member = memberships.c.household_id.is_not(None)
        of_all = select(claims.c.person_id).where(
            counted, claims.c.person_id.in_(select(memberships.c.person_id).where(member))
        )
        found |= set(connection.scalars(of_all.distinct()))
    return sorted(PersonId(name) for name in found)  # by code point, in whatever collation the database sorts
