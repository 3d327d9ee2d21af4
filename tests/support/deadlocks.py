"""How often PostgreSQL had to end a deadlock."""

from __future__ import annotations

from sqlalchemy import Engine, text

from infra.ledger.schema import connect
from tests.support.servers import await_true


def deadlocks(ledger: Engine, url: str) -> int:
    """How many deadlocks PostgreSQL has counted in this database. Sessions tell of theirs when they end."""
    ledger.dispose()
    alone = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    )
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    engine = connect(url)
    with engine.connect() as connection:

        def others_ended() -> bool:
            return bool(connection.scalar(text(alone)) == 1)

        assert await_true(others_ended)
        counted: int = connection.execute(text(query)).scalar_one()
    engine.dispose()
    return counted
