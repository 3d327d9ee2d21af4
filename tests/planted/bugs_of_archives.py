"""Planted bugs: what an archive takes, and what is noticed when it is read."""

from __future__ import annotations

from tests.planted.bug import Bug

ARCHIVES = "tests/ledger/test_archives.py"
WRITES = "acts/archive_ledger.py"
VERIFIES = "acts/verify_archive.py"
ROWS = "infra/ledger/archived_rows.py"

BUGS = (
    Bug(
        "archives",
        "the-month-begins-a-moment-late",
        ROWS,
        "event.c.recorded_at >= moment",
        "event.c.recorded_at > moment",
        (f"{ARCHIVES}::test_an_archive_holds_what_was_recorded_before_the_month",),
    ),
    Bug(
        "archives",
        "an-event-comes-with-what-follows-from-it",
        ROWS,
        ", entry.c.kind.not_in(FOLLOWING))",
        ")",
        (f"{ARCHIVES}::test_an_archive_holds_what_was_recorded_before_the_month",),
    ),
    Bug(
        "archives",
        "an-archive-begins-anew",
        WRITES,
        "after = ends[shard].last if shard in ends else 0",
        "after = 0",
        (f"{ARCHIVES}::test_the_next_archive_goes_on_where_the_last_one_ends",),
    ),
    Bug(
        "archives",
        "a-month-to-come-is-archived",
        WRITES,
        "if before > month_at(now()):",
        "if before > month_at(now()).replace(year=9000):",
        (f"{ARCHIVES}::test_a_month_that_has_not_begun_is_no_bound",),
    ),
    Bug(
        "archives",
        "a-month-is-archived-twice",
        WRITES,
        "if newest >= name:",
        "if newest > name:",
        (f"{ARCHIVES}::test_what_is_archived_already_is_not_archived_again",),
    ),
    Bug(
        "archives",
        "what-was-written-is-not-read-back",
        WRITES,
        "trust.findings + verify_one(Archive(part, manifest), ends, trust, progressed)",
        "trust.findings",
        (f"{ARCHIVES}::test_what_does_not_hold_together_is_not_archived",),
    ),
    Bug(
        "archives",
        "whoever-signed-the-checkpoint",
        WRITES,
        "trust.findings + verify_one(",
        "verify_one(",
        (f"{ARCHIVES}::test_what_others_signed_is_not_archived",),
    ),
    Bug(
        "archives",
        "an-archive-that-nobody-knows-of",
        WRITES,
        """        with engine.begin() as connection:
            record_operator_acts(connection, now, [export])
        os.rename(part, root / name)
""",
        """        os.rename(part, root / name)
        with engine.begin() as connection:
            record_operator_acts(connection, now, [export])
""",
        (f"{ARCHIVES}::test_an_archive_that_cannot_be_recorded_is_none",),
    ),
    Bug(
        "archives",
        "whoever-signed-the-manifest",
        VERIFIES,
        "if not trust.has_signed(data, signature, signature.name):",
        "if not data:",
        (f"{ARCHIVES}::test_a_changed_manifest_is_found",),
    ),
    Bug(
        "archives",
        "files-are-not-hashed",
        VERIFIES,
        "if sha256_of(path) != file.sha256:",
        "if len(sha256_of(path)) != len(file.sha256):",
        (f"{ARCHIVES}::test_a_changed_file_is_found",),
    ),
    Bug(
        "archives",
        "archived-events-are-not-compared",
        VERIFIES,
        "(event.seq, event.event_no, _content(entry, event)) != wanted",
        "(event.seq, event.event_no) != wanted[:2]",
        (f"{ARCHIVES}::test_what_does_not_hold_together_is_not_archived",),
    ),
    Bug(
        "archives",
        "a-replay-is-hashed-as-its-act",
        VERIFIES,
        "sent_again(value) if entry.kind == AuditKind.EVENT_REPLAYED else value",
        "value",
        (f"{ARCHIVES}::test_a_replayed_event_is_archived_with_its_act",),
    ),
    Bug(
        "archives",
        "the-end-is-where-the-manifest-says",
        VERIFIES,
        "as_told = (archived.last, archived.last_hash, archived.frontier, archived.entries.rows)",
        "as_told = (archived.last, check.last_hash, check.tree.stored().hex(), archived.entries.rows)",
        (f"{ARCHIVES}::test_a_manifest_that_says_another_end_is_found",),
    ),
    Bug(
        "archives",
        "each-archive-by-itself",
        VERIFIES,
        "_shard_fault(archive, archived, ends.get(archived.shard), trust, progressed)",
        "_shard_fault(archive, archived, ends.get(-archived.shard), trust, progressed)",
        (f"{ARCHIVES}::test_the_next_archive_goes_on_where_the_last_one_ends",),
    ),
    Bug(
        "archives",
        "the-ledger-never-hears-of-its-archives",
        VERIFIES,
        "            trust.add(parse_notes(archived.checkpoint)[0])\n",
        "            parse_notes(archived.checkpoint)\n",
        (f"{ARCHIVES}::test_a_ledger_that_has_lost_what_was_archived_is_found",),
    ),
    Bug(
        "archives",
        "faults-of-archives-are-not-told",
        "cli/audit/audit_verify.py",
        "verified.findings = [*archived.findings, *verified.findings]",
        "verified.findings = [*verified.findings]",
        (f"{ARCHIVES}::test_a_month_is_archived_and_verified_by_commands",),
    ),
)
