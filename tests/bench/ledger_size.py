"""How large a ledger is after a backlog, and what VACUUM gives back."""

from __future__ import annotations

import time

from sqlalchemy import create_engine, text

from tests.bench.figures import Figure
from tests.bench.machine import load

PART = "a. ledger"
LEFT, VACUUMED, REWRITTEN = "as the run left it", "after VACUUM", "after VACUUM FULL"
SIZE, OUTBOX = "bytes per claim", "bytes of the outbox per claim"
LARGEST = 4

_TABLES = """
    SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND n.nspname = 'public' ORDER BY bytes DESC, name
"""


def measure(url: str) -> list[Figure]:
    """Sizes as they are, after VACUUM and after VACUUM FULL, which is done to the ledger."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    figures = []
    with engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        claims = int(connection.scalar(text("SELECT count(*) FROM claims")) or 0)
        for state, command in ((LEFT, ""), (VACUUMED, "VACUUM"), (REWRITTEN, "VACUUM FULL")):
            started = time.monotonic()
            if command:
                connection.execute(text(command))
                figures.append(_figure(state, f"time of {command}", "s", time.monotonic() - started, ""))
            tables = {row.name: int(row.bytes) for row in connection.execute(text(_TABLES))}
            largest = ", ".join(f"{name} {size // claims:,}" for name, size in list(tables.items())[:LARGEST])
            note = f"{claims} claims, with indexes; {largest}"
            figures.append(_figure(state, SIZE, "B", sum(tables.values()) / claims, note))
            outbox = sum(size for name, size in tables.items() if name.startswith("outbox"))
            figures.append(_figure(state, OUTBOX, "B", outbox / claims, "all of it was sent"))
    engine.dispose()
    return figures


def _figure(subject: str, measure: str, unit: str, value: float, note: str) -> Figure:
    return Figure(PART, subject, measure, unit, "less", (value,), (load(),), note)
