"""Planted bugs: what a search in the console finds, and what it says about it."""

from __future__ import annotations

from tests.planted.bug import Bug

FINDING = "tests/web/test_console_finding.py"

BUGS = (
    Bug(
        "finding",
        "only-the-paid-have-a-reference",
        "infra/ledger/bank_references.py",
        "    SELECT DISTINCT told ->> 'reference', told ->> 'payout_id' FROM report\n",
        "    SELECT DISTINCT told ->> 'reference', told ->> 'payout_id' FROM report WHERE told ->> 'status' = 'paid'\n",
        (f"{FINDING}::test_every_reference_of_a_payout_leads_to_its_claim",),
    ),
    Bug(
        "finding",
        "a-claim-is-its-own-twin",
        "web/console/templates/search.html",
        "for twin in twins if twin != row.claim_id",
        "for twin in twins",
        (f"{FINDING}::test_claims_with_one_invoice_name_each_other",),
    ),
    Bug(
        "finding",
        "full-width-stays-full-width",
        "schemas/searched_words.py",
        'unicodedata.normalize("NFKC", text)',
        "text",
        (f"{FINDING}::test_numbers_are_found_as_they_are_typed",),
    ),
)
