"""Second factors of the console's users: the sealed secret of their app, and what was used of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from infra.keys.personal_data import Keyring
from infra.ledger.console_tables import second_factors


class SecondFactor(NamedTuple):
    """``last_step`` is the step of the last code that was taken; recovery codes are kept as SHA-256, until used."""

    user_name: str
    key_id: str
    secret: bytes
    last_step: int
    recovery_sha256: Sequence[str]
    enrolled_at: datetime


def find(connection: Connection, user_name: str) -> SecondFactor | None:
    """A user's second factor. Whoever uses it has locked the user's row."""
    query = select(*(second_factors.c[name] for name in SecondFactor._fields))
    row = connection.execute(query.where(second_factors.c.user_name == user_name)).one_or_none()
    return None if row is None else SecondFactor(*row)._replace(secret=bytes(row.secret))


def secret_of(factor: SecondFactor, keys: Keyring) -> str:
    """The secret in base32. Raises NotReadable when its key is gone."""
    return keys.open(factor.secret, factor.key_id, _place(factor.user_name))


def add(
    connection: Connection,
    keys: Keyring,
    user_name: str,
    secret: str,
    last_step: int,
    recovery_sha256: Sequence[str],
    moment: datetime,
) -> None:
    sealed = keys.seal(secret, _place(user_name))
    factor = SecondFactor(user_name, keys.newest, sealed, last_step, list(recovery_sha256), moment)
    connection.execute(second_factors.insert().values(factor._asdict()))


def used(connection: Connection, user_name: str, last_step: int, recovery_sha256: Sequence[str]) -> None:
    """Notes the newest step that was used, and the recovery codes that are left."""
    connection.execute(
        update(second_factors)
        .where(second_factors.c.user_name == user_name)
        .values(last_step=last_step, recovery_sha256=list(recovery_sha256))
    )


def remove(connection: Connection, user_name: str) -> bool:
    """Whether there was one."""
    return connection.execute(delete(second_factors).where(second_factors.c.user_name == user_name)).rowcount > 0


def enrolled(connection: Connection) -> dict[str, datetime]:
    """Who has a second factor, and since when."""
    rows = connection.execute(select(second_factors.c.user_name, second_factors.c.enrolled_at))
    return {row.user_name: row.enrolled_at for row in rows}


def rotate(connection: Connection, keys: Keyring) -> int:
    """Encrypts every secret again whose key is not the newest; returns how many. Raises NotReadable."""
    columns = [second_factors.c[name] for name in SecondFactor._fields]
    old = connection.execute(select(*columns).where(second_factors.c.key_id != keys.newest).with_for_update()).all()
    for row in old:
        factor = SecondFactor(*row)._replace(secret=bytes(row.secret))
        sealed = keys.seal(secret_of(factor, keys), _place(factor.user_name))
        connection.execute(
            update(second_factors)
            .where(second_factors.c.user_name == factor.user_name)
            .values(key_id=keys.newest, secret=sealed)
        )
    return len(old)


def _place(user_name: str) -> str:
    return f"second_factors/secret/{user_name}"
