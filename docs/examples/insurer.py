"""An insurer in some 60 lines: reads payout instructions, pays each exactly once, and reports what became of it.

    [HUZHU_PREFIX=wuxi.] python insurer.py BOOTSTRAP STORE.sqlite [payer=ID] [SCHEME ...]

Pays what the public fund pays, or with payer=ID what that insurer pays as the lead of treaties. It can be killed at any
moment: all it knows is in STORE, and it pays each payout_id once. Two installations of Huzhu on one cluster, told apart
by their prefixes, can give the same payout_id: each needs a STORE of its own.
"""

import json
import os
import sqlite3
import sys
from datetime import UTC, datetime

from kafka import KafkaConsumer, KafkaProducer

bootstrap, store, *schemes = sys.argv[1:]
prefix = os.environ.get("HUZHU_PREFIX", "")
payer = schemes.pop(0).removeprefix("payer=") if schemes and schemes[0].startswith("payer=") else "fund"
book = sqlite3.connect(store)
book.execute(
    "CREATE TABLE IF NOT EXISTS payments (payout_id TEXT PRIMARY KEY, person_id TEXT, kind TEXT, amount TEXT,"
    " paid_at TEXT, reported INTEGER DEFAULT 0)"
)
producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")


def pay(order: dict) -> None:
    """Plays the bank. One payout_id is one row, so an order that comes again moves no money."""
    with book:
        book.execute(
            "INSERT OR IGNORE INTO payments (payout_id, person_id, kind, amount, paid_at) VALUES (?, ?, ?, ?, ?)",
            [order[name] for name in ("payout_id", "person_id", "kind", "amount")] + [datetime.now(UTC).isoformat()],
        )


def report() -> None:
    """Reports what was paid but not reported yet. Its time is stored, so a report sent twice is the same report."""
    for payout_id, person_id, paid_at in book.execute(
        "SELECT payout_id, person_id, paid_at FROM payments WHERE NOT reported"
    ).fetchall():
        event = {
            **{"event_type": "payout.reported", "event_id": f"report-{payout_id}", "source": "insurer"},
            **{"occurred_at": paid_at, "reported_at": paid_at, "reference": f"transfer-{payout_id}"},
            **{"payout_id": payout_id, "person_id": person_id, "status": "paid"},
        }
        producer.send(f"{prefix}payouts.results", key=person_id.encode(), value=json.dumps(event).encode()).get(
            timeout=60
        )
        with book:
            book.execute("UPDATE payments SET reported = 1 WHERE payout_id = ?", [payout_id])


report()  # what an earlier run paid and did not get to report
consumer = KafkaConsumer(
    f"{prefix}payouts.instructions" if payer == "fund" else f"{prefix}payouts.instructions.{payer}",
    bootstrap_servers=bootstrap,
    group_id="-".join(["insurer" if payer == "fund" else payer, *prefix.split(".")[:-1], *(schemes or ["all"])]),
    group_instance_id="1",  # one process at a time: a second one fences the first, a restarted one continues at once
    metadata_max_age_ms=5_000,  # joining before the topic is known gives no partitions until the next look
    isolation_level="read_committed",  # otherwise it would see instructions that were never given
    auto_offset_reset="earliest",
    enable_auto_commit=False,  # the offset moves after the money has moved, not before
)
while True:
    polled = consumer.poll(timeout_ms=1000)
    for order in (json.loads(message.value) for messages in polled.values() for message in messages):
        # A reversal takes a failed payout off the books: no money moves, and nothing is reported.
        mine = order.get("payer", "fund") == payer and (not schemes or order["scheme_id"] in schemes)
        if mine and "reversal_of" not in order:
            pay(order)
    report()
    if polled:
        consumer.commit()  # moves past everything polled, so only after all of it is paid
