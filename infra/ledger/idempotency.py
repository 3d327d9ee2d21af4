"""Answers given under an Idempotency-Key, so that a retry gets the same answer."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select

from infra.ledger.gateway_tables import answers


class Answer(NamedTuple):
    """An earlier answer. ``request_sha256`` identifies the request."""

    request_sha256: str
    status: int
    body: bytes


def find(connection: Connection, lineage: str, idempotency_key: str) -> Answer | None:
    """The answer given to this caller under this key."""
    row = connection.execute(
        select(answers.c.request_sha256, answers.c.status, answers.c.body).where(
            answers.c.lineage == lineage, answers.c.idempotency_key == idempotency_key
        )
    ).one_or_none()
    return None if row is None else Answer(row.request_sha256, row.status, bytes(row.body))


def keep(connection: Connection, lineage: str, idempotency_key: str, answer: Answer) -> None:
    connection.execute(answers.insert().values(lineage=lineage, idempotency_key=idempotency_key, **answer._asdict()))


def forget(connection: Connection, age: timedelta) -> int:
    """Deletes answers older than ``age``; returns how many."""
    return connection.execute(delete(answers).where(answers.c.answered_at < func.now() - age)).rowcount
