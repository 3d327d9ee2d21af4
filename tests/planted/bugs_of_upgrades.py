"""Planted bugs: who migrates, how long others wait for it, which rights each process has, and what reads a replica."""

from __future__ import annotations

from tests.planted.bug import Bug

UPGRADES = "tests/ledger/test_upgrading.py"
ROLES = "tests/ledger/test_ledger_roles.py"

BUGS = (
    Bug(
        "replica",
        "any-database-is-a-replica",
        "infra/ledger/identity.py",
        "        if theirs.scalar(_PLACE_ALONE) != ours.scalar(_PLACE_ALONE):\n",
        "        if theirs.scalar(_PLACE_ALONE) is None:\n",
        ("tests/ledger/test_replica.py::test_another_ledger_is_no_replica",),
    ),
    Bug(
        "replica",
        "a-simulation-reads-the-ledger",
        "cli/terminal/connect.py",
        "    engine = connect(settings.database_read_url or ledger_address(settings),",
        "    engine = connect(ledger_address(settings) or settings.database_read_url,",
        ("tests/ledger/test_replica.py::test_a_replica_answers_while_the_ledger_is_away",),
    ),
    Bug(
        "replica",
        "exports-read-the-ledger",
        "web/console/exports_page.py",
        "rows_of(visit.engine if from_digest else replica, what",
        "rows_of(visit.engine, what",
        ("tests/web/test_console_exports.py::test_claims_and_payouts_are_read_from_the_replica",),
    ),
    Bug(
        "start",
        "an-older-schema-is-taken",
        "infra/ledger/schema.py",
        "    if held != wanted:\n",
        "    if held > wanted:\n",
        (f"{UPGRADES}::test_no_other_command_migrates[explain enc-1]",),
    ),
    Bug(
        "start",
        "a-newer-schema-is-taken",
        "infra/ledger/schema.py",
        "    if held is not None and held not in known_schemas():\n",
        "    if held is not None and not held:\n",
        (f"{UPGRADES}::test_a_newer_schema_is_refused_and_an_empty_database_too",),
    ),
    Bug(
        "start",
        "a-slow-migration-is-ended",
        "infra/ledger/upgrading.py",
        'for patience in ("idle_in_transaction_session_timeout", "lock_timeout"):',
        'for patience in ("lock_timeout",):',
        ("tests/ledger/test_migrations.py::test_a_migration_is_not_ended_as_a_frozen_process_would_be",),
    ),
    Bug(
        "upgrades",
        "a-changed-check-reads-the-table",
        "infra/ledger/changed_checks.py",
        " NOT VALID",
        "",
        (f"{UPGRADES}::test_constraints_are_added_without_reading_the_table",),
    ),
    Bug(
        "upgrades",
        "old-rows-are-compared-under-the-lock",
        "infra/ledger/upgrading.py",
        """            command.upgrade(config, "head")
        checks = connection.execute(NOT_LOOKED_THROUGH).all()
        connection.commit()
        for table, name in checks:
            with connection.begin():
                connection.execute(text(_look_through(table, name)))
""",
        """            command.upgrade(config, "head")
            for table, name in connection.execute(NOT_LOOKED_THROUGH).all():
                connection.execute(text(_look_through(table, name)))
""",
        (f"{UPGRADES}::test_older_rows_are_compared_while_others_write",),
    ),
    Bug(
        "upgrades",
        "what-was-broken-off-stays-so",
        "infra/ledger/upgrading.py",
        "        return known[after:] + checks\n",
        "        return known[after:]\n",
        (f"{UPGRADES}::test_an_upgrade_that_was_broken_off_is_finished",),
    ),
    Bug(
        "upgrades",
        "a-table-in-use-is-waited-for",
        "infra/ledger/upgrading.py",
        "        connection.execute(text(f\"SET lock_timeout = '{LOCK_SECONDS_MAX}s'\"))\n",
        "        connection.execute(text(\"SET lock_timeout = '5s'\"))\n",
        ("tests/ledger/test_migrations.py::test_a_migration_is_not_ended_as_a_frozen_process_would_be",),
    ),
    Bug(
        "upgrades",
        "printed-sql-forgets-to-compare",
        "infra/ledger/upgrading.py",
        "    for table, name in checks | config.attributes.get(LATER, {}):\n",
        "    for table, name in checks:\n",
        (f"{UPGRADES}::test_the_printed_sql_does_the_same",),
    ),
    Bug(
        "upgrades",
        "sql-forgets-what-the-ledger-holds",
        "infra/ledger/upgrading.py",
        "        elif held < LAST_READ_BY_PROGRAM:\n",
        '        elif held < "":\n',
        (f"{UPGRADES}::test_what_the_program_has_to_read_is_not_printed",),
    ),
    Bug(
        "roles",
        "the-worker-may-change-events",
        "infra/ledger/roles.py",
        """    insert="audit_entries events outbox_batches shards",
    update="shards",
""",
        """    insert="audit_entries events outbox_batches shards",
    update="events shards",
""",
        (f"{ROLES}::test_nobody_may_change_what_is_insert_only",),
    ),
    Bug(
        "roles",
        "the-relay-reads-events",
        "infra/ledger/roles.py",
        '    select="outbox outbox_batches sent_before",\n',
        '    select="events outbox outbox_batches sent_before",\n',
        (f"{ROLES}::test_a_process_cannot_read_what_it_does_not_need",),
    ),
    Bug(
        "roles",
        "the-relay-may-not-clear",
        "infra/ledger/roles.py",
        '    delete="outbox outbox_batches",\n',
        '    delete="outbox",\n',
        (f"{ROLES}::test_the_relay_sends_under_its_role",),
    ),
)
