"""Planted bugs: what a ledger gets again after its disk was lost, and how it keeps what it has."""

from __future__ import annotations

from tests.planted.bug import Bug

RESTORED = "tests/ledger/test_restored.py"
AUDIT = "tests/ledger/test_audit.py"
INTAKE = "stream/inbound/intake.py"

BUGS = (
    Bug(
        "keeping",
        "an-adopted-ledger-takes-in-any-order",
        INTAKE,
        "self._adopted |= adopted_shards.marked(connection) & set(shards)",
        "self._adopted |= set()",
        (f"{RESTORED}::test_what_was_lost_is_decided_again_in_the_order_of_before",),
    ),
    Bug(
        "keeping",
        "the-order-of-before-is-that-of-topics",
        "stream/inbound/former_order.py",
        "    return list(order)\n",
        "    return sorted(order)\n",
        (f"{RESTORED}::test_what_was_lost_is_decided_again_in_the_order_of_before",),
    ),
    Bug(
        "keeping",
        "the-order-is-sought-for-ever",
        INTAKE,
        "            adopted_shards.unmark(connection, shard)\n",
        "            adopted_shards.marked(connection)\n",
        (f"{RESTORED}::test_what_was_lost_is_decided_again_in_the_order_of_before",),
    ),
    Bug(
        "keeping",
        "what-comes-first-overtakes-what-was-lost",
        INTAKE,
        """                self._take_in_former_order()
                shards = self.epochs.keys() - self._adopted""",
        """                shards = self.epochs.keys()""",
        (f"{RESTORED}::test_what_is_delivered_comes_after_what_was_lost",),
    ),
    Bug(
        "keeping",
        "hashes-beside-entries-are-not-looked-at",
        "acts/verify_audit_log.py",
        "(row.prev_hash, entry.prev_hash), ",
        "",
        (f"{AUDIT}::test_hashes_that_an_earlier_release_kept_beside_its_entries_agree_with_them",),
    ),
    Bug(
        "keeping",
        "entries-of-before-are-called-edited",
        "acts/verify_audit_log.py",
        "all(kept in (None, own) for",
        "all(kept is None and own for",
        (f"{AUDIT}::test_hashes_that_an_earlier_release_kept_beside_its_entries_agree_with_them",),
    ),
)
