"""Bugs of proof in the console: the file for the independent verifier, and who gets it."""

from __future__ import annotations

from tests.planted.bug import Bug

PAGES = "web/console/proof_pages.py"
PROOFS = "tests/web/test_console_proofs.py"

BUGS = (
    Bug(
        "proofs",
        "the-console-trims-the-proof",
        PAGES,
        "content = proof_file(prove(visit.engine, payout_id))",
        "content = proof_file(prove(visit.engine, payout_id)).strip()",
        (f"{PROOFS}::test_the_file_is_what_the_command_writes",),
    ),
    Bug(
        "proofs",
        "whoever-sees-a-claim-takes-its-proof",
        PAGES,
        "        visit.require(Right.EXPORT)\n",
        "",
        (f"{PROOFS}::test_who_may_take_a_proof",),
    ),
    Bug(
        "proofs",
        "any-payout-is-one-of-the-claim",
        PAGES,
        'if payout_id not in [row.event.subject_id for row in rows if row.event.kind == "instruction"]:',
        "if not payout_id:",
        (f"{PROOFS}::test_a_proof_needs_a_reason_and_a_payout_of_the_claim",),
    ),
    Bug(
        "proofs",
        "what-is-not-signed-is-on-offer",
        PAGES,
        'PROVABLE = ("signed", "proved")',
        'PROVABLE = ("signed", "proved", "chained")',
        (f"{PROOFS}::test_what_no_checkpoint_covers_is_not_offered_yet",),
    ),
    Bug(
        "proofs",
        "the-reason-for-a-proof-is-kept-as-typed",
        PAGES,
        '"reason": mask_text(reason)',
        '"reason": reason',
        (f"{PROOFS}::test_a_download_is_in_the_audit_log",),
    ),
    Bug(
        "proofs",
        "nobody-knows-who-looked-at-the-entries",
        PAGES,
        '        visit.note_view(connection, "proof", claim_id=claim_id, person=visit.token(person_id))\n',
        "",
        (f"{PROOFS}::test_the_page_names_nobody",),
    ),
)
