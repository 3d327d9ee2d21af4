"""Bugs of pools: what is due and released, whose money it is, and who waits."""

from __future__ import annotations

from tests.planted.bug import Bug

_LAWS = "tests/properties/test_pools.py"
_MONEY = "tests/properties/test_pool_money.py"
_SHORT = "tests/properties/test_pool_shortage.py"

BUGS = (
    Bug(
        "pools",
        "who-waits-for-a-pool-is-owed-nothing",
        "handlers/claims/adjudicate.py",
        "    left.pay(basis, benefit.amount)\n",
        "    benefit = benefit._replace(amount=benefit.amount - (benefit.amount % 2 if pool_id else 0))\n"
        "    left.pay(basis, benefit.amount)\n",
        (
            f"{_LAWS}::test_what_is_due_is_what_the_fund_would_owe",
            f"{_LAWS}::test_with_enough_money_a_pool_changes_nothing_but_its_name",
        ),
    ),
    Bug(
        "pools",
        "a-rise-is-paid-at-once",
        "handlers/claims/settle.py",
        "    released = min(amount, before.released) if before else 0\n",
        "    released = amount if before else 0\n",
        (f"{_LAWS}::test_a_pool_that_may_not_owe_never_does",),
    ),
    Bug(
        "pools",
        "another-pool-pays-all-again",
        "handlers/claims/settle.py",
        "    released = min(amount, before.released) if before else 0\n",
        "    released = min(amount, before.released) if before and before.pool_id == row.pool_id else 0\n",
        (f"{_LAWS}::test_what_was_released_is_taken_back_only_where_less_is_due",),
    ),
    Bug(
        "pools",
        "what-is-paid-is-told-to-wait",
        "handlers/pools/pool_step.py",
        "        waiting = each.waiting - paid.get(key, 0)\n",
        "        waiting = each.waiting\n",
        (
            f"{_LAWS}::test_what_is_due_is_released_or_waits",
            f"{_LAWS}::test_with_enough_money_a_pool_changes_nothing_but_its_name",
        ),
    ),
    Bug(
        "pools",
        "a-pool-pays-without-counting",
        "handlers/pools/shortage.py",
        "        money.add(PoolSide.RELEASED, each.scheme_id, each.open)\n",
        "        money.add(PoolSide.RELEASED, each.scheme_id, 0)\n",
        (
            f"{_LAWS}::test_a_pool_that_may_not_owe_never_does",
            f"{_LAWS}::test_no_release_makes_a_pool_owe",
            f"{_SHORT}::test_a_queue_pays_each_whole_and_nobody_is_overtaken",
        ),
    ),
    Bug(
        "pools",
        "any-money-pays-any-scheme",
        "handlers/pools/pool_money.py",
        "        return PoolMoney(self.received, released).left()[FREE] >= 0\n",
        "        return PoolMoney(self.received, released).balance >= 0\n",
        (
            f"{_LAWS}::test_a_pool_that_may_not_owe_never_does",
            f"{_MONEY}::test_money_covers_what_some_division_of_it_pays",
        ),
    ),
    Bug(
        "pools",
        "money-once-given-to-a-scheme-stays-there",
        "handlers/pools/pool_money.py",
        "                room[after][before] += least\n",
        "                room[after][before] += 0\n",
        (f"{_MONEY}::test_money_makes_way_for_money_that_can_pay_nothing_else",),
    ),
    Bug(
        "pools",
        "restricted-money-pays-others",
        "handlers/pools/pool_money.py",
        "            if released.get(scheme_id, 0) > 0:\n                room",
        "            if released.get(scheme_id := min(released, default=scheme_id), 0) > 0:\n                room",
        (
            f"{_MONEY}::test_restricted_money_pays_only_its_schemes",
            f"{_MONEY}::test_money_covers_what_some_division_of_it_pays",
        ),
    ),
    Bug(
        "pools",
        "the-widest-sum-is-used-first",
        "handlers/pools/pool_money.py",
        "    return len(schemes_of(name)), name\n",
        "    return -len(schemes_of(name)), name\n",
        (f"{_MONEY}::test_of_restricted_sums_that_for_the_fewest_schemes_is_used_first",),
    ),
    Bug(
        "pools",
        "who-comes-later-overtakes",
        "handlers/pools/shortage.py",
        "            break  # nobody is overtaken\n",
        "            continue\n",
        (
            f"{_SHORT}::test_a_queue_pays_each_whole_and_nobody_is_overtaken",
            f"{_LAWS}::test_nobody_is_overtaken_and_nobody_waits_whom_the_money_covers",
        ),
    ),
    Bug(
        "pools",
        "who-is-out-of-reach-is-overtaken",
        "handlers/pools/pool_step.py",
        "        elif not out or pool.on_shortage is not OnShortage.QUEUE:\n",
        "        else:\n",
        (f"{_SHORT}::test_who_is_out_of_reach_holds_up_a_queue_and_no_other_pool",),
    ),
    Bug(
        "pools",
        "nobody-wakes-the-pool-of-a-new-claim",
        "handlers/claims/pool_movements.py",
        "        if row.pool_id and (row.waiting or waited):\n",
        "        if row.pool_id and waited:\n",
        (
            f"{_LAWS}::test_nobody_is_overtaken_and_nobody_waits_whom_the_money_covers",
            f"{_LAWS}::test_with_enough_money_a_pool_changes_nothing_but_its_name",
        ),
    ),
    Bug(
        "pools",
        "what-comes-back-is-not-counted",
        "handlers/claims/pool_movements.py",
        "    amount = row.amount if row.kind == InstructionKind.PAYMENT else -row.amount\n",
        "    amount = row.amount if row.kind == InstructionKind.PAYMENT else 0\n",
        (f"{_LAWS}::test_no_release_makes_a_pool_owe",),
    ),
    Bug(
        "pools",
        "a-voided-contribution-still-pays",
        "handlers/claims/pool_movements.py",
        "        return before._replace(amount=0, voided=True)\n",
        "        return before._replace(voided=True)\n",
        (f"{_LAWS}::test_no_release_makes_a_pool_owe",),
    ),
    Bug(
        "pools",
        "the-pool-of-now-gets-back-what-another-paid",
        "handlers/claims/process.py",
        "            pool_id, shard = instruction.pool_id, self.world.shard_of(instruction.pool_id)\n",
        '            pool_id, shard = row.pool_id, self.world.shard_of(row.pool_id or "")\n',
        (f"{_LAWS}::test_no_release_makes_a_pool_owe",),
    ),
    Bug(
        "pools",
        "a-pool-without-a-fen-is-overdrawn",
        "handlers/pools/pool_step.py",
        "    if pool.money.balance < 0:\n",
        "    if pool.money.balance <= 0:\n",
        (f"{_LAWS}::test_no_release_makes_a_pool_owe",),
    ),
    Bug(
        "pools",
        "a-pool-that-nobody-recorded-pays",
        "handlers/pools/shortage.py",
        "    if on_shortage not in (OnShortage.OWE, OnShortage.QUEUE):\n",
        "    if on_shortage == OnShortage.PRO_RATA:\n",
        (f"{_SHORT}::test_nothing_is_released_before_the_close_nor_by_a_pool_that_nobody_recorded",),
    ),
    Bug(
        "pools",
        "the-rule-is-not-in-the-step",
        "handlers/pools/pool_step.py",
        '    value, journal = canonical_json({**step._asdict(), "on_shortage": on_shortage}), processor.journal\n',
        '    value, journal = canonical_json({**step._asdict(), "on_shortage": None}), processor.journal\n',
        (f"{_LAWS}::test_a_replay_of_events_and_steps_sends_the_same_bytes",),
    ),
    Bug(
        "pools",
        "who-is-in-front-gets-the-last-fen",
        "handlers/pools/shortage.py",
        "    dues = sorted(dues, key=lambda each: (each.claim_id, each.scheme_id))\n",
        "    dues = list(dues)\n",
        (f"{_SHORT}::test_a_fen_that_two_claims_could_have_goes_to_the_smaller_id_and_not_to_who_was_there_first",),
    ),
    Bug(
        "pools",
        "the-smallest-remainder-gets-the-last-fen",
        "handlers/pools/shortage.py",
        "key=lambda index: parts[index] - exact[index])",
        "key=lambda index: exact[index] - parts[index])",
        (f"{_SHORT}::test_a_fen_that_is_left_over_goes_to_the_largest_remainder",),
    ),
    Bug(
        "pools",
        "fen-left-over-stay-in-the-pool",
        "handlers/pools/shortage.py",
        "    for index in by_remainder[: available - sum(parts)]:\n",
        "    for index in by_remainder[:0]:\n",
        (f"{_SHORT}::test_parts_are_within_a_fen_of_the_exact_part_and_come_to_what_there_is",),
    ),
    Bug(
        "pools",
        "a-close-spends-free-money-first",
        "handlers/pools/shortage.py",
        "key=lambda name: (name == FREE, *",
        "key=lambda name: (name != FREE, *",
        (f"{_SHORT}::test_a_close_uses_restricted_money_first",),
    ),
    Bug(
        "pools",
        "a-close-pays-from-anything-to-anybody",
        "handlers/pools/shortage.py",
        "if name == FREE or each.scheme_id in of]",
        "if name == FREE or of]",
        (f"{_SHORT}::test_a_close_uses_restricted_money_for_its_schemes_only",),
    ),
)
