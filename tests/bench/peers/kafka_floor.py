"""Peer (iv), a floor: the same bytes in and out with confluent-kafka, and no rules at all.

Exactly once in Kafka transactions of 500 messages when asked; at least once otherwise.
"""

from __future__ import annotations

import signal
import threading

from confluent_kafka import Consumer, Producer

from tests.bench.peers import surroundings as here

BATCH = 500


def main() -> None:
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    consumer = Consumer(
        {
            "bootstrap.servers": here.BOOTSTRAP,
            "group.id": here.APP,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    only_once = {"transactional.id": here.APP} if here.EXACTLY_ONCE else {"enable.idempotence": True}
    producer = Producer({"bootstrap.servers": here.BOOTSTRAP, "acks": "all", "linger.ms": 5, **only_once})
    if here.EXACTLY_ONCE:
        producer.init_transactions(30.0)
    consumer.subscribe(list(here.INBOUND))
    while not stopping.is_set():
        messages = consumer.consume(BATCH, 0.05)
        if not messages:
            continue
        here.begin()
        if here.EXACTLY_ONCE:
            producer.begin_transaction()
        for message in messages:
            producer.produce(here.OUT, value=message.value(), key=message.key(), partition=message.partition() or 0)
        if here.EXACTLY_ONCE:
            places = consumer.position(consumer.assignment())
            producer.send_offsets_to_transaction(places, consumer.consumer_group_metadata(), 30.0)
            producer.commit_transaction(30.0)
        else:
            producer.flush(30.0)
            consumer.commit(asynchronous=True)
    consumer.close()


if __name__ == "__main__":
    main()
