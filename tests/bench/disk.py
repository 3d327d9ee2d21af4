"""What a claim takes on disk, by table and index, and how long its rows are, without Kafka.

    python -m tests.bench.disk                 # a ledger of 20,000 claims on a PostgreSQL of its own
    python -m tests.bench.disk --persons 800   # a small one, to see that it works

The population of the benchmarks is taken in batch by batch, as a worker does; then everything counts as sent, and
VACUUM gives back what it can. Bytes for a claim; what is below one byte is left out. Last comes what an archive of all
of it takes (`huzhu ledger archive`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from sqlalchemy import Engine, make_url, text

from acts.archive_ledger import archive_ledger
from acts.make_checkpoints import make_due
from acts.verify_audit_log import Trust
from infra.keys.audit_signing import SigningKey
from infra.ledger.schema import bind, connect
from infra.ledger.upgrading import upgrade
from infra.servers.resolve import resolve_postgres
from schemas.months import month_at, month_end
from tests.bench.fill import as_if_long_ago, fill
from tests.bench.messages import POLICY, backlog
from tests.support.acts import publish
from tests.support.builders import SHARDS
from tests.support.databases import fresh_name
from tests.support.servers import execute

PERSONS = 16_000
"""So many have more than 20,000 claims."""

_RELATIONS = text("""
    SELECT t.relname AS table_name, i.relname AS index_name, CASE WHEN i.oid IS NULL
           THEN pg_relation_size(t.oid) + coalesce(pg_total_relation_size(nullif(t.reltoastrelid, 0)), 0)
           ELSE pg_relation_size(i.oid) END AS bytes
    FROM pg_class t
    CROSS JOIN LATERAL (
        SELECT NULL::oid AS oid, NULL::name AS relname UNION ALL
        SELECT c.oid, c.relname FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = t.oid
    ) i
    WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace
    ORDER BY sum(pg_relation_size(t.oid)) OVER (PARTITION BY t.oid) DESC, t.relname, i.relname NULLS FIRST
""")
_COLUMNS = text("""
    SELECT attrelid::regclass::text AS table_name, attname AS name
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
    ORDER BY 1, attnum
""")


class Part(NamedTuple):
    """A table without its indexes (``of_index`` is empty then), or one of its indexes, and its bytes."""

    table: str
    of_index: str
    size: int


def parts(engine: Engine) -> list[Part]:
    """Every table of a ledger followed by its indexes, the largest tables first."""
    with engine.connect() as connection:
        rows = connection.execute(_RELATIONS)
        return [Part(row.table_name, row.index_name or "", int(row.bytes)) for row in rows]


def columns(engine: Engine, table: str) -> dict[str, int]:
    """How many bytes the columns of a table take in all of its rows."""
    with engine.connect() as connection:
        names = [row.name for row in connection.execute(_COLUMNS) if row.table_name == table]
        sums = ", ".join(f'coalesce(sum(pg_column_size("{name}")), 0)' for name in names)
        return dict(zip(names, map(int, connection.execute(text(f'SELECT {sums} FROM "{table}"')).one()), strict=True))


def said(engine: Engine) -> Iterator[str]:
    """The lines that the command prints."""
    with engine.connect() as connection:
        claims = int(connection.scalar(text("SELECT count(*) FROM claims")) or 0)
    found = parts(engine)
    yield f"{claims:,} claims, {sum(part.size for part in found) / claims:,.0f} B each"
    for part in found:
        if part.size >= claims:
            yield f"{part.size / claims:8,.0f}  {part.table if not part.of_index else f'    index {part.of_index}'}"
            if not part.of_index:
                for name, size in columns(engine, part.table).items():
                    if size >= claims:
                        yield f"{size / claims:8,.0f}      of it {name}"


def archived(engine: Engine) -> str:
    """The line about an archive of the whole ledger."""
    later = month_end(month_at(datetime.now(UTC)))
    key = SigningKey("bench.example/huzhu", bytes(32))
    make_due(engine, key, lambda: later, 1, timedelta())
    with TemporaryDirectory() as folder:
        made = archive_ledger(engine, Path(folder), month_at(later), key, Trust([key.verifier]), "bench", lambda: later)
    assert made is not None
    with engine.connect() as connection:
        claims = int(connection.scalar(text("SELECT count(*) FROM claims")) or 0)
    files = [(each.entries, each.events) for each in made.shards]
    entries, events = (sum(each.bytes for each in column) / claims for column in zip(*files, strict=True))
    of_entries, of_events = (sum(each.value_bytes for each in column) / claims for column in zip(*files, strict=True))
    return (
        f"archived: {entries:,.0f} B of entries ({of_entries:,.0f} in the ledger) and {events:,.0f} B of events "
        f"({of_events:,.0f} in the ledger) for a claim"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.disk", description=__doc__)
    parser.add_argument("--persons", type=int, default=PERSONS, help=f"persons of the population ({PERSONS})")
    options = parser.parse_args()
    with resolve_postgres() as server:
        name = fresh_name("disk")
        execute(server.url, f"CREATE DATABASE {name}", alone=True)
        engine = connect(make_url(server.url).set(database=name).render_as_string(hide_password=False))
        upgrade(engine)
        bind(engine, SHARDS, "no-cluster")
        publish(engine, POLICY.read_text("utf-8"), "bench", SHARDS, lambda: datetime.now(UTC))
        fill(engine, backlog(options.persons))
        as_if_long_ago(engine)
        for line in said(engine):
            sys.stdout.write(f"{line}\n")
        sys.stdout.write(f"{archived(engine)}\n")
        engine.dispose()
        execute(server.url, f"DROP DATABASE {name}", alone=True)


if __name__ == "__main__":
    main()
