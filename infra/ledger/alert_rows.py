"""Alerts in the ledger: what a batch changes in them, and those about pools."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ARRAY, Connection, Text, bindparam, func, select

from infra.ledger.alert_tables import alerts
from infra.ledger.bulk import merge_rows
from schemas.alert_records import AlertChange, AlertRow, AlertState, changed

_COLUMNS = [alerts.c[name] for name in AlertRow._fields]
_STANDS = alerts.c.state != AlertState.WITHDRAWN
"""The facts, or what lists say, support it, whether somebody closed it or not."""


def named(connection: Connection, alert_ids: Iterable[str]) -> dict[str, AlertRow]:
    """Some alerts by their ids; those that were never told are left out."""
    wanted = func.any(bindparam("ids", sorted(alert_ids), type_=ARRAY(Text)))
    found = connection.execute(select(*_COLUMNS).where(alerts.c.alert_id == wanted))
    return {row.alert_id: row for row in map(alert_row, found)}


def every(connection: Connection) -> list[AlertRow]:
    """All alerts that were ever told, by their ids."""
    return [alert_row(row) for row in connection.execute(select(*_COLUMNS).order_by(alerts.c.alert_id))]


def keep(connection: Connection, changes: Sequence[AlertChange], numbers: Sequence[int]) -> None:
    """Carries out changes in their order; ``numbers`` are the ledger's of the batch's events.

    Whoever does so holds the shards of the persons and pools whom they are about.
    """
    if not changes:
        return
    rows = named(connection, {each.alert_id for each in changes})
    for each in changes:
        rows[each.alert_id] = changed(rows.get(each.alert_id), each._replace(number=numbers[each.number]))
    merge_rows(connection, alerts, AlertRow._fields, list(rows.values()), update=True)


def of_pools(connection: Connection, pool_ids: Collection[str]) -> set[tuple[str, str]]:
    """The pools and codes of alerts about some pools that the facts support, whether somebody closed them or not."""
    wanted = func.any(bindparam("pools", list(pool_ids), type_=ARRAY(Text)))
    query = select(alerts.c.pool_id, alerts.c.code).where(alerts.c.pool_id == wanted, _STANDS)
    return {(row.pool_id, row.code) for row in connection.execute(query)}


def standing(connection: Connection, code: str, persons: Collection[str] | None = None) -> dict[str, bytes]:
    """What was told last in alerts of a code that were not withdrawn, by person; of all persons, or of some."""
    query = select(alerts.c.person_id, alerts.c.value).where(alerts.c.code == code, _STANDS)
    if persons is not None:
        query = query.where(alerts.c.person_id == func.any(bindparam("persons", list(persons), type_=ARRAY(Text))))
    return {row.person_id: bytes(row.value) for row in connection.execute(query)}


def kept_hashes(connection: Connection) -> dict[str, str]:
    """SHA-256 of what was told last of each alert, by its id; without those that a release before 1.1 raised."""
    query = select(alerts.c.alert_id, func.encode(func.sha256(alerts.c.value), "hex")).where(
        alerts.c.value.is_not(None)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def alert_row(row: Sequence[object]) -> AlertRow:
    """A row of the table, with the columns in its order."""
    found = AlertRow(*row)  # type: ignore[arg-type]
    value = None if found.value is None else bytes(found.value)
    return found._replace(value=value, state=AlertState(found.state))
