"""Bugs in what the ledger keeps and tells of published watches (time.md, sections 1 and 4)."""

from __future__ import annotations

from tests.planted.bug import Bug

LEDGER = "tests/ledger/test_published_watches.py"
LAW = "tests/properties/test_kept_crossings.py::test_the_live_alerts_are_what_the_command_finds"
CONFLICTS = "tests/unit/test_watch_conflicts.py"

KEPT = "handlers/watches/kept_crossings.py"
PROCESS = "handlers/claims/process.py"

BUGS = (
    Bug(
        "watches",
        "another-decision-forgets-what-crosses",
        PROCESS,
        'crossings="" if before is None else before.crossings,',
        'crossings="",',
        (f"{LEDGER}::test_what_somebody_closed_stays_closed_until_its_reason_goes", LAW),
    ),
    Bug(
        "watches",
        "members-wait-only-where-a-scheme-counts-by-household",
        PROCESS,
        "            if not world.by_household:",
        "            if not world.policies.household_schemes:",
        (f"{LEDGER}::test_a_household_is_found_by_whoever_brings_it_over_the_step", LAW),
    ),
    Bug(
        "watches",
        "another-sum-is-not-told",
        KEPT,
        "return sha256_hex(canonical_json([*crossing.unit, lines]))[:16]",
        'return ""',
        (f"{LEDGER}::test_a_correction_withdraws_what_it_undoes_and_tells_what_is_otherwise", LAW),
    ),
    Bug(
        "watches",
        "what-still-crosses-a-step-keeps-its-others",
        KEPT,
        "if (kept.watch, kept.step) not in still:",
        "if not still:",
        (LAW,),
    ),
    Bug(
        "watches",
        "whoever-waits-for-a-policy-counts",
        KEPT,
        "            if row is not None and row.status in COUNTED:",
        "            if row is not None:",
        (LAW,),
    ),
    Bug(
        "watches",
        "what-is-no-longer-over-the-lowest-step-stays",
        KEPT,
        "{name: [] for name, row in rows.items() if row.crossings}",
        "{}",
        (f"{LEDGER}::test_a_correction_withdraws_what_it_undoes_and_tells_what_is_otherwise", LAW),
    ),
    Bug(
        "watches",
        "what-is-told-is-told-with-every-decision",
        KEPT,
        "    known = set(before)",
        "    known = set[KeptCrossing]()",
        ("tests/properties/test_kept_crossings.py::test_what_changes_nothing_in_a_sum_is_told_to_nobody",),
    ),
    Bug(
        "watches",
        "what-comes-back-has-the-id-of-its-first-message",
        "handlers/watches/crossing_alerts.py",
        'derived_id("AL", _CODE, watch.id, claim.claim_id, step, seq)',
        'derived_id("AL", _CODE, watch.id, claim.claim_id, step)',
        (f"{LEDGER}::test_alerts_of_crossings_that_come_back_are_messages_of_their_own",),
    ),
    Bug(
        "watches",
        "publishing-looks-only-at-who-is-far-over-a-step",
        "infra/ledger/watch_rows.py",
        "func.sum(claims.c.personal_burden) > step",
        "func.sum(claims.c.personal_burden) > 2 * step",
        (f"{LEDGER}::test_publishing_finds_whoever_is_there_and_decides_nothing",),
    ),
    Bug(
        "watches",
        "publishing-looks-at-members-one-by-one",
        "infra/ledger/watch_rows.py",
        "    if by_household:",
        "    if not by_household:",
        (f"{LEDGER}::test_publishing_a_watch_by_household_looks_at_households",),
    ),
    Bug(
        "watches",
        "a-policy-leaves-out-whom-it-does-not-reach",
        "acts/publish_policy.py",
        "groups_at_once(connection, persons, then.by_household)",
        "groups_at_once(connection, persons, bool(then.policies.household_schemes))",
        (f"{LEDGER}::test_a_policy_that_decides_one_member_looks_at_the_household",),
    ),
    Bug(
        "watches",
        "a-replay-looks-at-households-that-publishing-did-not",
        "acts/rebuild_books.py",
        "groups_in(world, world.watches.by_household)",
        "groups_in(world, world.by_household)",
        (f"{LEDGER}::test_publishing_replays_where_only_schemes_count_by_household",),
    ),
    Bug(
        "watches",
        "an-alert-names-the-household",
        "handlers/watches/crossing_alerts.py",
        "        zh=said.zh,\n        en=said.en,\n    )\n\n\ndef withdrawn",
        "        zh=said.zh + crossing.unit_id,\n        en=said.en,\n    )\n\n\ndef withdrawn",
        ("tests/web/test_console_privacy.py::test_no_page_address_or_log_holds_anybody",),
    ),
    Bug(
        "watches",
        "rebuilt-books-know-no-watch",
        "infra/ledger/book_rows.py",
        '"hold", "watches")',
        '"hold")',
        (f"{LEDGER}::test_the_books_are_rebuilt_under_a_watch_by_household",),
    ),
    Bug(
        "watches",
        "a-published-file-may-change-in-the-ledger",
        "acts/verify_contents.py",
        "entry.kind == AuditKind.WATCHES_PUBLISHED and",
        "entry.kind == AuditKind.MONTH_CLOSED and",
        (f"{LEDGER}::test_a_published_file_that_was_changed_is_found",),
    ),
    Bug(
        "watches",
        "two-files-have-one-watch-on-one-day",
        "schemas/watch/watch_conflicts.py",
        "one.effective_from is None or other.effective_to is None or",
        "one.effective_from is not None and other.effective_to is not None and",
        (
            f"{CONFLICTS}::test_one_watch_is_published_once_for_a_day",
            f"{CONFLICTS}::test_a_file_without_an_end_leaves_no_day_to_its_watches",
        ),
    ),
    Bug(
        "watches",
        "the-end-of-a-file-is-a-day-of-it",
        "schemas/watch/watch_conflicts.py",
        "one.effective_from < other.effective_to",
        "one.effective_from <= other.effective_to",
        (f"{CONFLICTS}::test_files_of_other_days_hold_together",),
    ),
    Bug(
        "watches",
        "whom-a-file-finds-is-told-after-the-question",
        "cli/watch/watches_publish.py",
        '        _found(expected, language)\n        confirm(yes, "file of watches", language)\n',
        '        confirm(yes, "file of watches", language)\n        _found(expected, language)\n',
        ("tests/contracts/test_watches_publish.py::test_publishing_says_whom_it_finds_and_makes_alerts",),
    ),
    Bug(
        "watches",
        "the-lines-of-a-sum-are-not-shown",
        "handlers/words/alert_sentences.py",
        'json.loads(row.value).get("lines", [])',
        'json.loads(row.value).get("line", [])',
        ("tests/web/test_console_alerts.py::test_an_alert_of_a_watch_shows_what_adds_up_to_its_sum",),
    ),
    Bug(
        "alerts",
        "an-alert-without-a-title",
        "handlers/words/alert_sentences.py",
        "    **twice_sentences.NAMES,\n",
        "",
        ("tests/unit/test_both_languages.py::test_every_alert_has_a_title",),
    ),
)
