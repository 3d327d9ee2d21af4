"""The audit log of a real ledger: checkpoints, what is found when the database is changed behind its back, proofs."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select, text

from acts.adopt_ledger import adopt_ledger
from acts.close_month import close_month
from acts.export_audit_log import checkpoints_beside, export_audit_log
from acts.issue_statements import issue_statements
from acts.make_checkpoints import Made, make_due
from acts.prove_payout import NotProvable, prove
from acts.recompute_groups import recompute_groups
from acts.verify_audit_log import Trust, Verified, verify_ledger, verify_values
from handlers.audit.log_check import Fault
from infra.keys.audit_signing import SigningKey, is_signed
from infra.ledger import tables
from schemas.access.callers import ApiRole
from schemas.canonical import NO_HASH, canonical_json, sha256_hex
from schemas.checkpoint import SignedCheckpoint, parse_notes
from schemas.dates import SHANGHAI
from schemas.outbound import AuditKind
from schemas.records import Export
from tests.support.acts import (
    create_key,
    match_list,
    publish,
    publish_treaty_text,
    publish_watches_text,
    record_export,
    revoke_key,
    rotate_key,
)
from tests.support.acts import replay as send_again
from tests.support.builders import POLICY, RECORDED_AT, SHARDS, bill, coverage, discharge, policy_text
from tests.support.funeral_lists import listed
from tests.support.household import HOUSEHOLD
from tests.support.ledgers import for_person, give, held, in_order, person_of_shard, ticking
from tests.support.loads import posted, random_batches, sample
from tests.support.outbox import waiting_messages
from tests.support.owed_person import OwedPerson
from tests.support.paths import EXAMPLES
from tests.support.replayed import recorded, replayed
from tests.support.treaties import treaty_text
from tests.support.watches import watch_text, watches_text

KEY = SigningKey("wuxi.example/huzhu", b"\x01" * 32)
OTHER_KEY = SigningKey("wuxi.example/huzhu", b"\x02" * 32)
LATER = RECORDED_AT + timedelta(minutes=5)
SCRIPT = EXAMPLES / "verify_proof.py"


def nothing(_: int) -> None:
    """Nobody is told of progress."""


def sign(ledger: Engine, key: SigningKey = KEY, at: datetime = LATER) -> Made:
    return make_due(ledger, key, lambda: at, 1, timedelta(0))


def verify(ledger: Engine, *keys: SigningKey, kept: list[SignedCheckpoint] | None = None) -> Verified:
    trust = Trust(key.verifier for key in keys or (KEY,))
    for each in kept or []:
        trust.add(each)
    return verify_ledger(ledger, trust, nothing)


def faults(verified: Verified) -> list[tuple[int | None, int | None, Fault]]:
    return [each[:3] for each in verified.findings]


def changed(ledger: Engine, *statements: str) -> None:
    """Does what only who owns the database can: changes rows with the triggers out of the way."""
    with ledger.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for each in statements:
            assert connection.execute(text(each)).rowcount, "a change that changes nothing proves nothing"


def stays(first: int = 0, many: int = 6) -> list[Any]:
    """Some paid stays of persons of shard 1."""
    person = person_of_shard(1)
    return [
        event
        for number in range(first, first + many)
        for event in for_person(
            person,
            coverage(f"C{number}"),
            discharge(f"E{number}"),
            bill(f"S{number}", f"E{number}", 3000 + number),
        )
    ]


@pytest.fixture
def paid(ledger: Engine) -> Engine:
    """A ledger with six paid stays in shard 1, signed, and two more that are not yet signed."""
    held(ledger)
    publish(ledger, POLICY + '[checks]\noverlapping_stays = "off"\n', "li.na", SHARDS, lambda: RECORDED_AT)
    messages = in_order([*stays(), *stays(6, 2)])
    cut = [each for each in messages if each.offset < 6]
    give(ledger, cut)
    sign(ledger)
    give(ledger, [each for each in messages if each.offset >= 6])
    return ledger


def payouts(ledger: Engine) -> list[str]:
    with ledger.connect() as connection:
        wanted = select(tables.instructions.c.payout_id).order_by(tables.instructions.c.event_no)
        return list(connection.scalars(wanted))


def newest(ledger: Engine, shard: int = 1) -> SignedCheckpoint:
    with ledger.connect() as connection:
        wanted = select(tables.checkpoints.c.note).where(tables.checkpoints.c.shard == shard)
        return parse_notes(connection.scalars(wanted.order_by(tables.checkpoints.c.size.desc())).first() or "")[0]


# Checkpoints ----------------------------------------------------------------------------------------------


def test_a_clean_ledger_is_good(paid: Engine) -> None:
    """Nothing is found; what is signed and what is not yet is told apart."""
    verified = verify(paid)
    assert [] == verified.findings
    assert 2 == verified.checkpoints
    assert 1 == verified.entries[0] == verified.proved[0]
    assert 0 < verified.proved[1] < verified.entries[1]
    sign(paid)
    assert verified.entries[1] == verify(paid).proved[1]


def test_a_ledger_with_every_kind_of_entry_is_good(ledger: Engine) -> None:
    """A mixed load with refused, repeated and stale events, households, replays, policies, a treaty: no false alarm."""
    rng, now = Random(3), ticking()
    held(ledger)
    publish(ledger, sample("first", "2023-01-01", "2025-01-01"), "li.na", SHARDS, now)
    publish(ledger, policy_text("by household", "2019-01-01", "2020-01-01", HOUSEHOLD), "li.na", SHARDS, now)
    for batch in random_batches(posted(3), rng):
        give(ledger, batch, now)
        sign(ledger, at=now())
    assert recompute_groups(ledger, range(SHARDS), SHARDS, now)
    publish(ledger, sample("second", "2025-01-01", None), "li.na", SHARDS, now)
    publish_treaty_text(ledger, treaty_text(), "li.na", SHARDS, now)
    with ledger.connect() as connection:
        refused = list(connection.scalars(select(tables.refusals.c.event_no).limit(3)))
    publish_watches_text(ledger, watches_text(watch_text()), "li.na", SHARDS, now)
    match_list(ledger, listed(("P1", "2024-03-05")), "2024-03", "li.na", SHARDS, now, None)
    send_again(ledger, refused, "li.na", "looked at", SHARDS, now)
    send_again(ledger, refused[:1], "li.na", "corrected", SHARDS, now, b'{"corrected":1}')
    record_export(ledger, Export("claims", {"since": "2024-01-01"}, 7, "0" * 64, "li.na"), now)
    with ledger.begin() as connection:
        adopt_ledger(connection, [], "li.na", "restored from a backup", now)
        march, april = date(2025, 3, 1), datetime(2025, 4, 1, tzinfo=SHANGHAI)
        close_month(connection, march, "li.na", SHARDS, lambda: april)
        issue_statements(connection, "t1", march, "li.na", SHARDS, lambda: april)
    verified = verify(ledger)
    assert [] == verified.findings
    with ledger.connect() as connection:
        kinds = set(connection.scalars(select(tables.audit_entries.c.kind).distinct()))
        entries = len(list(connection.scalars(select(tables.audit_entries.c.seq))))
    elsewhere = {
        "key",
        "user",
        "personal",
        "people",
        "replay",
        "recovery",
        "pool",
        "alert",
        "hold",
        "aid",
    }  # acts at the API and in the console
    assert AuditKind.ALERT_RAISED in kinds
    assert {each for each in AuditKind if each.partition(".")[0] not in elsewhere} - {AuditKind.PAYOUT_REISSUED} == {
        each for each in kinds if each.partition(".")[0] != "alert"
    }
    assert entries == sum(verified.entries.values())


def test_a_ledger_with_keys_and_reissued_payouts_is_good(ledger: Engine) -> None:
    """The acts of the API and of payouts verify like all others: no false alarm."""
    owed = OwedPerson(ledger)
    owed.report(owed.payouts[0], "failed")
    owed.reissue(owed.payouts[0])
    first, _ = create_key(ledger, ApiRole.HOSPITAL, ["H1"], "", "li.na", ticking())
    second, _ = rotate_key(ledger, first.key_id, timedelta(0), "li.na", ticking())
    revoke_key(ledger, second.key_id, "lost", "li.na", ticking())
    sign(ledger)
    assert [] == verify(ledger).findings
    with ledger.connect() as connection:
        kinds = set(connection.scalars(select(tables.audit_entries.c.kind)))
    assert {"payout.reissued", "key.created", "key.rotated", "key.revoked"} <= kinds


def test_a_checkpoint_goes_out_with_the_transaction_that_writes_it(paid: Engine) -> None:
    """Its message says what its note says, and stands in the outbox of its shard behind all that it covers."""
    rows = waiting_messages(paid, "audit.checkpoints")
    before = sum(each.shard == 1 and each.seq < rows[1].seq for each in waiting_messages(paid, "audit.events"))
    told = [json.loads(row.value) for row in rows]
    assert [0, 1] == [each["shard"] for each in told]
    (signed,) = parse_notes(told[1]["note"])
    assert is_signed(signed, [KEY.verifier])
    assert (before, signed.checkpoint.root.hex(), KEY.verifier.key_id) == tuple(
        told[1][name] for name in ("size", "root", "key_id")
    )
    assert "2025-03-01T12:05:00.250000+08:00" == told[1]["occurred_at"]


def test_a_checkpoint_is_due_after_so_many_entries_or_so_much_time(paid: Engine) -> None:
    """Neither yet: none is made. Nothing new: none is made, however long ago the last one was."""

    def made(entries: int, after: timedelta) -> list[int]:
        done = make_due(paid, KEY, lambda: LATER + after, entries, timedelta(minutes=1))
        return [each.checkpoint.shard for each in done.checkpoints]

    assert [] == made(1000, timedelta(seconds=59))
    assert [1] == made(5, timedelta(seconds=59))
    assert [] == made(1, timedelta(days=1))


def test_a_waiting_entry_is_signed_after_the_interval(paid: Engine) -> None:
    done = make_due(paid, KEY, lambda: LATER + timedelta(minutes=1), 1000, timedelta(minutes=1))
    assert [1] == [each.checkpoint.shard for each in done.checkpoints]


def test_makers_at_once_make_one_checkpoint(paid: Engine) -> None:
    """Of four at the same moment one writes; the tables hold one row of that size and the outbox one message."""
    together = threading.Barrier(4)

    def maker() -> Made:
        asked = count()

        def now() -> datetime:
            if next(asked) == 0:
                together.wait(timeout=30)  # all have read how far the log is signed, and none has signed yet
            return LATER

        return make_due(paid, KEY, now, 1, timedelta(0))

    with ThreadPoolExecutor(4) as threads:
        done = [each.result() for each in [threads.submit(maker) for _ in range(4)]]
    assert 1 == sum(len(each.checkpoints) for each in done)
    assert [] == [found for each in done for found in each.refused]
    assert [] == verify(paid).findings


def test_a_new_key_goes_on_where_the_old_one_stopped(paid: Engine) -> None:
    """Both public keys together verify the whole log; one alone names what the other has signed."""
    assert [1] == [each.checkpoint.shard for each in sign(paid, OTHER_KEY).checkpoints]
    assert [] == verify(paid, KEY, OTHER_KEY).findings
    assert {Fault.WRONG_KEY} == {each.fault for each in verify(paid, KEY).findings}
    assert [(1, Fault.WRONG_KEY)] == [(each.shard, each.fault) for each in verify(paid, KEY).findings]


@pytest.mark.parametrize("key", [KEY, OTHER_KEY], ids=["same key", "new key"])
def test_what_does_not_hold_together_is_not_signed(paid: Engine, key: SigningKey) -> None:
    """A maker that finds a new entry edited, or the last ones cut, makes no checkpoint and names the entry."""
    size = newest(paid).checkpoint.size
    changed(paid, f"UPDATE audit_entries SET value = value || ' ' WHERE shard = 1 AND seq = {size + 2}")
    assert ([], [(1, size + 2, Fault.EDITED)]) == (
        sign(paid, key).checkpoints,
        [e[:3] for e in sign(paid, key).refused],
    )


def test_a_cut_end_is_not_signed(paid: Engine) -> None:
    size = newest(paid).checkpoint.size
    changed(paid, f"DELETE FROM audit_entries WHERE shard = 1 AND seq > {size + 2}")
    assert [(1, size + 3, Fault.TRUNCATED)] == [each[:3] for each in sign(paid).refused]


def test_a_forged_frontier_is_not_gone_on_from(paid: Engine) -> None:
    """Its root is not the signed one: the maker reads the log from the first entry."""
    changed(paid, "UPDATE checkpoints SET frontier = sha256('x') || substring(frontier from 33)")
    assert [] == sign(paid).refused
    assert [] == verify(paid).findings


@pytest.mark.parametrize("column", ["audit_hash = repeat('a', 64)", "audit_seq = audit_seq + 1"])
def test_an_end_that_the_shard_itself_does_not_know_is_found_and_not_signed(paid: Engine, column: str) -> None:
    """The number and the hash in the shard's own row are those of the last entry."""
    changed(paid, f"UPDATE shards SET {column} WHERE shard = 1")
    assert [1] == [each.shard for each in verify(paid).findings]
    assert ([], [1]) == ((done := sign(paid)).checkpoints, [each.shard for each in done.refused])


def test_two_checkpoints_of_one_size_both_count(paid: Engine) -> None:
    """One kept elsewhere beside the ledger's own: both hold, or the one that does not is named."""
    mine = newest(paid).checkpoint
    theirs = OTHER_KEY.sign(mine)
    forged = OTHER_KEY.sign(replace(mine, root=b"\x00" * 32))
    assert [] == verify(paid, KEY, OTHER_KEY, kept=[theirs]).findings
    assert [(1, Fault.CHECKPOINT_MISMATCH)] == [
        (each.shard, each.fault) for each in verify(paid, KEY, OTHER_KEY, kept=[forged]).findings
    ]


def test_a_checkpoint_that_was_given_another_size_is_found(paid: Engine) -> None:
    """Its row no longer says what its note says."""
    size = newest(paid).checkpoint.size
    changed(paid, "UPDATE checkpoints SET size = size + 1 WHERE shard = 1")
    assert [(1, size + 1, Fault.CHECKPOINT_MISMATCH)] == faults(verify(paid))


# Changes behind the program's back ------------------------------------------------------------------------

RETYPED = """convert_to(replace(convert_from(value, 'UTF8'), ':"1"', ':"2"'), 'UTF8')"""
TOLD_HASH = "(convert_from(value, 'UTF8')::jsonb ->> 'hash')"
EDIT = "UPDATE audit_entries SET {} WHERE shard = 1 AND seq = 3"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            EDIT.format(f"value = {RETYPED}"),
            (1, 3, Fault.EDITED),
        ),
        (EDIT.format("actor = 'somebody else'"), (1, 3, Fault.EDITED)),
        (EDIT.format("hash = repeat('a', 64)"), (1, 3, Fault.EDITED)),
        ("DELETE FROM audit_entries WHERE shard = 1 AND seq = 3", (1, 3, Fault.MISSING)),
        ("DELETE FROM audit_entries WHERE shard = 1", (1, 1, Fault.TRUNCATED)),
        ("DELETE FROM audit_entries WHERE shard = 1 AND seq > 10", (1, 11, Fault.TRUNCATED)),
        (
            "INSERT INTO audit_entries SELECT 2, seq, event_no, kind, actor, prev_hash, hash, value "
            "FROM audit_entries WHERE shard = 1",
            (2, 1, Fault.CHAIN_SWAPPED),
        ),
        ("UPDATE checkpoints SET root = repeat('a', 64) WHERE shard = 1", None),
        ("UPDATE checkpoints SET note = replace(note, '/shard/1', '/shard/2') WHERE shard = 1", None),
        ("UPDATE checkpoints SET note = replace(note, 'time 2025', 'time 2024') WHERE shard = 1", "wrong key"),
    ],
)
def test_a_change_of_the_log_is_found(paid: Engine, statement: str, found: Any) -> None:
    """The entry that it begins with is named; a changed checkpoint too."""
    changed(paid, statement)
    size = newest(paid).checkpoint.size if "DELETE" not in statement else 0
    if found is None:
        found = (1, size, Fault.CHECKPOINT_MISMATCH)
    elif found == "wrong key":
        found = (1, size, Fault.WRONG_KEY)
    assert found in faults(verify(paid))


def test_hashes_that_an_earlier_release_kept_beside_its_entries_agree_with_them(paid: Engine) -> None:
    """Both are looked at where they are there; since schema 0028 they are in the entries alone."""
    prev = "convert_from(value, 'UTF8')::jsonb ->> 'prev_hash'"
    changed(paid, f"UPDATE audit_entries SET hash = {TOLD_HASH}, prev_hash = {prev} WHERE seq < 5")
    assert [] == verify(paid).findings
    changed(paid, EDIT.format("prev_hash = repeat('a', 64)"))
    assert [(1, 3, Fault.EDITED)] == faults(verify(paid))


def test_a_log_that_was_written_anew_is_found(paid: Engine) -> None:
    """Who computes all hashes again, from an entry that he changed to the end, meets the signed root."""
    with paid.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        entry, end = tables.audit_entries, NO_HASH
        for row in connection.execute(select(entry).where(entry.c.shard == 1).order_by(entry.c.seq)).all():
            fields = json.loads(row.value) | {"prev_hash": end}
            fields["actor"] = "somebody else" if row.seq == 3 else fields["actor"]
            del fields["hash"]
            before, end = end, sha256_hex(canonical_json(fields))
            columns = {"actor": fields["actor"], "prev_hash": before, "hash": end}
            columns["value"] = canonical_json(fields | {"hash": end})
            connection.execute(entry.update().where(entry.c.shard == 1, entry.c.seq == row.seq).values(columns))
        connection.execute(tables.shards.update().where(tables.shards.c.shard == 1).values(audit_hash=end))
    assert [(1, 1, Fault.CHECKPOINT_MISMATCH)] == faults(verify(paid))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET value = replace(value::text, '33', '34')::bytea WHERE claim_id = 'E2'",
        "DELETE FROM decisions WHERE claim_id = 'E2'",
        "UPDATE instructions SET value = convert_to(replace(convert_from(value, 'UTF8'), '\"300.', '\"900.'), 'UTF8') "
        "WHERE claim_id = 'E0'",
        "UPDATE instructions SET amount = amount + 100, balance_after = balance_after + 100 WHERE claim_id = 'E2'",
        "UPDATE instructions SET person_id = 'P-mine' WHERE claim_id = 'E2'",
        "DELETE FROM instructions WHERE claim_id = 'E2'",
        "UPDATE events SET value = value || ' ' WHERE event_no = 5",
        "DELETE FROM events WHERE event_no = 5",
    ],
)
def test_a_change_of_what_was_recorded_is_found(paid: Engine, statement: str) -> None:
    """The log is whole, but the row that an entry has hashed is another one now, or gone."""
    changed(paid, statement)
    verified = verify(paid)
    assert [(1, Fault.CONTENT_CHANGED)] == [(each.shard, each.fault) for each in verified.findings]


def test_a_payment_that_was_made_a_recovery_is_found(ledger: Engine) -> None:
    """The columns that payouts go by are the published ones, also where the balances were changed with them."""
    owed = OwedPerson(ledger)
    owed.correct(4000, 2)
    sign(ledger)
    assert [] == verify(ledger).findings
    changed(
        ledger,
        "UPDATE instructions SET balance_before = balance_after + amount, kind = 'recovery' WHERE revision = 2",
    )
    assert [Fault.CONTENT_CHANGED] == [each.fault for each in verify(ledger).findings]


def test_a_changed_policy_is_found(paid: Engine) -> None:
    """The text that is decided by must be the one that was published."""
    changed(paid, "UPDATE policies SET source_text = replace(source_text, '0.30', '0.90')")
    assert [(0, 1, Fault.CONTENT_CHANGED)] == faults(verify(paid))


def test_a_changed_treaty_or_payer_is_found(paid: Engine) -> None:
    """The text that says who pays, and who pays an instruction by its columns, must be what was recorded."""
    publish_treaty_text(paid, treaty_text(), "li.na", SHARDS, ticking())
    assert [] == verify(paid).findings
    changed(paid, "UPDATE treaties SET source_text = replace(source_text, 'insurer-a', 'insurer-b')")
    assert [Fault.CONTENT_CHANGED] == [each.fault for each in verify(paid).findings]
    changed(paid, "UPDATE treaties SET source_text = replace(source_text, 'insurer-b', 'insurer-a')")
    changed(paid, "UPDATE instructions SET payer = 'insurer-a', treaty_id = 't1'")
    assert {Fault.CONTENT_CHANGED} == {each.fault for each in verify(paid).findings}


def test_a_treaty_that_nobody_published_is_found(paid: Engine) -> None:
    """A row that was written past the program would say who pays, and has no entry."""
    publish_treaty_text(paid, treaty_text(), "li.na", SHARDS, ticking())
    changed(
        paid,
        "INSERT INTO treaties SELECT 'another', 't9', 'insurer-b', '2030-01-01', NULL, schemes, source_text, event_no, "
        "operator, published_at FROM treaties",
    )
    assert [Fault.NOT_AUDITED] == [each.fault for each in verify(paid).findings]


def test_a_changed_statement_is_found(paid: Engine) -> None:
    """What an insurer was told it bears must be what was issued; so is one that nobody issued, and one that is gone."""
    publish_treaty_text(paid, treaty_text(), "li.na", SHARDS, ticking())
    with paid.begin() as connection:
        april = datetime(2025, 4, 1, tzinfo=SHANGHAI)
        issue_statements(connection, "t1", date(2025, 3, 1), "li.na", SHARDS, lambda: april)
    assert [] == verify(paid).findings
    changed(paid, "UPDATE statements SET value = value || ' '")
    assert [Fault.CONTENT_CHANGED] == [each.fault for each in verify(paid).findings]
    changed(paid, "UPDATE statements SET value = substr(value, 1, octet_length(value) - 1)")
    assert [] == verify(paid).findings
    changed(
        paid,
        "INSERT INTO statements SELECT 'ST-9', treaty_id, '2025-04-01', insurer, 2, value, event_no FROM statements",
    )
    assert [Fault.NOT_AUDITED] == [each.fault for each in verify(paid).findings]
    changed(paid, "DELETE FROM statements")
    assert [Fault.CONTENT_CHANGED] == [each.fault for each in verify(paid).findings]


def test_an_unsigned_entry_that_was_written_anew_without_its_subject_is_found(paid: Engine) -> None:
    """Nonsense under right hashes at the very end, where the chain alone guards, is a fault and no failure."""
    entry = tables.audit_entries
    with paid.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        decided = (entry.c.shard == 1, entry.c.kind == "payout.instructed")
        last = connection.execute(select(entry).where(*decided).order_by(entry.c.seq.desc()).limit(1)).one()
        connection.execute(entry.delete().where(entry.c.shard == 1, entry.c.seq > last.seq))
        fields = json.loads(last.value) | {"subject": {}}
        del fields["hash"]
        digest = sha256_hex(canonical_json(fields))
        columns = {"hash": digest, "value": canonical_json(fields | {"hash": digest})}
        connection.execute(entry.update().where(entry.c.shard == 1, entry.c.seq == last.seq).values(columns))
        ends = {"audit_seq": last.seq, "audit_hash": digest}
        connection.execute(tables.shards.update().where(tables.shards.c.shard == 1).values(ends))
    assert (1, last.seq, Fault.CONTENT_CHANGED) in faults(verify(paid))


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (
            "INSERT INTO decisions SELECT claim_id, 99, event_no, value FROM decisions WHERE claim_id = 'E1' LIMIT 1",
            "decision",
        ),
        (
            "INSERT INTO instructions SELECT 'PO-mine', claim_id, 'mine', 1, kind, amount, 0, amount, 'P-mine', "
            "event_no, value FROM instructions WHERE claim_id = 'E1' LIMIT 1",
            "PO-mine",
        ),
        (
            "INSERT INTO events SELECT 4711, shard, topic, partition, 99, key, value, recorded_at, disposition "
            "FROM events WHERE event_no = 5",
            "4711",
        ),
    ],
)
def test_a_row_that_no_entry_accounts_for_is_found(paid: Engine, statement: str, name: str) -> None:
    changed(paid, statement)
    verified = verify(paid)
    assert [Fault.NOT_AUDITED] == [each.fault for each in verified.findings]
    assert name in verified.findings[0].saying.en


def test_a_cut_end_is_found_only_against_a_checkpoint_that_was_kept_elsewhere(paid: Engine) -> None:
    """Who can change the whole database can take the newest entries away with all that speaks of them."""
    before = newest(paid)
    sign(paid, at=LATER + timedelta(minutes=1))
    kept = newest(paid)
    size, end = before.checkpoint.size, kept.checkpoint.size
    doomed = f"SELECT event_no FROM audit_entries WHERE shard = 1 AND seq > {size}"
    changed(
        paid,
        f"DELETE FROM checkpoints WHERE shard = 1 AND size = {end}",
        f"DELETE FROM decisions WHERE event_no IN ({doomed})",
        f"DELETE FROM instructions WHERE event_no IN ({doomed})",
        "DELETE FROM benefits WHERE released > 0 AND claim_id NOT IN (SELECT claim_id FROM instructions)",
        f"DELETE FROM postings WHERE event_no IN ({doomed})",
        f"DELETE FROM events WHERE event_no IN ({doomed})",
        f"DELETE FROM audit_entries WHERE shard = 1 AND seq > {size}",
        f"UPDATE shards SET audit_seq = {size}, audit_hash = (SELECT {TOLD_HASH} FROM audit_entries "
        f"WHERE shard = 1 AND seq = {size}) WHERE shard = 1",
    )
    assert [] == verify(paid).findings
    assert [(1, size + 1, Fault.TRUNCATED)] == faults(verify(paid, kept=[kept]))


# Export ---------------------------------------------------------------------------------------------------


def act_of_export(ledger: Engine) -> Row[Any]:
    """The audit entry of the only export."""
    entry = tables.audit_entries
    with ledger.connect() as connection:
        return connection.execute(select(entry).where(entry.c.kind == "data.exported")).one()


def test_an_export_is_verified_offline_and_is_itself_in_the_log(paid: Engine, tmp_path: Path) -> None:
    """The act says who, what, how many rows and which hash; replaying the ledger gives the same bytes still (law 7)."""
    file = tmp_path / "audit.jsonl"
    done = export_audit_log(paid, file, "wang.wei", lambda: LATER)
    data = file.read_bytes()
    assert hashlib.sha256(data).hexdigest() == done.sha256
    assert len(data.splitlines()) == done.rows
    trust = Trust([KEY.verifier])
    for each in parse_notes(checkpoints_beside(file).read_text("utf-8")):
        trust.add(each)
    assert [] == verify_values(data.splitlines(keepends=True), trust).findings
    entry = act_of_export(paid)
    subject = json.loads(entry.value)["subject"]
    assert {"what": "audit log", "rows": str(done.rows), "sha256": done.sha256} == subject
    assert "operator:wang.wei" == entry.actor
    assert ["audit.jsonl", "audit.jsonl.checkpoints"] == sorted(each.name for each in tmp_path.iterdir())
    assert [] == verify(paid).findings
    expected, actual = recorded(paid), replayed(paid)  # but for numbers of the outbox, of which checkpoints take some
    assert (expected.dispositions, expected.audit) == (actual.dispositions, actual.audit)
    assert (expected.decisions, expected.instructions) == (actual.decisions, actual.instructions)


def test_one_shard_alone_can_be_exported(paid: Engine, tmp_path: Path) -> None:
    """The filter stands in the log; the file holds that shard and its checkpoints."""
    file = tmp_path / "audit.jsonl"
    done = export_audit_log(paid, file, "wang.wei", lambda: LATER, shard=0)
    assert (1, 1) == (done.rows, done.checkpoints)
    entry = act_of_export(paid)
    assert "0" == json.loads(entry.value)["subject"]["filter.shard"]


def test_an_export_that_cannot_be_recorded_leaves_no_file(paid: Engine, tmp_path: Path) -> None:
    """Nothing is handed over that the log does not know of."""

    def broken() -> datetime:
        raise RuntimeError("the clock is gone")

    with pytest.raises(RuntimeError):
        export_audit_log(paid, tmp_path / "audit.jsonl", "wang.wei", broken)
    assert [] == list(tmp_path.iterdir())


# Proofs ---------------------------------------------------------------------------------------------------


def script() -> Any:
    """docs/examples/verify_proof.py as a module."""
    spec = importlib.util.spec_from_file_location("verify_proof", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_signed_payout_can_be_proven(paid: Engine) -> None:
    """By the script that shares no code; each proof names the payout, the amount and the time of signing."""
    checker = script()
    keys = [checker.read_key(str(KEY.verifier))]
    sign(paid)
    for payout in payouts(paid):
        said = checker.verify(json.loads(json.dumps(prove(paid, payout))), keys)
        assert payout in said
        assert "2025-03-01T12:05:00.250000+08:00" in said


def test_a_payout_that_no_checkpoint_covers_cannot_be_proven_yet(paid: Engine) -> None:
    with pytest.raises(NotProvable, match="no checkpoint covers"):
        prove(paid, payouts(paid)[-1])
    with pytest.raises(NotProvable, match="no payout"):
        prove(paid, "PO-unknown")


def test_a_proof_leads_to_the_checkpoint_that_was_kept(paid: Engine) -> None:
    """One that covers the payout is used itself; from an older one the log is shown to go on."""
    checker = script()
    keys, kept = [checker.read_key(str(KEY.verifier))], newest(paid)
    sign(paid, at=LATER + timedelta(minutes=1))
    old, new = prove(paid, payouts(paid)[0], kept), prove(paid, payouts(paid)[-1], kept)
    assert kept.note == old["checkpoint"]
    assert "consistency" not in old
    assert newest(paid).note == new["checkpoint"]
    for proof in (old, new):
        assert "已证明" in checker.verify(proof, keys, kept.note)
    forged = KEY.sign(kept.checkpoint.__class__(KEY.verifier.name, 1, kept.checkpoint.size, b"\x00" * 32, LATER))
    for proof in (old, new):
        with pytest.raises(checker.NotProven):
            checker.verify(proof, keys, forged.note)


def test_a_checkpoint_that_ends_with_the_payout_covers_it(paid: Engine) -> None:
    """The kept one is used, though a newer one is there."""
    kept = newest(paid)
    sign(paid, at=LATER + timedelta(minutes=1))
    proofs = [prove(paid, payout, kept) for payout in payouts(paid)]
    (last,) = [proof for proof in proofs if proof["index"] + 1 == kept.checkpoint.size]
    assert (kept.note, False) == (last["checkpoint"], "consistency" in last)


def test_no_proof_is_written_that_would_not_hold(paid: Engine) -> None:
    """An entry that was changed below the payout is noticed when the proof is made."""
    changed(paid, EDIT.format("value = value || ' '"))
    with pytest.raises(NotProvable, match="does not lead to the checkpoint"):
        prove(paid, payouts(paid)[0])


Spoil = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda proof: proof.update(entry=proof["entry"].replace("huzhu", "hozhu")),
        lambda proof: proof.update(content=proof["content"].replace("payment", "recover")),
        lambda proof: proof.update(index=proof["index"] + 1),
        lambda proof: proof.update(size=proof["size"] + 1),
        lambda proof: proof.update(path=proof["path"][1:]),
        lambda proof: proof.update(path=["00" * 32, *proof["path"][1:]]),
        lambda proof: proof.update(payout_id="PO-another"),
        lambda proof: proof.update(checkpoint=proof["checkpoint"].replace("/shard/1", "/shard/2")),
        lambda proof: proof.update(checkpoint=proof["checkpoint"].replace("time 2025", "time 2024")),
        lambda proof: proof.update(format="another"),
    ],
)
def test_a_spoiled_proof_does_not_prove(paid: Engine, spoil: Spoil) -> None:
    checker = script()
    proof = prove(paid, payouts(paid)[0])
    spoil(proof)
    with pytest.raises(checker.NotProven):
        checker.verify(proof, [checker.read_key(str(KEY.verifier))])


def test_a_proof_under_another_key_does_not_prove(paid: Engine) -> None:
    checker = script()
    with pytest.raises(checker.NotProven):
        checker.verify(prove(paid, payouts(paid)[0]), [checker.read_key(str(OTHER_KEY.verifier))])
