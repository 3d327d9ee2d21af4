"""Many rows in one statement: COPY into insert-only tables, one INSERT ... ON CONFLICT over arrays for the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import psycopg
from sqlalchemy import ARRAY, Connection, Executable, Table, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError


def copy_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Appends rows by COPY; constraints and triggers hold as for any insert."""
    names = ", ".join(f'"{name}"' for name in columns)
    types = [str(table.c[name].type.compile(connection.dialect)) for name in columns]
    driver = cast(psycopg.Connection[Any], connection.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)') as copy:
        copy.set_types([_PG_NAMES.get(name, name.lower()) for name in types])
        for row in rows:
            copy.write_row(row)


_PG_NAMES = {
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "BIGINT": "int8",
    "INTEGER": "int4",
    "TEXT[]": "text[]",
    "BOOLEAN": "bool",
}


def binary_rows(connection: Connection, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement, which the server prepares once, in the binary form: bytes come as they are.

    Raises DBAPIError.
    """
    driver = cast(psycopg.Connection[Any], connection.connection.driver_connection)
    try:
        with driver.cursor(binary=True) as cursor:
            return cursor.execute(statement.encode(), values, prepare=True).fetchall()
    except psycopg.Error as error:
        if driver.closed:  # SQLAlchemy has not seen it, and would try to roll back
            connection.invalidate(error)
        raise DBAPIError.instance(statement, None, error, psycopg.Error, hide_parameters=True) from error


def merge_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    update: bool,
) -> int:
    """Inserts rows, in order of the primary key so that two writers cannot deadlock; returns how many were written.

    With ``update`` a row whose key exists replaces that row; otherwise it is skipped.
    """
    if not rows:
        return 0
    arrays = {name: [row[index] for row in rows] for index, name in enumerate(columns)}
    return connection.execute(_merge(table, tuple(columns), update), arrays).rowcount


@cache
def _merge(table: Table, columns: tuple[str, ...], update: bool) -> Executable:
    """The statement for a number of arrays; built once, as building it takes longer than running it for a few rows."""
    keys = [column.name for column in table.primary_key]
    arrays = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in columns]
    source = func.unnest(*arrays).table_valued(*columns).render_derived()
    picked = select(*(source.c[name] for name in columns)).order_by(*(source.c[name] for name in keys))
    statement = insert(table).from_select(list(columns), picked)
    if update:
        changed = {name: statement.excluded[name] for name in columns if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    return statement.execution_options(preserve_rowcount=True)
