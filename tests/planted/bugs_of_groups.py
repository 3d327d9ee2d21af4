"""Bugs of the ledger's part of the group step: who is decided together, and what is left of it."""

from __future__ import annotations

from tests.planted.bug import Bug

_WAITING = "tests/ledger/test_households_waiting.py"
_ANY_ORDER = "tests/ledger/test_households_any_order.py::test_a_ledger_of_households_ends_where_its_facts_do"

BUGS = (
    Bug(
        "groups",
        "who-waits-links-nobody",
        "infra/ledger/group_rows.py",
        '        or_(group_work.c.households.bool_op("&&")(_HOUSEHOLDS), group_work.c.person_id == any_(_PERSONS))\n',
        "        group_work.c.work_no < 0\n",
        (
            f"{_WAITING}::test_who_is_left_behind_is_decided_again_whoever_is_looked_at_first",
            f"{_WAITING}::test_who_stays_does_not_get_what_somebody_still_has_who_has_left",
        ),
    ),
    Bug(
        "groups",
        "work-of-others-is-taken-off",
        "acts/recompute_groups.py",
        "    group_rows.done(connection, queued)\n",
        "    group_rows.done(connection, group_rows.waiting(connection, journal.shards, 999))\n",
        (_ANY_ORDER,),
    ),
    Bug(
        "groups",
        "publishing-leaves-who-waits",
        "acts/publish_policy.py",
        "            decide_waiting(connection, journal, shard_count)",
        "            pass",
        (f"{_WAITING}::test_a_policy_that_is_published_meanwhile_finds_nobody_waiting",),
    ),
    Bug(
        "groups",
        "a-preview-counts-what-waits",
        "acts/publish_policy.py",
        "        if group_rows.work_of(connection, world.accounts.keys()):",
        "        if not world:",
        (f"{_WAITING}::test_a_preview_counts_what_the_policy_changes_and_not_what_waits_anyway",),
    ),
    Bug(
        "groups",
        "a-row-changes-behind-a-memory",
        "handlers/claims/process.py",
        "            self.journal.shards[row.shard].redated += 1\n",
        "            self.journal.shards[row.shard].redated += 0\n",
        (f"{_WAITING}::test_a_row_that_another_worker_corrected_without_a_decision_is_not_taken_for_the_old_one",),
    ),
    Bug(
        "groups",
        "who-leaves-makes-a-group-too-large",
        "handlers/claims/process.py",
        "if len(group) > GROUP_MAX else ():",
        "if len(accounts) > GROUP_MAX else ():",
        (f"{_WAITING}::test_a_group_of_six_hundred_is_told_of_and_decided",),
    ),
    Bug(
        "groups",
        "shards-are-locked-in-any-order",
        "infra/ledger/reads.py",
        ".order_by(shards.c.shard).with_for_update()",
        ".order_by(shards.c.audit_hash).with_for_update()",
        ("tests/ledger/test_households_at_once.py::test_eight_workers_decide_households_without_a_deadlock",),
    ),
    Bug(
        "groups",
        "persons-may-wait-for-ever",
        "handlers/health/ledger_judgement.py",
        "    oldest, count = tables.households_oldest, tables.households\n",
        "    oldest, count = tables.inbox_oldest, tables.households\n",
        ("tests/unit/test_status_lines.py::test_what_is_wrong_has_a_line_and_nothing_else_has",),
    ),
)
