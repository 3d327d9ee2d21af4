"""Bugs of what a relay does about transactions that Kafka has forgotten to mark."""

from __future__ import annotations

from tests.planted.bug import Bug

FORGOTTEN = "tests/ledger/test_forgotten.py"
VISIBLE = f"{FORGOTTEN}::test_what_was_committed_is_made_visible_once"

BUGS = (
    Bug(
        "relay",
        "nobody-looks-for-what-was-forgotten",
        "stream/outbound/relay.py",
        "        if not topics:\n            return\n",
        "        if topics or not topics:\n            return\n",
        (VISIBLE,),
    ),
    Bug(
        "relay",
        "what-the-ledger-was-told-is-taken-back",
        "stream/outbound/forgotten.py",
        "            return True  # the ledger was told after the commit\n",
        "            return False\n",
        (VISIBLE,),
    ),
    Bug(
        "relay",
        "what-readers-see-already-is-taken-back",
        "stream/outbound/forgotten.py",
        "    there = undecided | _committed(reader, shard, {name for row in its for name in _topics(row)})\n",
        "    there = undecided\n",
        (VISIBLE,),
    ),
    Bug(
        "relay",
        "what-was-cut-off-is-committed",
        "stream/outbound/forgotten.py",
        "            return undecided.isdisjoint(_hashes(waiting(connection, shard, cursor.seq)))\n",
        "            return True\n",
        (f"{FORGOTTEN}::test_a_relay_that_died_while_it_sent_is_taken_back",),
    ),
    Bug(
        "relay",
        "what-was-taken-back-in-part-is-committed",
        "stream/outbound/forgotten.py",
        "    return _hashes(its) <= there\n",
        "    return bool(there) or _hashes(its) <= there\n",
        (f"{FORGOTTEN}::test_what_was_taken_back_is_sent_again",),
    ),
    Bug(
        "relay",
        "another-ledgers-transaction-is-decided",
        "stream/outbound/forgotten.py",
        "    if not _is_ours(forgotten, mine, sent, rows):\n",
        "    if forgotten.seq < 0:\n",
        (f"{FORGOTTEN}::test_what_another_ledger_sent_is_not_decided",),
    ),
    Bug(
        "relay",
        "a-lost-broker-is-forgotten",
        "stream/outbound/relay.py",
        "        if self.is_disturbed():",
        "        if False and self.is_disturbed():",
        (VISIBLE,),
    ),
)
