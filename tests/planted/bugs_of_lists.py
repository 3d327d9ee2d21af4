"""Bugs of the console's lists: what is in them, what they add up to, and what leads to them."""

from __future__ import annotations

from tests.planted.bug import Bug

CLAIMS = "tests/web/test_console_claim_list.py"
PIECES = f"{CLAIMS}::test_the_pieces_do_not_matter_to_the_list"
ORDER = f"{CLAIMS}::test_each_claim_is_listed_once_in_order"
FILTER = f"{CLAIMS}::test_a_filter_leaves_what_the_file_holds"
PLACES = f"{CLAIMS}::test_places_and_tiers_filter_the_list_and_its_file"
ADD_UP = "tests/web/test_lists_add_up.py"
CLAIMS_ADD_UP = f"{ADD_UP}::test_totals_of_claims_are_their_pages_their_file_and_their_instructions"
PAYOUTS = "tests/web/test_console_payout_list.py"
EVENTS = f"{CLAIMS}::test_no_other_event_is_read_as_json"
REPORTS = f"{CLAIMS}::test_what_is_outstanding_follows_reports_and_set_offs"

BUGS = (
    Bug(
        "lists",
        "a-fact-leaves-the-list-as-it-was",
        "infra/ledger/digest.py",
        '    ("event.accepted", _ENTRIES + claim_list.ACCEPTED),\n',
        "",
        (REPORTS,),
    ),
    Bug(
        "lists",
        "a-page-begins-with-the-end-of-the-one-before",
        "infra/ledger/claim_list.py",
        "here < last if down else here > last",
        "here <= last if down else here >= last",
        (ORDER,),
    ),
    Bug(
        "lists",
        "claims-without-a-discharge-are-before-every-day",
        "infra/ledger/claim_list.py",
        "chosen.since or NO_DAY + timedelta(days=1)",
        "chosen.since or NO_DAY",
        (FILTER,),
    ),
    Bug(
        "lists",
        "the-file-forgets-the-amounts",
        "infra/ledger/row_filter.py",
        " or self.low is not None or self.high is not None",
        "",
        (FILTER,),
    ),
    Bug(
        "lists",
        "any-tier-of-the-scheme-will-do",
        "infra/ledger/claim_list.py",
        "of_tier(chosen.scheme, chosen.tier) if chosen.tier else chosen.scheme",
        "chosen.scheme",
        (PLACES,),
    ),
    Bug(
        "lists",
        "a-voided-coverage-keeps-its-area",
        "infra/ledger/claim_list.py",
        "n.told ->> 'event_type' = 'coverage.recorded' AND ",
        "",
        (PIECES,),
    ),
    Bug(
        "lists",
        "every-status-leads-to-all-claims",
        "web/console/templates/overview.html",
        "'/claims?status=' ~ status",
        "'/claims'",
        (f"{CLAIMS}::test_each_number_of_claims_leads_to_them",),
    ),
    Bug(
        "lists",
        "an-invoice-is-looked-for-in-every-event",
        "infra/ledger/digest.py",
        "bill AS MATERIALIZED (",
        "bill AS (",
        (EVENTS,),
    ),
    Bug(
        "lists",
        "a-facility-is-looked-for-in-every-event",
        "infra/ledger/claim_list.py",
        "x.kind IN ('encounter', 'settlement') OFFSET 0) n",
        "x.kind IN ('encounter', 'settlement')) n",
        (EVENTS,),
    ),
    Bug(
        "lists",
        "the-lowest-amount-is-left-out",
        "infra/ledger/claim_list.py",
        "line.c.due >= chosen.low",
        "line.c.due > chosen.low",
        (CLAIMS_ADD_UP,),
    ),
    Bug(
        "lists",
        "what-is-held-waits-for-a-pool-as-well",
        "infra/ledger/claim_list.py",
        "FILTER (WHERE NOT r.held AND p.first), 0) AS waiting",
        "FILTER (WHERE p.first), 0) AS waiting",
        (CLAIMS_ADD_UP,),
    ),
    Bug(
        "lists",
        "a-report-leaves-the-list-of-payouts-as-it-was",
        "infra/ledger/digest.py",
        '    ("event.accepted", _ENTRIES + payout_lines.REPORTED),\n',
        "",
        (f"{PAYOUTS}::test_the_pieces_do_not_matter_to_the_list_of_payouts",),
    ),
    Bug(
        "lists",
        "a-page-of-payouts-begins-with-the-end-of-the-one-before",
        "infra/ledger/payout_list.py",
        "here < last if down else here > last",
        "here <= last if down else here >= last",
        (f"{PAYOUTS}::test_each_payout_is_listed_once_in_order",),
    ),
    Bug(
        "lists",
        "the-file-of-payouts-forgets-kind-and-payee",
        "infra/ledger/row_filter.py",
        "self.kind, self.payer, self.payee)",
        "self.payer)",
        (f"{PAYOUTS}::test_a_filter_leaves_the_payouts_that_the_file_holds",),
    ),
    Bug(
        "lists",
        "paid-leads-to-recoveries-too",
        "web/console/templates/list_macros.html",
        "payouts_link(visit, within, 'kind=payment&status=paid', t('支付,报告已到账'",
        "payouts_link(visit, within, 'status=paid', t('支付,报告已到账'",
        (f"{PAYOUTS}::test_each_total_of_payouts_leads_to_them",),
    ),
)
