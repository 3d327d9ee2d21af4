"""Bugs of proof in the console: the file for the independent verifier, checking a claim, the state of the log."""

from __future__ import annotations

from tests.planted.bug import Bug

PAGES = "web/console/proof_pages.py"
LOG = "web/console/log_words.py"
CHECK = "acts/check_inclusion.py"
CLAIM = "web/console/claim_check.py"
PROOFS = "tests/web/test_console_proofs.py"
FOUND = f"{PROOFS}::test_a_change_is_found_when_it_is_asked_for"

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
    Bug(
        "proofs",
        "another-entry-in-the-place-will-do",
        "handlers/audit/inclusion.py",
        "found += wanted.get(tree.size) == value",
        "found += tree.size in wanted",
        ("tests/unit/test_inclusion.py::test_what_is_not_there_is_not_included",),
    ),
    Bug(
        "proofs",
        "the-root-is-not-compared",
        "handlers/audit/inclusion.py",
        " and (tree.size, tree.root()) == (size, root)",
        "",
        (
            "tests/unit/test_inclusion.py::test_what_is_not_there_is_not_included",
            f"{PROOFS}::test_an_entry_of_another_claim_that_was_changed_spoils_the_root",
        ),
    ),
    Bug(
        "proofs",
        "any-key-will-do-for-a-claim",
        CHECK,
        "Inclusion.HOLDS if is_signed(signed, keys) else Inclusion.UNSIGNED",
        "Inclusion.HOLDS",
        (f"{PROOFS}::test_a_checkpoint_of_a_stranger_proves_nothing",),
    ),
    Bug(
        "proofs",
        "a-checkpoint-is-what-its-row-says",
        CHECK,
        "if (checkpoint.shard, checkpoint.size, checkpoint.root.hex()) != (row.shard, row.size, row.root):",
        "if checkpoint.shard != row.shard:",
        (FOUND,),
    ),
    Bug(
        "proofs",
        "a-forged-beginning-is-gone-on-from",
        "acts/audit_roots.py",
        "return tree if tree.root().hex() == checkpoint.root else Frontier()",
        "return tree",
        (f"{PROOFS}::test_only_the_log_from_the_claim_on_is_read",),
    ),
    Bug(
        "proofs",
        "the-whole-log-is-read-for-every-claim",
        CHECK,
        "min(covered) - 1",
        "0",
        (f"{PROOFS}::test_only_the_log_from_the_claim_on_is_read",),
    ),
    Bug(
        "proofs",
        "what-entries-are-about-is-not-looked-at",
        CLAIM,
        'if json.loads(entry.value).get("content_sha256") != sha256_hex(row.event.value):',
        "if entry.hash == row.detail:",
        (FOUND,),
    ),
    Bug(
        "proofs",
        "what-has-no-entry-is-passed-over",
        CLAIM,
        "            missing.append(row.detail)\n",
        "            continue\n",
        (FOUND,),
    ),
    Bug(
        "proofs",
        "what-nobody-signed-holds",
        CLAIM,
        'return "holds" if self.covered else "waiting"',
        'return "holds"',
        (f"{PROOFS}::test_a_claim_without_a_checkpoint_is_not_signed_yet",),
    ),
    Bug(
        "proofs",
        "everybody-proves-at-once",
        PAGES,
        "threading.BoundedSemaphore(AT_ONCE)",
        "threading.BoundedSemaphore(100)",
        (f"{PROOFS}::test_only_so_many_are_proved_at_a_time",),
    ),
    Bug(
        "proofs",
        "another-language-is-another-check",
        "web/console/visit.py",
        'path = "/proofs/" + path.removeprefix("/verify/")',
        "pass",
        (f"{PROOFS}::test_the_language_is_changed_on_the_page_itself",),
    ),
    Bug(
        "proofs",
        "everything-is-covered-by-a-checkpoint",
        LOG,
        "return max(0, each.entries - each.size)",
        "return 0",
        (f"{PROOFS}::test_the_state_of_the_log_is_said_in_plain_words",),
    ),
    Bug(
        "proofs",
        "a-broken-log-is-passed-over",
        LOG,
        'broken = [each for each in watched if each.state == "broken"]',
        "broken: list[Watched] = []",
        (f"{PROOFS}::test_a_log_that_is_broken_is_called_so",),
    ),
    Bug(
        "proofs",
        "one-known-key-is-enough-for-the-log",
        LOG,
        'if any(each.state == "unsigned" for each in watched):',
        'if all(each.state == "unsigned" for each in watched):',
        (f"{PROOFS}::test_each_state_of_the_log_has_its_words",),
    ),
    Bug(
        "proofs",
        "an-idle-log-is-late",
        LOG,
        "late = uncovered > 0 and (",
        "late = (",
        (f"{PROOFS}::test_a_late_checkpoint_is_asked_about_only_while_something_waits_for_it",),
    ),
    Bug(
        "proofs",
        "ages-are-rounded-up",
        LOG,
        "int(passed.total_seconds()) // 60",
        "round(passed.total_seconds() / 60)",
        (f"{PROOFS}::test_ages_are_said_in_whole_units",),
    ),
)
