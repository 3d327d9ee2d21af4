"""What a relay sends next: read from the outbox in pieces, each used for as many transactions as it takes."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException
from sqlalchemy import Engine

from infra.ledger import outbox_rows
from schemas.records import OutboxRow
from stream.outbound.cursors import LedgerRefused

TRANSACTION_BYTES_MAX = 16 * 1024 * 1024
"""At least two of the largest messages; bounds the memory of one transaction, and what is read ahead."""

READ_AHEAD = 5000
"""So many messages are read at once, so that a batch is read once even if it fills several transactions."""


class ReadAhead:
    """The waiting messages of a shard, in order."""

    def __init__(self, engine: Engine, shard: int, limit: int) -> None:
        """``limit``: most messages of one transaction."""
        self._engine, self._shard, self._limit = engine, shard, limit
        self._held: list[OutboxRow] = []

    def forget(self) -> None:
        """Reads anew the next time: whose the ledger is may be another's by now."""
        self._held = []

    def after(self, sent: int) -> list[OutboxRow]:
        """The messages of the next transaction, as many as fit; a single one can be larger.

        Raises KafkaException when a newer relay sends, LedgerRefused where a number is missing, OutboxUnreadable and
        DBAPIError.
        """
        if not self._held or self._held[0].seq != sent + 1:
            self._held = self._read(sent)
        taken = size = 0
        for row in self._held[: self._limit]:
            size += len(row.value)
            if taken and size > TRANSACTION_BYTES_MAX:
                break
            taken += 1
        rows, self._held = self._held[:taken], self._held[taken:]
        return rows

    def _read(self, sent: int) -> list[OutboxRow]:
        limit = max(self._limit, READ_AHEAD)
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            rows = outbox_rows.waiting(connection, self._shard, sent, limit, TRANSACTION_BYTES_MAX)
            for number, row in enumerate(rows, start=sent + 1):
                if row.seq != number:
                    if outbox_rows.last_sent(connection, self._shard).seq > sent:
                        raise KafkaException(KafkaError(KafkaError._FENCED, "a newer relay sends for this shard", True))
                    raise LedgerRefused(f"shard {self._shard}: outbox has {row.seq} after {number - 1}")
        return rows
