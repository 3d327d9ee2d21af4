"""`huzhu ledger adopt`: fencing every relay, and giving the topics' cursors to the ledger that was adopted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import Engine

from acts.adopt_ledger import Survey, Surveyed, adopt_ledger, survey
from acts.reader import Reader
from infra.clock import Clock
from infra.ledger.identity import Identity
from schemas.topics import RELAY_CURSORS
from stream.inbound.partition_reader import RangeReader
from stream.outbound.cursors import Cursor, read_cursor
from stream.outbound.relay import (
    TRANSACTION_SECONDS_MAX,
    TransactionalProducer,
    transactional_id,
    transactional_producer,
)


class NotAsShown(Exception):
    """Somebody sent or decided between the survey that was shown and the adoption."""


def survey_all(engine: Engine, reader: Reader, shards: range) -> list[Surveyed]:
    """What the topics hold and what the ledger would send, shard by shard. Raises KafkaException, DBAPIError."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        return [survey(connection, reader, shard, read_cursor(reader, shard).seq) for shard in shards]


def adopt(
    engine: Engine,
    bootstrap: str,
    shown: Sequence[Survey],
    operator: str,
    reason: str,
    now: Clock,
    producer: Callable[[str, str], TransactionalProducer] = transactional_producer,
    reader: Callable[[str], AbstractContextManager[Reader]] = RangeReader,
) -> Identity:
    """Makes the ledger the topics' own. Afterwards a relay sends what the survey says, and workers may start.

    If it dies on the way, the topics are nobody's: adopt again. Raises NotAsShown, KafkaException, DBAPIError.
    """
    producers = {each.shard: producer(bootstrap, transactional_id(each.shard)) for each in shown}
    for fencing in producers.values():
        fencing.init_transactions(TRANSACTION_SECONDS_MAX)
    with reader(bootstrap) as topics:
        surveyed = survey_all(engine, topics, range(len(shown)))
    if [each.survey for each in surveyed] != list(shown):
        raise NotAsShown("something was sent or decided meanwhile: stop every worker and relay, and try again")
    with engine.begin() as connection:
        mine, ends = adopt_ledger(connection, surveyed, operator, reason, now)
    for shard, sent in ends.items():
        key, value = Cursor(sent.seq, mine.id, sent.chain).message(shard)
        producers[shard].begin_transaction()
        producers[shard].produce(RELAY_CURSORS.name, value=value, key=key, partition=shard)
        producers[shard].commit_transaction(TRANSACTION_SECONDS_MAX)
    return mine
