"""Which ledger this is: an id that a copy, a restored backup and a promoted standby do not share.

PostgreSQL numbers its clusters (the system identifier), a cluster's histories (the timeline, new with every promotion
and every restore to a moment) and its databases. These three are kept beside the id. Where they are others than those
of the database, the id has come here in a copy, and the ledger gets a new one. A copy of the files that is started as
it is has all three in common with its original: only what it sent tells the two apart (`outbox_rows.chain_at`).
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.dialects.postgresql import insert

from infra.ledger.schema import LedgerMismatch
from infra.ledger.tables import installation

IDENTITY_LOCK = 0x48555A49
"""Key of the advisory lock ("HUZI") under which a ledger gets a new id."""

_PLACE = "system_identifier::text || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())"
_HOME = text(f"SELECT {_PLACE}, left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()")
_PLACE_ALONE = text(f"SELECT {_PLACE} FROM pg_control_system()")


class Identity(NamedTuple):
    """A ledger's id. ``before`` is the one it had until its standby was promoted, None if that is not how it came."""

    id: str
    before: str | None


def identity(connection: Connection) -> Identity:
    """This ledger's identity; a new one if it has none, or lives elsewhere than where it got it."""
    held, here = _held(connection), _home(connection)
    if (held.get("ledger_home"), held.get("ledger_timeline")) == here:
        return Identity(held["ledger_id"], held.get("ledger_id_before"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": IDENTITY_LOCK})
    held = _held(connection)  # somebody may have been faster
    if (held.get("ledger_home"), held.get("ledger_timeline")) == here:
        return Identity(held["ledger_id"], held.get("ledger_id_before"))
    return renew(connection, held["ledger_id"] if _is_promoted(held, here) else None)


def foreseen(connection: Connection) -> Identity:
    """The identity that the next worker or relay would find or make; changes nothing."""
    held, here = _held(connection), _home(connection)
    if (held.get("ledger_home"), held.get("ledger_timeline")) == here:
        return Identity(held["ledger_id"], held.get("ledger_id_before"))
    return Identity("a new one", held["ledger_id"] if _is_promoted(held, here) else None)


def is_at_home(connection: Connection) -> bool:
    """Whether the ledger lives where it got its id."""
    held = _held(connection)
    return (held.get("ledger_home"), held.get("ledger_timeline")) == _home(connection)


def renew(connection: Connection, before: str | None = None) -> Identity:
    """Gives the ledger a new id, so that no cursor in Kafka is its own any more."""
    new = Identity(secrets.token_hex(16), before)
    home, timeline = _home(connection)
    values = {"ledger_id": new.id, "ledger_home": home, "ledger_timeline": timeline}
    connection.execute(installation.delete().where(installation.c.name == "ledger_id_before"))
    if before is not None:
        values["ledger_id_before"] = before
    statement = insert(installation)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value}),
        [{"name": name, "value": value} for name, value in values.items()],
    )
    return new


def _is_promoted(held: dict[str, str], here: tuple[str, str]) -> bool:
    return held.get("ledger_home") == here[0] and held["ledger_timeline"] < here[1]


def _held(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(installation).where(installation.c.name.like("ledger_%")))
    return {row.name: row.value for row in rows}


def require_replica(replica: Engine, ledger: Engine) -> None:
    """Raises LedgerMismatch unless one is a replica of the other: after a failover either may be."""
    with replica.connect() as theirs, ledger.connect() as ours:
        if theirs.scalar(_PLACE_ALONE) != ours.scalar(_PLACE_ALONE):
            raise LedgerMismatch(
                "HUZHU_DATABASE_READ_URL leads to a replica of another ledger than HUZHU_DATABASE_URL: correct it"
            )


def _home(connection: Connection) -> tuple[str, str]:
    row = connection.execute(_HOME).one()
    return row[0], row[1]
