"""PostgreSQL roles with the rights that `huzhu ledger grants` prints, for one test."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sqlalchemy import Engine, text

from infra.ledger.roles import LedgerRole, grants
from infra.ledger.schema import connect
from tests.support.databases import fresh_name

SECRET = "seven-red-bicycles"


class Roles:
    """Engines of roles for one ledger; `with` leaves no role behind."""

    def __init__(self, ledger: Engine) -> None:
        self._ledger = ledger
        self._engines: dict[LedgerRole, Engine] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for engine in self._engines.values():
            engine.dispose()
            self._run(f"DROP OWNED BY {engine.url.username}", f"DROP ROLE {engine.url.username}")

    def __call__(self, role: LedgerRole) -> Engine:
        """An engine whose sessions are those of a user with the role."""
        if role not in self._engines:
            user = fresh_name(role.value)
            self._run(f"CREATE ROLE {user} LOGIN PASSWORD '{SECRET}'", *grants(role, user))
            url = self._ledger.url.set(username=user, password=SECRET)
            self._engines[role] = connect(url.render_as_string(hide_password=False), pool=20)
        return self._engines[role]

    def _run(self, *statements: str) -> None:
        with self._ledger.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
