"""Bugs to plant: each is put into the running product from outside, and the simulation has to find it.

Where the database has a guard against the bug, it is planted a second time without that guard, so that the laws too
are seen to catch it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.simulation import bugs_of_groups, bugs_of_intake, bugs_of_money, bugs_of_relay


@dataclass(frozen=True, slots=True)
class Plant:
    """A bug: its name, what puts it in, the guards of the database that are taken away for it.

    ``seed`` is one that caught it; the short form tries it first, and any other after it.
    """

    name: str
    put_in: Callable[[pytest.MonkeyPatch], None]
    without: tuple[str, ...] = ()
    seed: int = 1


NO_UNIQUE_OFFSET = ("ALTER TABLE events DROP CONSTRAINT events_once",)
NO_BALANCE = (
    "DROP TRIGGER instruction_has_benefit ON instructions",
    "DROP TRIGGER benefit_inserted ON benefits",
    "DROP TRIGGER benefit_changed ON benefits",
    "ALTER TABLE instructions DROP CONSTRAINT instructions_follow, DROP CONSTRAINT instructions_start",
)
NO_UNIQUE_PAYOUT = (
    *NO_BALANCE,
    "ALTER TABLE instructions DROP CONSTRAINT instructions_pkey CASCADE, DROP CONSTRAINT instructions_once",
    "ALTER TABLE instructions DROP CONSTRAINT instructions_chain",
)

PLANTS: tuple[Plant, ...] = (
    Plant("offsets stored before the facts", bugs_of_intake.ack_before_commit),
    Plant("no epochs and no offset check", bugs_of_intake.no_fencing),
    Plant("no epochs, no offset check, no unique key", bugs_of_intake.no_fencing, NO_UNIQUE_OFFSET),
    Plant("no offset check, no unique key", bugs_of_intake.no_offset_check, NO_UNIQUE_OFFSET, seed=4),
    Plant("shard not locked", bugs_of_intake.no_shard_lock, seed=14),
    Plant("gap reader off", bugs_of_intake.gap_reader_off, seed=13),
    Plant("no catching up", bugs_of_intake.no_catching_up),
    Plant("unknown commit tried again blindly", bugs_of_intake.blind_retry, seed=2),
    Plant("unknown commit tried again blindly, no unique key", bugs_of_intake.blind_retry, NO_UNIQUE_OFFSET, seed=2),
    Plant("sameness by event_id alone", bugs_of_money.sameness_by_event_id, seed=2),
    Plant("events of the future taken in", bugs_of_money.future_taken_in, seed=3),
    Plant("money read through a float", bugs_of_money.float_money, seed=2),
    Plant("money rounded as floats are", bugs_of_money.float_rounding, seed=14),
    Plant("recoveries lost", bugs_of_money.recoveries_lost, seed=5),
    Plant("recoveries lost, no guard in the database", bugs_of_money.recoveries_lost, NO_BALANCE, seed=5),
    Plant("revision used again", bugs_of_money.revision_reused),
    Plant("revision used again, no guard in the database", bugs_of_money.revision_reused, NO_UNIQUE_PAYOUT),
    Plant("payments before recoveries", bugs_of_money.payments_first),
    Plant("group work taken off before the decision commits", bugs_of_groups.taken_off_before),
    Plant("nobody looks for groups that wait", bugs_of_groups.nobody_looks),
    Plant("shards of a group not locked", bugs_of_groups.members_not_locked),
    Plant("a pool pays what it does not have", bugs_of_groups.pool_pays_anyway, seed=3),
    Plant(
        "a pool pays what it does not have, no guard in the database",
        bugs_of_groups.pool_pays_anyway,
        ("DROP TRIGGER pool_covers ON pool_sums",),
        seed=45,
    ),
    Plant("relay's cursor outside its transaction", bugs_of_relay.cursor_outside),
    Plant("relay marks before sending", bugs_of_relay.marked_before_sent),
    Plant("relay goes on from the ledger's mark", bugs_of_relay.cursor_from_ledger),
    Plant("relays not fenced", bugs_of_relay.relays_not_fenced, seed=2),
    Plant("relay starts without telling the ledger", bugs_of_relay.start_tells_nobody, seed=10),
    Plant("relay's mark goes back", bugs_of_relay.mark_goes_back, seed=7),
)
