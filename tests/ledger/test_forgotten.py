"""A broker that dies may forget to mark a transaction that it has decided: nothing is lost by that, nor sent twice."""

from __future__ import annotations

import json
from collections.abc import Collection

import pytest
from confluent_kafka import KafkaException
from sqlalchemy import Engine

from infra.ledger import outbox_rows
from infra.ledger.outbox_rows import PIECE_BYTES
from schemas.topics import AUDIT, INSTRUCTIONS, RELAY_CURSORS
from stream.outbound.cursors import LedgerRefused
from tests.simulation.simulated_kafka import Place, SimulatedProducer, Stored
from tests.support.acts import publish
from tests.support.builders import POLICY, RECORDED_AT, SHARDS, bill, coverage, discharge
from tests.support.forgetful_broker import PERSON, SHARD, Broker, Producer, forgetting
from tests.support.ledgers import for_person, give, in_order, ticking
from tests.support.outbox import waiting_messages

pytestmark = pytest.mark.usefixtures("outbox_form")


@pytest.fixture
def broker(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """Something was sent and read before, and a claim waits: more messages than are read at once."""
    monkeypatch.setattr("infra.ledger.outbox_rows.PIECE_ROWS", 2)
    broker = Broker()
    publish(ledger, POLICY, "li.na", SHARDS, ticking(RECORDED_AT))
    give(ledger, in_order(for_person(PERSON, coverage("C-1")), first=0), ticking(RECORDED_AT))
    broker.send(ledger)
    events = for_person(PERSON, discharge("E-1"), bill("S-1", "E-1"))
    give(ledger, in_order(events, first=0), ticking(RECORDED_AT))
    return broker


MARKED = {
    "no marker": (),
    "only the cursor": (RELAY_CURSORS.name,),
    "only the payouts": (INSTRUCTIONS.name,),
    "all but the payouts": (AUDIT.name, RELAY_CURSORS.name),
}
given = pytest.mark.parametrize("marked", MARKED.values(), ids=MARKED.keys())


@given
@pytest.mark.parametrize("told", [False, True], ids=["the ledger was not told", "the ledger was told"])
def test_what_was_committed_is_made_visible_once(
    ledger: Engine, broker: Broker, marked: Collection[str], told: bool
) -> None:
    """Whichever markers were written, and whether or not the relay heard of its commit."""
    broker.dies, broker.answers = forgetting(*marked), told
    relay = broker.relay(ledger)
    relay.start()
    if told:
        relay.step()
        assert relay.is_disturbed()
        with pytest.raises(KafkaException, match="a broker was lost"):
            relay.step()
    else:
        with pytest.raises(KafkaException):
            relay.step()
    broker.send(ledger)
    broker.assert_exact(ledger)
    give(ledger, in_order(for_person(PERSON, bill("S-2", "E-1")), first=1), ticking(RECORDED_AT))
    broker.send(ledger)
    broker.assert_exact(ledger)


@given
def test_what_was_taken_back_is_sent_again(ledger: Engine, broker: Broker, marked: Collection[str]) -> None:
    """Kafka had decided to abort, and some readers know it already."""
    broker.dies = forgetting(*marked, commit=False)
    relay = broker.relay(ledger)
    relay.start()
    with pytest.raises(KafkaException):
        relay.step()
    broker.send(ledger)
    broker.assert_exact(ledger)


def test_what_an_adopted_ledger_left_out_is_not_missed(ledger: Engine, broker: Broker) -> None:
    """The topics held a payout in other bytes already: a transaction without it was committed all the same."""
    (order,) = [row for row in waiting_messages(ledger, INSTRUCTIONS.name) if row.shard == SHARD]
    payout_id, before = json.loads(order.value)["payout_id"], order.value.replace(b"2025", b"2024")
    other = SimulatedProducer(broker.kafka, broker.faults, "another", lambda: None)
    other.init_transactions(1)
    other.begin_transaction()
    other.produce(INSTRUCTIONS.name, value=before, key=order.key, partition=SHARD)
    other.commit_transaction(1)
    with ledger.begin() as connection:
        outbox_rows.remember_sent_before(connection, SHARD, {payout_id: before})
    broker.dies = forgetting(AUDIT.name)
    relay = broker.relay(ledger)
    relay.start()
    with pytest.raises(KafkaException):
        relay.step()
    broker.send(ledger)
    broker.assert_exact(ledger)
    assert [before] == broker.visible(INSTRUCTIONS.name)


@pytest.mark.parametrize("behind", [0, 2], ids=["the ledger knows the one before", "and does not"])
def test_a_relay_that_died_while_it_sent_is_taken_back(
    ledger: Engine, broker: Broker, behind: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its messages stand there without a cursor."""
    if behind:
        relay = broker.relay(ledger, relay_batch=behind)
        relay.start()
        monkeypatch.setattr(relay, "_clear", lambda: None)
        relay.step()
    producer = Producer(broker, f"huzhu-relay-{SHARD}")
    producer.init_transactions(1)
    with ledger.connect() as connection:
        rows = outbox_rows.waiting(connection, SHARD, behind, 2, PIECE_BYTES)
    for row in rows:
        producer.produce(row.topic, value=row.value, key=row.key, partition=SHARD)
    broker.kafka.forget(f"huzhu-relay-{SHARD}")
    broker.send(ledger)
    broker.assert_exact(ledger)


def test_what_another_ledger_sent_is_not_decided(ledger: Engine, broker: Broker) -> None:
    """Its cursor names another chain: nothing is ended or sent."""
    producer = Producer(broker, f"huzhu-relay-{SHARD}")
    producer.init_transactions(1)
    cursor = json.dumps({"shard": SHARD, "seq": 9, "ledger": "another", "hash": "00" * 32}).encode()
    producer.produce(RELAY_CURSORS.name, value=cursor, key=b"1", partition=SHARD)
    broker.kafka.forget(f"huzhu-relay-{SHARD}")
    before: list[Stored | None] = list(broker.kafka.logs[RELAY_CURSORS.name, SHARD])
    with pytest.raises(LedgerRefused, match="that this ledger did not send"):
        broker.send(ledger)
    place: Place = (RELAY_CURSORS.name, SHARD)
    assert before == broker.kafka.logs[place]
