"""Bugs of the books: what is posted, what months add up to, closing, the guards, and what an older ledger is posted."""

from __future__ import annotations

from tests.planted.bug import Bug

CORE = "tests/properties/test_books.py::test_the_core_posts_what_the_oracle_does"
BALANCES = "tests/properties/test_trial_balance.py"
BOOKS = "tests/ledger/test_books.py"
GUARDS = "tests/ledger/test_book_guards.py"
CHECKS = "tests/ledger/test_book_checks.py"
HISTORY = "tests/ledger/test_posted_history.py::test_an_older_ledger_is_posted_as_its_events_are"
MIGRATION = "infra/ledger/migrations/versions/0015_clearing.py"

BUGS = (
    Bug(
        "books",
        "a-failed-payment-moves-money",
        "handlers/books/entries.py",
        "(before == paid) == (after == paid):",
        "before == after:",
        (CORE,),
    ),
    Bug(
        "books",
        "what-comes-back-is-paid-again",
        "handlers/books/entries.py",
        "    return [entry if after == paid else Entry(entry.credit, entry.debit, entry.amount)]\n",
        "    return [entry]\n",
        (CORE,),
    ),
    Bug(
        "books",
        "a-reversal-is-a-debt",
        "handlers/books/entries.py",
        "Entry(payable if reversal else receivable, expense, row.amount)",
        "Entry(receivable, expense, row.amount)",
        (CORE,),
    ),
    Bug(
        "books",
        "a-trial-balance-forgets-accounts-at-rest",
        "handlers/books/trial_balance.py",
        "sorted(held.keys() | own.keys())",
        "sorted(own.keys())",
        (f"{BALANCES}::test_every_month_balances_and_opens_with_what_the_one_before_closed_with",),
    ),
    Bug(
        "books",
        "two-accounts-have-one-name-in-beancount",
        "handlers/books/beancount_text.py",
        '_AS_IT_IS, _FACILITY, _PERSON = "Id--", "Facility--", "Person"',
        '_AS_IT_IS, _FACILITY, _PERSON = "", "Facility--", "Person"',
        (f"{BALANCES}::test_an_account_is_read_back_from_its_name_in_beancount",),
    ),
    Bug(
        "books",
        "a-month-is-closed-before-its-end",
        "acts/close_month.py",
        "    if moment < month_end(month):\n",
        "    if moment < moment:\n",
        (f"{BOOKS}::test_months_are_closed_in_order_each_once_and_after_its_end",),
    ),
    Bug(
        "books",
        "a-closed-month-can-still-be-recorded-in",
        "acts/close_month.py",
        "        reads.end_month(connection, month_end(month))\n",
        "",
        (f"{BOOKS}::test_a_clock_that_is_behind_books_nothing_in_a_closed_month",),
    ),
    Bug(
        "books",
        "an-open-month-begins-with-what-an-older-one-held",
        "acts/book_balances.py",
        "closed = book_rows.last_closed(connection, before=month)",
        "closed = book_rows.last_closed(connection, before=next_month(month))",
        (f"{BOOKS}::test_a_closed_month_stays_as_it_is_whatever_is_corrected_later",),
    ),
    Bug(
        "books",
        "half-an-entry-is-taken",
        MIGRATION,
        "HAVING sum(amount) <> 0 OR min(leg) <> 1",
        "HAVING min(leg) <> 1",
        (f"{GUARDS}::test_an_entry_that_is_not_whole_and_in_balance_is_refused",),
    ),
    Bug(
        "books",
        "a-closed-month-is-booked-in",
        MIGRATION,
        "(SELECT min(booked_on) FROM added) < (SELECT max(month) + interval '1 month' FROM book_months)",
        "(SELECT min(booked_on) FROM added) < (SELECT max(month) FROM book_months)",
        (f"{GUARDS}::test_nothing_is_booked_in_a_closed_month",),
    ),
    Bug(
        "books",
        "months-are-closed-with-gaps",
        MIGRATION,
        "    IF NEW.month IS DISTINCT FROM due THEN\n",
        "    IF NEW.month < due THEN\n",
        (f"{GUARDS}::test_months_are_closed_one_after_the_other",),
    ),
    Bug(
        "books",
        "a-shard-is-left-out-of-the-end-of-a-month",
        MIGRATION,
        " OR EXISTS (SELECT FROM shards WHERE coalesce(not_before, '-infinity') < ends) THEN\n",
        " THEN\n",
        (f"{GUARDS}::test_a_month_in_which_a_shard_can_still_record_is_not_closed",),
    ),
    Bug(
        "books",
        "history-is-posted-with-the-newest-day",
        MIGRATION,
        "WHERE d.claim_id = c.claim_id AND d.event_no <= e.event_no\n",
        "WHERE d.claim_id = c.claim_id\n",
        (HISTORY,),
    ),
    Bug(
        "books",
        "history-credits-first-what-came-back",
        MIGRATION,
        "CASE (leg = 1) = (o.amount > 0) WHEN TRUE",
        "CASE leg = 1 WHEN TRUE",
        (HISTORY,),
    ),
    Bug(
        "books",
        "a-payout-that-is-not-booked-passes-the-check",
        "infra/ledger/book_checks.py",
        "    WHERE coalesce(due.fen, 0) <> coalesce(booked.fen, 0)\n",
        "    WHERE due.fen <> booked.fen\n",
        (f"{CHECKS}::test_changed_books_are_found",),
    ),
    Bug(
        "books",
        "an-audited-month-may-be-another",
        "acts/verify_contents.py",
        'if self._months.get(month) != subject.get("trial_balance_sha256"):',
        "if month not in self._months:",
        (f"{CHECKS}::test_changed_books_are_found",),
    ),
    Bug(
        "books",
        "an-older-ledger-is-linked-by-invoices",
        "acts/rebuild_books.py",
        "event.event_no > unlinked",
        "event.event_no > 0",
        (
            "tests/ledger/test_posted_history.py::test_an_older_ledger_whose_bills_share_an_invoice_can_be_rebuilt_and_goes_on",
        ),
    ),
    Bug(
        "books",
        "an-older-ledger-is-read-by-the-rules-of-today",
        "acts/rebuild_books.py",
        '            if event.disposition == "accepted" and isinstance(reading, Refusal):',
        "            if reading is None:",
        (
            "tests/ledger/test_posted_history.py::test_an_older_ledger_whose_bills_share_an_invoice_can_be_rebuilt_and_goes_on",
        ),
    ),
)
