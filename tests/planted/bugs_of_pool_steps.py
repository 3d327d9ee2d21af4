"""Bugs in the steps of pools in a real ledger, in what workers remember, and in how a ledger's pools are verified."""

from __future__ import annotations

from tests.planted.bug import Bug

POOLS, CORRECTED = "tests/ledger/test_pools.py", "tests/ledger/test_pools_corrected.py"
PAYEES, TOLD = "tests/ledger/test_pools_payees.py", "tests/ledger/test_pools_told.py"
CHECKS = "tests/ledger/test_pool_checks.py"
CHANGED = f"{CHECKS}::test_changed_benefits_and_pools_are_found"

RELEASE = "acts/release_pools.py"
VERIFY, SQL = "acts/verify_pools.py", "infra/ledger/pool_checks.py"

BUGS = (
    Bug(
        "pools",
        "who-comes-after-the-first-hundred-is-forgotten",
        RELEASE,
        "            again.add(pool.pool_id)\n",
        "            pass\n",
        (f"{POOLS}::test_more_claims_than_one_step_takes_are_paid_all",),
    ),
    Bug(
        "pools",
        "what-a-step-releases-counts-twice",
        RELEASE,
        "    journal.outcome.pool_work.clear()\n",
        "",
        (f"{POOLS}::test_a_queue_pays_in_canonical_order_as_far_as_the_money_goes",),
    ),
    Bug(
        "pools",
        "an-alert-is-raised-by-every-step",
        "infra/ledger/alert_rows.py",
        "alerts.c.state != AlertState.WITHDRAWN",
        "alerts.c.state == AlertState.WITHDRAWN",
        (f"{POOLS}::test_a_pool_that_owes_pays_at_once_and_is_overdrawn_until_it_is_covered",),
    ),
    Bug(
        "pools",
        "a-step-goes-by-an-old-memory",
        RELEASE,
        "            remembered.compare(journal.shards)\n",
        "            remembered.put_back(empty_world(connection, shard_count), journal.shards)\n",
        ("tests/ledger/test_pools_remembered.py::test_a_step_does_not_go_by_what_is_remembered_of_a_changed_person",),
    ),
    Bug(
        "pools",
        "a-published-policy-leaves-pools-to-others",
        "acts/publish_policy.py",
        "            decide_waiting_pools(connection, journal, shard_count)\n",
        "",
        (f"{TOLD}::test_a_policy_published_late_decides_and_releases_in_one_transaction",),
    ),
    Bug(
        "pools",
        "a-corrected-day-leaves-the-place",
        "handlers/claims/pool_movements.py",
        "moved = row._replace(discharged_on=claim.discharged_on)",
        "moved = row",
        (f"{POOLS}::test_a_corrected_day_of_discharge_changes_the_place",),
    ),
    Bug(
        "pools",
        "money-that-moves-is-the-new-pools",
        "handlers/claims/settle.py",
        "freed = list[tuple[Payer, int]]() if row.pool_id else None",
        "freed = None",
        (f"{PAYEES}::test_money_that_moves_between_payees_stays_that_of_the_pool_that_paid",),
    ),
    Bug(
        "pools",
        "an-advance-that-waits-is-over-what-is-due",
        "handlers/claims/payees.py",
        "{row.scheme_id: row.benefit for row in benefits}",
        "{row.scheme_id: row.released for row in benefits}",
        (f"{PAYEES}::test_a_hospital_that_advanced_waits_for_an_empty_pool",),
    ),
    Bug(
        "pools",
        "a-set-off-that-waits-forgets-its-pool",
        "acts/load_world.py",
        "Payer(waiting.payer, waiting.treaty_id, waiting.pool_id)",
        "Payer(waiting.payer, waiting.treaty_id)",
        (f"{PAYEES}::test_a_recovery_is_set_off_only_against_payments_of_the_same_pool",),
    ),
    Bug(
        "pools",
        "a-payout-of-another-pool-is-the-same-money",
        "acts/adopt_ledger.py",
        '"treaty_id", "pool_id", "reissue_of"',
        '"treaty_id", "reissue_of"',
        (f"{PAYEES}::test_another_pool_in_a_payout_is_other_money",),
    ),
    Bug(
        "pools",
        "old-benefits-were-never-released",
        "infra/ledger/migrations/versions/0018_pools.py",
        "SET released = benefit",
        "SET released = 0",
        ("tests/ledger/test_migrations.py::test_a_ledger_from_before_pools_has_released_what_it_owes",),
    ),
    Bug(
        "pools",
        "the-pool-of-a-payout-is-not-verified",
        "acts/verify_contents.py",
        'agree and fields.get("pool_id") == order.pool_id',
        "agree",
        (f"{CHECKS}::test_another_pool_in_an_instruction_is_found",),
    ),
    Bug(
        "pools",
        "what-is-released-is-not-verified",
        VERIFY,
        "pool_checks.released_wrongly(connection, _NAMED)",
        "list[str]()",
        (CHANGED,),
    ),
    Bug(
        "pools",
        "what-is-told-is-not-verified",
        SQL,
        "    OR coalesce((waiting.line ->> 'amount')::numeric * 100, 0) <> b.told\n",
        "",
        (CHANGED,),
    ),
    Bug(
        "pools",
        "the-day-of-who-waits-is-not-verified",
        SQL,
        "    OR b.released < b.benefit AND b.discharged_on IS DISTINCT FROM c.discharged_on\n",
        "",
        (CHANGED,),
    ),
    Bug(
        "pools",
        "all-money-is-verified-as-free",
        VERIFY,
        "restriction(row.restricted_to)",
        '""',
        (f"{CHECKS}::test_sound_pools_are_good",),
    ),
    Bug(
        "pools",
        "who-can-be-paid-is-told-to-wait",
        "handlers/pools/pool_step.py",
        "(key in places and not (more and each.open))",
        "key in places",
        ("tests/ledger/test_pools_told.py::test_who_can_be_paid_is_not_told_to_wait_first",),
    ),
    Bug(
        "pools",
        "what-a-close-left-has-a-place-in-the-queue",
        "handlers/pools/pool_step.py",
        " and key not in paid and each.open and waiting",
        " and each.open and waiting",
        ("tests/ledger/test_pools_told.py::test_what_a_close_left_is_told_when_the_queue_pays_what_is_due_later",),
    ),
)
