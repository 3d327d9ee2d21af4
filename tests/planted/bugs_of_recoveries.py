"""Bugs of recoveries that are set off or waived (payers.md, section 4)."""

from __future__ import annotations

from tests.planted.bug import Bug

ACTS = "tests/ledger/test_recoveries.py"
GUARDS = "tests/ledger/test_recovery_guards.py"
MIGRATION = "infra/ledger/migrations/versions/0015_clearing.py"
PROPERTY = "tests/properties/test_set_offs.py::test_each_gets_what_is_due_less_what_they_owe"

BUGS = (
    Bug(
        "recoveries",
        "the-newest-act-comes-first",
        "handlers/claims/set_off.py",
        "    for place, each in enumerate(waiting):\n",
        "    for place, each in reversed(list(enumerate(waiting))):\n",
        (
            f"{ACTS}::test_the_oldest_act_comes_first",
            PROPERTY,
        ),
    ),
    Bug(
        "recoveries",
        "another-payer-keeps-back",
        "handlers/claims/set_off.py",
        "        if kept and each.payer == order.payer:\n",
        "        if kept:\n",
        (
            f"{ACTS}::test_nothing_is_kept_back_for_another_payer",
            PROPERTY,
        ),
    ),
    Bug(
        "recoveries",
        "a-recovery-is-kept-back",
        "handlers/claims/set_off.py",
        "    if order.kind is not InstructionKind.PAYMENT:\n        return [Part(order.amount, None)]\n",
        "",
        (PROPERTY,),
    ),
    Bug(
        "recoveries",
        "what-is-left-does-not-fall",
        "handlers/claims/set_off.py",
        "            waiting[place] = each._replace(left=each.left - kept)\n",
        "",
        (
            f"{ACTS}::test_the_next_payment_is_less_what_is_owed",
            PROPERTY,
        ),
    ),
    Bug(
        "recoveries",
        "a-hospital-is-paid-less",
        "handlers/claims/settle.py",
        "_dues(line, new.amount, payer, [])",
        "_dues(line, new.amount, payer, found.set_offs)",
        (f"{ACTS}::test_a_hospital_is_paid_whole",),
    ),
    Bug(
        "recoveries",
        "an-insurer-is-not-told-that-no-money-moves",
        "handlers/fast/direct_messages.py",
        '        order["reversal_of"] = order["set_off_of"] = set_off_of\n',
        '        order["set_off_of"] = set_off_of\n',
        ("tests/properties/test_direct_messages.py::test_a_set_off_is_canonical",),
    ),
    Bug(
        "recoveries",
        "what-is-left-is-not-written",
        "infra/ledger/write.py",
        "    if outcome.set_off_left:\n",
        "    if False:\n",
        (f"{ACTS}::test_the_next_payment_is_less_what_is_owed",),
    ),
    Bug(
        "recoveries",
        "set-offs-are-not-loaded",
        "acts/load_world.py",
        "    for waiting in reads.open_set_offs(connection, persons) if set_offs else ():\n",
        "    for waiting in ():\n",
        (f"{ACTS}::test_the_next_payment_is_less_what_is_owed",),
    ),
    Bug(
        "recoveries",
        "set-offs-are-forgotten-with-their-person",
        "acts/remembered_persons.py",
        "                if person.set_offs:\n",
        "                if False:\n",
        (f"{ACTS}::test_the_next_payment_is_less_what_is_owed",),
    ),
    Bug(
        "recoveries",
        "how-a-recovery-was-settled-is-not-loaded",
        "acts/load_world.py",
        "    if recoveries:\n",
        "    if False:\n",
        (
            f"{ACTS}::test_what_was_settled_or_collected_cannot_be_settled",
            f"{ACTS}::test_the_first_report_that_a_settled_recovery_was_collected_contradicts",
        ),
    ),
    Bug(
        "recoveries",
        "what-was-collected-is-settled",
        "handlers/claims/recoveries.py",
        "        if PayoutStatus.PAID in (state.state, state.last_status):\n",
        "        if False:\n",
        (f"{ACTS}::test_what_was_settled_or_collected_cannot_be_settled",),
    ),
    Bug(
        "recoveries",
        "what-did-not-arrive-is-a-debt",
        "handlers/claims/recoveries.py",
        "        if owed >= row.amount:\n",
        "        if True:\n",
        (f"{ACTS}::test_what_did_not_arrive_is_no_debt",),
    ),
    Bug(
        "recoveries",
        "a-reissued-recovery-is-settled",
        "handlers/claims/recoveries.py",
        "    if again is not None:\n",
        "    if False:\n",
        (f"{ACTS}::test_of_a_reissued_recovery_the_newest_is_settled",),
    ),
    Bug(
        "recoveries",
        "what-was-settled-may-still-fail",
        "handlers/claims/payout_reports.py",
        " or each.payout_id in settled or may_move(each, states)]",
        " or may_move(each, states)]",
        (f"{ACTS}::test_what_was_let_off_is_not_netted_with_what_failed_later",),
    ),
    Bug(
        "recoveries",
        "what-was-waived-is-no-loss",
        "handlers/claims/recoveries.py",
        "        journal.post(number, entries.waived(row, row.amount), day, row.payout_id)\n",
        "        pass\n",
        (
            f"{ACTS}::test_what_is_waived_is_a_loss",
            PROPERTY,
        ),
    ),
    Bug(
        "recoveries",
        "a-report-about-what-was-settled-books-cash",
        "handlers/claims/process.py",
        "        if instruction is not None and not settled:\n",
        "        if instruction is not None:\n",
        (f"{ACTS}::test_the_first_report_that_a_settled_recovery_was_collected_contradicts",),
    ),
    Bug(
        "recoveries",
        "a-report-about-what-was-kept-back-is-believed",
        "schemas/records.py",
        "        return self.reversal_of is None and self.set_off_of is None\n",
        "        return self.reversal_of is None\n",
        (f"{ACTS}::test_what_was_kept_back_is_not_paid_again",),
    ),
    Bug(
        "recoveries",
        "what-was-waived-is-owed-in-the-console",
        "infra/ledger/open_payouts.py",
        'ELSE r."left" > 0 END\n',
        "ELSE true END\n",
        ("tests/web/test_console_payables.py::test_what_was_set_off_or_waived_is_not_owed",),
    ),
    Bug(
        "recoveries",
        "a-statement-takes-what-is-kept-back-for-money",
        "infra/ledger/statement_rows.py",
        "func.coalesce(order.c.reversal_of, order.c.set_off_of)",
        "order.c.reversal_of",
        ("tests/ledger/test_statements_issued.py::test_what_is_kept_back_is_a_book_entry_that_corrects_its_recovery",),
    ),
    Bug(
        "recoveries",
        "the-database-does-not-add-up-set-offs",
        MIGRATION,
        '                    AND settled."left" = settled.amount\n',
        '                    AND settled."left" >= settled.amount\n',
        (f"{GUARDS}::test_what_is_kept_back_is_taken_off_what_is_left",),
    ),
    Bug(
        "recoveries",
        "the-database-lets-what-is-left-grow",
        MIGRATION,
        ' OR NEW."left" > OLD."left" THEN',
        " THEN",
        (f"{GUARDS}::test_what_is_kept_back_is_taken_off_what_is_left",),
    ),
    Bug(
        "recoveries",
        "the-database-lets-a-settled-recovery-be-reissued",
        MIGRATION,
        "            AND NOT EXISTS (SELECT FROM settled_recoveries settled WHERE settled.payout_id = name);\n",
        "            AND true;\n",
        (f"{GUARDS}::test_a_recovery_is_settled_or_reissued_never_both",),
    ),
)
