"""A transaction whose markers a real Kafka has forgotten: the relay that starts next ends it, and pays once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from kafka import KafkaProducer
from kafka.structs import TopicPartition
from sqlalchemy import Engine

from infra.ledger import outbox_rows
from infra.ledger.identity import identity
from infra.settings import Settings
from schemas.topics import INSTRUCTIONS, RELAY_CURSORS
from stream.inbound.partition_reader import RangeReader
from stream.outbound.cursors import Cursor
from stream.outbound.forgotten import own_topics, undecided_topics
from stream.outbound.relay import ShardRelay, transactional_id
from tests.support.acts import publish
from tests.support.builders import POLICY, RECORDED_AT, SHARDS, bill, coverage, discharge
from tests.support.ledgers import for_person, give, in_order, person_of_shard, ticking
from tests.support.servers import await_true


@pytest.fixture
def forgetful(kafka: str) -> Iterator[str]:
    """A broker that takes messages of a transaction of which its coordinator knows nothing."""
    admin = AdminClient({"bootstrap.servers": kafka})

    def verify(value: str) -> None:
        entry = ConfigEntry(
            "transaction.partition.verification.enable", value, incremental_operation=AlterConfigOpType.SET
        )
        changed = ConfigResource(ConfigResource.Type.BROKER, "1", incremental_configs=[entry])
        for done in admin.incremental_alter_configs([changed]).values():
            done.result()

    verify("false")
    yield kafka
    verify("true")


def leave_undecided(bootstrap: str, ledger: Engine, shard: int, *, whole: bool) -> None:
    """Puts what waits into its topics as a relay does whose commit is forgotten, or that is cut off in the middle."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, transactional_id=transactional_id(shard))
    producer.init_transactions()
    producer.begin_transaction()
    with ledger.begin() as connection:
        mine = identity(connection)
        sent = outbox_rows.last_sent(connection, shard)
        rows = outbox_rows.waiting(connection, shard, sent.seq, 1000, 1_000_000)
    cursor = Cursor(rows[-1].seq, mine.id, outbox_rows.chained(sent.chain, rows)).message(shard)
    messages = [(row.topic, row.key, row.value) for row in rows if whole or row.topic != INSTRUCTIONS.name]
    for topic, key, value in [*messages, (RELAY_CURSORS.name, *cursor)]:
        producer._transaction_manager._partitions_in_transaction.add(TopicPartition(topic, shard))  # and tells nobody
        producer.send(topic, value=value, key=key, partition=shard).get(30)


@pytest.mark.parametrize(("shard", "whole"), [(1, True), (2, False)], ids=["a forgotten commit", "cut off in between"])
def test_a_forgotten_transaction_is_ended_and_paid_once(
    forgetful: str, ledger: Engine, shard: int, whole: bool
) -> None:
    """What was committed becomes visible; what was not is taken back and sent again; either way once."""
    publish(ledger, POLICY, "li.na", SHARDS, ticking(RECORDED_AT))
    give(ledger, in_order(for_person(person_of_shard(shard), coverage(), discharge(), bill())), ticking(RECORDED_AT))
    leave_undecided(forgetful, ledger, shard, whole=whole)
    with ledger.connect() as connection:
        own = own_topics(connection)
    with RangeReader(forgetful) as reader:
        assert RELAY_CURSORS.name in undecided_topics(reader, shard, own)
    relay = ShardRelay(ledger, forgetful, shard, Settings(shards=SHARDS))
    relay.start()
    sent = relay.step()
    assert (sent == 0) == whole
    with RangeReader(forgetful) as reader:
        assert await_true(lambda: not undecided_topics(reader, shard, own))  # markers follow a commit a moment later
    with ledger.connect() as connection:
        known = connection.exec_driver_sql("SELECT payout_id FROM instructions").scalars().all()
    paid = [json.loads(value)["payout_id"] for value in visible(forgetful, shard)]
    assert known
    assert Counter(known) == Counter(paid)


def visible(bootstrap: str, shard: int) -> list[bytes]:
    """The instructions that an insurer reads."""
    with RangeReader(bootstrap) as reader:
        place = (INSTRUCTIONS.name, shard)
        _, end = reader.ends([place])[place]
        return [each.value or b"" for each in reader.read(*place, 0, end, 1000).deliveries] if end else []
