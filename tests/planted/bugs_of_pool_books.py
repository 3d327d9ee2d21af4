"""Bugs of what pools have in the books: what is posted, and the checks that add it up again; and one of the lag."""

from __future__ import annotations

from tests.planted.bug import Bug

POOLS = "tests/ledger/test_pool_books.py"
ONE = f"{POOLS}::test_the_balance_of_a_pool_is_one_in_every_way_to_add_it_up"
CHANGED = f"{POOLS}::test_changed_money_of_a_pool_is_found"

BUGS = (
    Bug(
        "books",
        "a-recovery-of-a-pools-money-is-charged-to-it",
        "handlers/books/entries.py",
        "entries.append(Entry(pool, funded, row.amount) if payment else Entry(funded, pool, row.amount))",
        "entries.append(Entry(pool, funded, row.amount))",
        (ONE,),
    ),
    Bug(
        "books",
        "a-lower-contribution-is-booked-as-another-one",
        "handlers/books/entries.py",
        "return [Entry(cash, pool, more) if more > 0 else Entry(pool, cash, -more)]",
        "return [Entry(cash, pool, abs(more))]",
        (ONE,),
    ),
    Bug(
        "books",
        "a-contribution-is-booked-whole-again",
        "handlers/claims/pool_movements.py",
        "    more = after.amount - (before.amount if before is not None else 0)\n",
        "    more = after.amount\n",
        (ONE,),
    ),
    Bug(
        "books",
        "an-exported-contribution-is-a-payout",
        "handlers/books/beancount_text.py",
        'About.CONTRIBUTION: "contribution_id"}',
        'About.CONTRIBUTION: "payout_id"}',
        (f"{POOLS}::test_an_entry_of_a_contribution_names_it_and_when_it_was_received",),
    ),
    Bug(
        "books",
        "contributions-pass-the-check-of-the-books",
        "infra/ledger/book_checks.py",
        "    WHERE p.account NOT LIKE 'insurer:%' AND",
        "    WHERE i.payout_id IS NOT NULL AND p.account NOT LIKE 'insurer:%' AND",
        (f"{POOLS}::test_the_books_of_pools_are_good",),
    ),
    Bug(
        "books",
        "what-a-pool-bears-is-not-checked",
        "infra/ledger/book_checks.py",
        "(VALUES ('pool:'), ('funded:')) AS sides (side) WHERE pool_id IS NOT NULL",
        "(VALUES ('pool:'), ('funded:')) AS sides (side) WHERE false",
        (f"{POOLS}::test_the_books_of_pools_are_good",),
    ),
    Bug(
        "books",
        "a-pool-that-is-not-counted-passes-the-check",
        "infra/ledger/book_checks.py",
        "    FROM due FULL JOIN counted",
        "    FROM due JOIN counted",
        (CHANGED,),
    ),
    Bug(
        "books",
        "a-contribution-with-the-id-of-a-payout-leads-to-a-claim",
        "infra/ledger/account_lines.py",
        "    if entry.about is About.CONTRIBUTION:",
        "    if entry.about is About.CONTRIBUTION and row.claim_id is None:",
        (
            "tests/web/test_console_pool_books.py"
            "::test_what_a_pool_paid_leads_to_the_claim_and_what_it_received_leads_nowhere",
        ),
    ),
    Bug(
        "pools",
        "a-pool-that-waits-is-no-work",
        "stream/lag.py",
        "self.households == self.pools == self.outbound",
        "self.households == self.outbound",
        ("tests/ledger/test_lag.py::test_a_pool_whose_money_can_pay_somebody_is_work",),
    ),
)
