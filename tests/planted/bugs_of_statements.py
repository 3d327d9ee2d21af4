"""Bugs of statements: their lines, months and messages, and who reads them (payers.md, section 3)."""

from __future__ import annotations

from tests.planted.bug import Bug

LEDGER = "tests/ledger/test_statements_issued.py"
ONE_MONTH = f"{LEDGER}::test_every_instruction_is_a_line_of_one_month"
ISSUED = f"{LEDGER}::test_a_month_is_issued_to_each_insurer"
REPORTED = f"{LEDGER}::test_a_report_changes_no_statement_that_was_issued"
ONCE = f"{LEDGER}::test_a_month_is_issued_once_and_after_it_ended"
REFUSED = f"{LEDGER}::test_what_cannot_be_issued_writes_nothing"
EDGES = "tests/unit/test_months.py::test_a_month_has_all_instants_from_its_first_midnight_in_shanghai_to_the_next"
MESSAGES = "tests/unit/test_statement_messages.py"
COPIES = "tests/ledger/test_insurer_topics.py::test_a_statement_is_in_both_topics_once_whatever_a_broker_forgot"

BUGS = (
    Bug(
        "statements",
        "a-month-ends-with-its-last-midnight",
        "infra/ledger/statement_rows.py",
        "events.c.recorded_at >= start, events.c.recorded_at < end)",
        "events.c.recorded_at >= start, events.c.recorded_at < end - (end - start) / 31)",
        (ONE_MONTH,),
    ),
    Bug(
        "statements",
        "months-are-those-of-utc",
        "schemas/months.py",
        "datetime.combine(month, time(), SHANGHAI)",
        "datetime.combine(month, time(), SHANGHAI) + timedelta(hours=8)",
        (ONE_MONTH, EDGES),
    ),
    Bug(
        "statements",
        "a-late-report-changes-the-month",
        "acts/statement_lines.py",
        "for recorded_at, report in told if recorded_at < until]",
        "for recorded_at, report in told if until]",
        (REPORTED,),
    ),
    Bug(
        "statements",
        "late-reports-are-told-nowhere",
        "acts/statement_lines.py",
        "            if state is not reports.state(payout, start):\n",
        "            if state is reports.state(payout, start):\n",
        (REPORTED,),
    ),
    Bug(
        "statements",
        "a-report-is-counted-again",
        "handlers/treaties/statements.py",
        "        if entry is LineEntry.REPORT:\n            self.reports += 1\n        else:\n",
        "        if entry is LineEntry.REPORT:\n            self.reports += 1\n        if entry:\n",
        (REPORTED, f"{MESSAGES}::test_a_report_is_in_no_sum"),
    ),
    Bug(
        "statements",
        "a-month-begins-again-from-nothing",
        "acts/issue_statements.py",
        'parse_yuan(json.loads(last.value)["cum"]))',
        'parse_yuan(json.loads(last.value)["cum_before"]))',
        (REPORTED,),
    ),
    Bug(
        "statements",
        "a-month-is-issued-before-its-end",
        "acts/issue_statements.py",
        "    if at < month_end(month):\n",
        "    if at.date() < month:\n",
        (ONCE,),
    ),
    Bug(
        "statements",
        "a-month-may-be-left-out",
        "acts/issue_statements.py",
        "    if month > due.month:\n",
        "    if month > next_month(due.month):\n",
        (REFUSED,),
    ),
    Bug(
        "statements",
        "an-issued-month-is-not-over",
        "acts/issue_statements.py",
        "        reads.end_month(connection, month_end(month))\n",
        "        assert reads.end_month\n",
        (f"{LEDGER}::test_a_clock_that_is_behind_records_nothing_in_an_issued_month",),
    ),
    Bug(
        "statements",
        "what-came-meanwhile-is-lost",
        "acts/issue_statements.py",
        "        if came is not None and came < month_end(month):",
        "        if came is not None and came > month_end(month):",
        (f"{LEDGER}::test_what_is_recorded_while_the_lines_are_made_is_not_lost",),
    ),
    Bug(
        "statements",
        "the-audit-trees-are-those-of-before-the-locks",
        "acts/audit_roots.py",
        "            for value in self._grown(state.shard, state.audit_seq)\n",
        "            for value in self._grown(state.shard, 0)\n",
        (f"{LEDGER}::test_what_is_recorded_while_the_lines_are_made_is_not_lost",),
    ),
    Bug(
        "statements",
        "a-checkpoints-tree-begins-anew",
        "acts/audit_roots.py",
        "        tree = Frontier(checkpoint.size, checkpoint.frontier)\n",
        "        tree = Frontier(checkpoint.size, checkpoint.frontier[::-1])\n        return tree\n",
        (f"{LEDGER}::test_the_audit_root_is_that_of_all_entries_before",),
    ),
    Bug(
        "statements",
        "a-line-corrects-the-newest-of-its-claim",
        "infra/ledger/statement_rows.py",
        "            earlier.c.revision < order.c.revision,\n",
        "",
        (ONE_MONTH,),
    ),
    Bug(
        "statements",
        "a-reissue-corrects-the-one-before",
        "handlers/treaties/statements.py",
        "payout.reversal_of or payout.reissue_of or payout.before",
        "payout.before",
        (f"{LEDGER}::test_a_reissue_is_two_lines_about_the_failed_payout",),
    ),
    Bug(
        "statements",
        "another-treatys-payouts-are-lines-too",
        "infra/ledger/statement_rows.py",
        "instructions.c.payer == lead, instructions.c.treaty_id == treaty_id, ",
        "instructions.c.treaty_id.is_not(None), ",
        (f"{LEDGER}::test_treaties_are_stated_each_by_itself",),
    ),
    Bug(
        "statements",
        "the-cession-is-not-booked",
        "handlers/treaties/statements.py",
        "            borne = statement.part + statement.part_of_cession\n",
        "            borne = statement.part\n",
        (f"{LEDGER}::test_the_books_hold_what_the_other_insurers_owe_the_lead",),
    ),
    Bug(
        "statements",
        "the-lead-owes-itself",
        "handlers/treaties/statements.py",
        "        if statement.insurer != treaty.lead:\n",
        "        if statement.insurer:\n",
        (f"{LEDGER}::test_the_books_hold_what_the_other_insurers_owe_the_lead",),
    ),
    Bug(
        "statements",
        "a-chunk-is-one-line-too-long",
        "handlers/treaties/statements.py",
        "        if len(self._open) == LINES_MAX:\n",
        "        if len(self._open) > LINES_MAX:\n",
        (f"{MESSAGES}::test_lines_come_in_chunks_before_their_statement",),
    ),
    Bug(
        "statements",
        "the-last-lines-are-not-sent",
        "handlers/treaties/statements.py",
        '        """Closes the last chunk."""\n        if self._open:\n',
        '        """Closes the last chunk."""\n        if self._open and self.chunks:\n',
        (ISSUED, f"{MESSAGES}::test_lines_come_in_chunks_before_their_statement"),
    ),
    Bug(
        "statements",
        "an-insurer-reads-no-statement-of-its-own",
        "schemas/topics.py",
        "    if topic == STATEMENTS.name:\n",
        "    if topic == STATEMENTS.name and not key:\n",
        (COPIES,),
    ),
    Bug(
        "statements",
        "a-header-names-the-topics-first-type",
        "stream/outbound/cloudevents.py",
        '("ce_type", _text(_EVENT_TYPE, value))',
        '("ce_type", of.event_types[0].encode())',
        ("tests/unit/test_cloudevents.py::test_headers_are_those_of_the_value",),
    ),
    Bug(
        "statements",
        "a-changed-line-goes-unnoticed",
        "acts/issued_statements.py",
        "(statement.lines, statement.lines_sha256) != (lines.count, lines.sha256)",
        "statement.lines != lines.count",
        (f"{LEDGER}::test_a_changed_ledger_gives_other_lines",),
    ),
)
