"""Bugs in what is shown of pools: to the office, to a villager who waits, and on the village's sheet."""

from __future__ import annotations

from tests.planted.bug import Bug

WEB = "tests/web/test_console_pools.py"
SHEET = "tests/unit/test_pool_sheet.py"
FIGURES = "infra/ledger/pool_figures.py"
CELLS = "handlers/pools/public_cells.py"
ACCOUNT = "acts/pool_account.py"

BUGS = (
    Bug(
        "pools",
        "what-is-given-back-stays-released",
        FIGURES,
        "else_=-_INSTRUCTIONS.c.amount)",
        "else_=0)",
        (f"{WEB}::test_what_is_given_back_is_there_again",),
    ),
    Bug(
        "pools",
        "everybody-is-the-first-in-the-queue",
        FIGURES,
        "partition_by=_BENEFITS.c.pool_id",
        "partition_by=_BENEFITS.c.claim_id",
        (f"{WEB}::test_a_claim_says_that_it_waits", f"{WEB}::test_a_pool_adds_up"),
    ),
    Bug(
        "pools",
        "a-changed-closing-is-approved",
        "web/console/clearing_pages.py",
        'if visit.form.get("sha256") != digest_of(approve_pool_year(*place)):',
        'if digest_of(approve_pool_year(*place)) == "":',
        (f"{WEB}::test_what_has_changed_is_not_approved",),
    ),
    Bug(
        "pools",
        "whoever-looks-may-close-a-pools-year",
        "web/console/pool_pages.py",
        "visit.require(Right.CLEAR)",
        "visit.require(Right.BOOKS)",
        (
            f"{WEB}::test_a_closing_is_refused_with_its_reason",
            "tests/web/test_console_signing.py::test_each_act_asks_for_its_right",
        ),
    ),
    Bug(
        "pools",
        "whoever-paid-in-is-named",
        "web/console/templates/pool.html",
        "{{ each.payer | mask_value }}",
        "{{ each.payer }}",
        (f"{WEB}::test_a_pool_adds_up",),
    ),
    Bug(
        "pools",
        "few-at-the-end-stand-alone",
        CELLS,
        "if len(found) > 1 and found[-1].people < FEW:",
        "if len(found) > 1 and not found[-1].people:",
        (f"{SHEET}::test_a_month_of_few_persons_stands_with_the_next_one",),
    ),
    Bug(
        "pools",
        "who-gave-all-back-still-counts",
        CELLS,
        "sum(amount != 0 for amount in self.persons.values())",
        "len(self.persons)",
        (f"{SHEET}::test_who_gave_all_back_is_nobody",),
    ),
    Bug(
        "pools",
        "a-debt-lasts-for-months",
        ACCOUNT,
        "Fraction(max(0, balance)",
        "Fraction(abs(balance)",
        (f"{SHEET}::test_a_balance_lasts_as_long_as_a_mean_month_says",),
    ),
    Bug(
        "pools",
        "a-month-without-movements-is-left-out",
        ACCOUNT,
        "month = next_month(month) if month < moved[-1] else None",
        "month = next((each for each in moved if each > month), None)",
        (f"{SHEET}::test_no_month_is_left_out_between_the_first_and_the_last",),
    ),
)
