"""The API's keys in the ledger. Only hashes are stored."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from infra.ledger.gateway_tables import api_keys
from schemas.access.callers import ApiKey, ApiRole


def find(connection: Connection, key_id: str, *, to_change: bool = False) -> ApiKey | None:
    """The key with an id; with ``to_change`` other operators wait until this transaction ends."""
    query = select(*(api_keys.c[name] for name in ApiKey._fields)).where(api_keys.c.key_id == key_id)
    row = connection.execute(query.with_for_update() if to_change else query).one_or_none()
    return None if row is None else ApiKey(*row)._replace(role=ApiRole(row.role))


def all_keys(connection: Connection) -> list[ApiKey]:
    """Every key ever made, oldest first."""
    query = select(*(api_keys.c[name] for name in ApiKey._fields)).order_by(api_keys.c.created_at, api_keys.c.key_id)
    return [ApiKey(*row)._replace(role=ApiRole(row.role)) for row in connection.execute(query)]


def add(connection: Connection, key: ApiKey) -> None:
    connection.execute(api_keys.insert().values(**key._asdict() | {"role": key.role.value}))


def end(
    connection: Connection, key_id: str, *, expires_at: datetime | None = None, revoked_at: datetime | None = None
) -> None:
    """Sets when a key expires, or revokes it."""
    values = {"expires_at": expires_at, "revoked_at": revoked_at}
    changed = {name: value for name, value in values.items() if value is not None}
    connection.execute(api_keys.update().where(api_keys.c.key_id == key_id).values(**changed))
