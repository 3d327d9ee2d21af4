"""Archives of a real ledger: what is in them, how they go on, what is refused, and what is found when they change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from typer.testing import CliRunner

from acts.archive_ledger import DoesNotHoldTogether, NotArchived, archive_ledger
from acts.make_checkpoints import make_due
from acts.verify_archive import VerifiedArchives, verify_archives
from acts.verify_audit_log import Trust, Verified, verify_ledger
from cli.main import huzhu
from handlers.audit.log_check import Fault
from infra.files.archive_files import entry_lines, event_lines
from infra.keys.audit_signing import SigningKey, make_key
from infra.ledger import tables
from infra.ledger.roles import LedgerRole
from schemas.archive_manifest import MANIFEST, SIGNATURE, ArchiveManifest, parse_manifest
from schemas.canonical import sha256_hex
from schemas.outbound import FOLLOWING
from tests.support.acts import publish
from tests.support.acts import replay as send_again
from tests.support.builders import POLICY, SHARDS, bill, coverage, delivery, discharge
from tests.support.ledger_roles import Roles
from tests.support.ledgers import for_person, give, held, in_order, person_of_shard
from tests.support.replayed import recorded, replayed

KEY = SigningKey("wuxi.example/huzhu", b"\x01" * 32)
OTHER_KEY = SigningKey("wuxi.example/huzhu", b"\x02" * 32)
LAST_OF_FEBRUARY = datetime(2025, 2, 28, 15, 59, 59, tzinfo=UTC)
"""A second before March begins in Shanghai."""
MARCH_BEGINS = LAST_OF_FEBRUARY + timedelta(seconds=1)
MARCH, APRIL = date(2025, 3, 1), date(2025, 4, 1)
IN_APRIL = datetime(2025, 4, 5, 4, tzinfo=UTC)


def nothing(_: int) -> None:
    """Nobody is told of progress."""


def sign(ledger: Engine, at: datetime, key: SigningKey = KEY) -> None:
    make_due(ledger, key, lambda: at, 1, timedelta(0))


def archive(ledger: Engine, root: Path, before: date = MARCH, *, at: datetime = IN_APRIL) -> ArchiveManifest | None:
    return archive_ledger(ledger, root, before, KEY, Trust([KEY.verifier]), "wang.wei", lambda: at)


def archives(root: Path, *keys: SigningKey) -> VerifiedArchives:
    trust = Trust(key.verifier for key in keys or (KEY,))
    verified = verify_archives(root, trust, nothing)
    verified.findings += trust.findings
    return verified


def beside(root: Path, ledger: Engine) -> Verified:
    """The ledger, held to its archives."""
    trust = Trust([KEY.verifier])
    archived = verify_archives(root, trust, nothing)
    verified = verify_ledger(ledger, trust, nothing)
    verified.findings = [*archived.findings, *verified.findings]
    return verified


def faults(verified: Verified | VerifiedArchives) -> list[tuple[int | None, int | None, Fault]]:
    return [each[:3] for each in verified.findings]


def changed(ledger: Engine, *statements: str) -> None:
    """Does what only who owns the database can: changes rows with the triggers out of the way."""
    with ledger.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for each in statements:
            assert connection.execute(text(each)).rowcount, "a change that changes nothing proves nothing"


def rows(ledger: Engine, table: Any) -> list[Any]:
    with ledger.connect() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)).all())


def stays(first: int, many: int) -> Iterable[Any]:
    person = person_of_shard(1)
    for number in range(first, first + many):
        events = (coverage(f"C{number}"), discharge(f"E{number}"), bill(f"S{number}", f"E{number}", 3000 + number))
        yield from for_person(person, *events)


@pytest.fixture
def two_months(ledger: Engine) -> Engine:
    """A ledger with stays of February in shard 1, signed, and with stays and a refused event of March, signed."""
    held(ledger)
    publish(ledger, POLICY + '[checks]\noverlapping_stays = "off"\n', "li.na", SHARDS, lambda: LAST_OF_FEBRUARY)
    messages = in_order([*stays(0, 3), *stays(3, 2)])
    refused = delivery(for_person(person_of_shard(1), coverage("C9"))[0] | {"valid_from": "never"})
    last = max(each.offset for each in messages if each[:2] == refused[:2])
    refused = refused._replace(offset=last + 1)
    cut = {each[:3] for each in messages[:9]}
    give(ledger, messages[:9], lambda: LAST_OF_FEBRUARY)
    sign(ledger, LAST_OF_FEBRUARY)
    give(ledger, [each for each in messages if each[:3] not in cut] + [refused], lambda: MARCH_BEGINS)
    sign(ledger, MARCH_BEGINS)
    return ledger


def size_of(ledger: Engine, place: int, shard: int = 1) -> int:
    """How many entries the shard's first (0) or last (-1) checkpoint covers."""
    return int([row.size for row in rows(ledger, tables.checkpoints) if row.shard == shard][place])


def test_an_archive_holds_what_was_recorded_before_the_month(two_months: Engine, tmp_path: Path) -> None:
    """Entries and events up to the last checkpoint before the month, with the bytes that the ledger has."""
    made = archive(two_months, tmp_path)
    assert made is not None
    assert ["2025-03"] == [each.name for each in tmp_path.iterdir()]
    shard = next(each for each in made.shards if each.shard == 1)
    assert (1, size_of(two_months, 0)) == (shard.first, shard.last) < (1, size_of(two_months, -1))
    entries = [row for row in rows(two_months, tables.audit_entries) if row.shard == 1 and row.seq <= shard.last]
    kept = list(entry_lines(shard.files_in(tmp_path / "2025-03")[0]))
    assert [(row.seq, row.event_no, bytes(row.value)) for row in entries] == [tuple(each) for each in kept]
    own = {row.event_no: row.seq for row in entries if row.kind not in FOLLOWING}
    events = [row for row in rows(two_months, tables.events) if row.event_no in own]
    assert 9 == len(events)
    columns = ("topic", "partition", "offset", "key", "value", "recorded_at", "disposition")
    wanted = [(own[row.event_no], row.event_no, *(getattr(row, name) for name in columns)) for row in events]
    assert wanted == [tuple(each) for each in event_lines(shard.files_in(tmp_path / "2025-03")[1])]


def test_an_archive_and_its_ledger_are_verified_together(two_months: Engine, tmp_path: Path) -> None:
    """Nothing was taken out of the ledger; the act says who, what and which manifest, and is replayed (law 7)."""
    before = len(rows(two_months, tables.events))
    made = archive(two_months, tmp_path)
    assert made is not None
    assert [] == archives(tmp_path).findings == beside(tmp_path, two_months).findings
    assert before + 1 == len(rows(two_months, tables.events))
    act = next(row for row in rows(two_months, tables.audit_entries) if row.kind == "data.exported")
    manifest = (tmp_path / "2025-03" / MANIFEST).read_bytes()
    said = {
        "what": "archive",
        "filter.before": "2025-03",
        "rows": str(made.entry_count),
        "sha256": sha256_hex(manifest),
    }
    assert (said, "operator:wang.wei") == (json.loads(act.value)["subject"], act.actor)
    expected, actual = recorded(two_months), replayed(two_months)
    assert (expected.dispositions, expected.audit) == (actual.dispositions, actual.audit)


def test_the_next_archive_goes_on_where_the_last_one_ends(two_months: Engine, tmp_path: Path) -> None:
    """Each entry is in one archive, and all archives together are one chain from the first entry."""
    first = archive(two_months, tmp_path)
    second = archive(two_months, tmp_path, APRIL)
    assert first is not None
    assert second is not None
    ends = {each.shard: each.last for each in first.shards}
    assert {each.shard: each.first for each in second.shards} == {
        each.shard: ends.get(each.shard, 0) + 1 for each in second.shards
    }
    verified = archives(tmp_path)
    assert [] == verified.findings == beside(tmp_path, two_months).findings
    assert (
        {row.shard: row.size for row in rows(two_months, tables.checkpoints)}
        == dict(verified.proved)
        == dict(verified.entries)
    )


def test_a_replayed_event_is_archived_with_its_act(two_months: Engine, tmp_path: Path) -> None:
    """Its entry has hashed what was sent again, which is inside the act's bytes."""
    with two_months.connect() as connection:
        number = connection.scalar(select(tables.refusals.c.event_no))
    send_again(two_months, [number], "li.na", "corrected", SHARDS, lambda: MARCH_BEGINS)
    sign(two_months, MARCH_BEGINS)
    made = archive(two_months, tmp_path, APRIL)
    assert made is not None
    shard = next(each for each in made.shards if each.shard == 1)
    assert "replay" in {each.disposition for each in event_lines(shard.files_in(tmp_path / "2025-04")[1])}
    assert [] == archives(tmp_path).findings


def test_what_is_archived_already_is_not_archived_again(two_months: Engine, tmp_path: Path) -> None:
    """The same month, or an earlier one, is refused with a sentence."""
    archive(two_months, tmp_path, APRIL)
    for month in (APRIL, MARCH):
        with pytest.raises(NotArchived, match="an archive up to 2025-04 already"):
            archive(two_months, tmp_path, month)


def test_a_month_that_has_not_begun_is_no_bound(two_months: Engine, tmp_path: Path) -> None:
    """In Shanghai: a second before April begins there it has not."""
    nearly = datetime(2025, 3, 31, 15, 59, 59, tzinfo=UTC)
    with pytest.raises(NotArchived, match="2025-04 has not begun"):
        archive(two_months, tmp_path, APRIL, at=nearly)
    assert archive(two_months, tmp_path, APRIL, at=nearly + timedelta(seconds=1)) is not None


def test_nothing_to_archive_makes_no_archive(two_months: Engine, tmp_path: Path) -> None:
    """Nothing was recorded before February, so there is neither a folder nor an act."""
    assert archive(two_months, tmp_path, date(2025, 2, 1)) is None
    assert [] == list(tmp_path.iterdir())
    assert [] == [row for row in rows(two_months, tables.audit_entries) if row.kind == "data.exported"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE audit_entries SET value = value || ' ' WHERE shard = 1 AND seq = 3", (1, 3, Fault.EDITED)),
        ("DELETE FROM audit_entries WHERE shard = 1 AND seq = 3", (1, 3, Fault.MISSING)),
        (
            "UPDATE events SET value = value || ' ' WHERE event_no = "
            "(SELECT event_no FROM audit_entries WHERE shard = 1 AND seq = 1)",
            (1, 1, Fault.ARCHIVE_CHANGED),
        ),
        (
            "DELETE FROM events WHERE event_no = (SELECT event_no FROM audit_entries WHERE shard = 1 AND seq = 1)",
            (1, 1, Fault.ARCHIVE_CHANGED),
        ),
        (
            "UPDATE checkpoints SET frontier = set_byte(frontier, 0, 255 - get_byte(frontier, 0)) WHERE shard = 1",
            (1, None, Fault.ARCHIVE_CHANGED),
        ),
        (
            "UPDATE checkpoints SET note = replace(note, '/shard/1', '/shard/2') WHERE shard = 1",
            (2, 0, Fault.WRONG_KEY),
        ),
    ],
)
def test_what_does_not_hold_together_is_not_archived(
    change: str, fault: tuple[int, int | None, Fault], two_months: Engine, tmp_path: Path
) -> None:
    """What was written is read back as a verifier does, and thrown away; the first fault is named."""
    changed(two_months, change)
    with pytest.raises(DoesNotHoldTogether) as raised:
        archive(two_months, tmp_path)
    shard, seq, kind = fault
    assert (shard, seq or raised.value.findings[0].seq, kind) == raised.value.findings[0][:3]
    assert [] == list(tmp_path.iterdir())


def test_what_others_signed_is_not_archived(two_months: Engine, tmp_path: Path) -> None:
    """A checkpoint of a key that is not given proves nothing."""
    with pytest.raises(DoesNotHoldTogether) as raised:
        archive_ledger(
            two_months, tmp_path, MARCH, OTHER_KEY, Trust([OTHER_KEY.verifier]), "wang.wei", lambda: IN_APRIL
        )
    assert Fault.WRONG_KEY == raised.value.findings[0].fault
    assert [] == list(tmp_path.iterdir())


def test_an_archive_that_cannot_be_recorded_is_none(two_months: Engine, tmp_path: Path) -> None:
    """Nothing is handed over that the log does not know of."""
    times = iter([IN_APRIL, IN_APRIL])
    with pytest.raises(RuntimeError):
        archive_ledger(two_months, tmp_path, MARCH, KEY, Trust([KEY.verifier]), "wang.wei", lambda: next(times))
    assert [] == list(tmp_path.iterdir())


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def sign_again(folder: Path, key: SigningKey, **of_shard: str) -> None:
    """Changes what a manifest says of its last shard, as somebody with a key can."""
    fields = json.loads((folder / MANIFEST).read_bytes())
    fields["shards"][-1] |= of_shard
    data = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert data == parse_manifest(data).text
    (folder / MANIFEST).write_bytes(data)
    (folder / SIGNATURE).write_text(key.signature_of(data).line, "utf-8")


@pytest.mark.parametrize("file", ["audit-0001.parquet", "events-0001.parquet"])
def test_a_changed_file_is_found(file: str, two_months: Engine, tmp_path: Path) -> None:
    """Each file has to be the one whose hash was signed, or to be there at all."""
    archive(two_months, tmp_path)
    path = tmp_path / "2025-03" / file
    flip(path)
    assert [(1, None, Fault.ARCHIVE_CHANGED)] == faults(archives(tmp_path))
    path.unlink()
    assert [(1, None, Fault.ARCHIVE_CHANGED)] == faults(archives(tmp_path))


def test_a_changed_manifest_is_found(two_months: Engine, tmp_path: Path) -> None:
    """It is signed as a whole."""
    archive(two_months, tmp_path)
    sign_again(tmp_path / "2025-03", OTHER_KEY)
    assert [(None, None, Fault.WRONG_KEY)] == faults(archives(tmp_path))
    assert [] == archives(tmp_path, KEY, OTHER_KEY).findings
    flip(tmp_path / "2025-03" / MANIFEST)
    assert [(None, None, Fault.WRONG_KEY)] == faults(archives(tmp_path, KEY, OTHER_KEY))


def test_an_archive_that_is_missing_is_noticed(two_months: Engine, tmp_path: Path) -> None:
    """The next one does not begin with the first entry."""
    archive(two_months, tmp_path)
    archive(two_months, tmp_path, APRIL)
    for each in (tmp_path / "2025-03").iterdir():
        each.unlink()
    (tmp_path / "2025-03").rmdir()
    assert (1, 1, Fault.MISSING) in faults(archives(tmp_path))


def test_a_manifest_that_says_another_end_is_found(two_months: Engine, tmp_path: Path) -> None:
    """Where the log goes on is compared with what the entries lead to, even if the key has signed it."""
    archive(two_months, tmp_path)
    for name in ("last_hash", "frontier"):
        sign_again(tmp_path / "2025-03", KEY, **{name: "0" * 64})
        assert (1, None, Fault.ARCHIVE_CHANGED) in faults(archives(tmp_path))


def test_a_ledger_that_has_lost_what_was_archived_is_found(two_months: Engine, tmp_path: Path) -> None:
    """Cut off with everything that mentions it the ledger holds together; only the archive shows what was there."""
    archive(two_months, tmp_path)
    changed(
        two_months,
        "DELETE FROM audit_entries WHERE shard = 1 AND seq > 3",
        "DELETE FROM checkpoints WHERE shard = 1",
        "UPDATE shards SET audit_seq = 3, audit_hash = (SELECT convert_from(value, 'UTF8')::jsonb ->> 'hash' "
        "FROM audit_entries WHERE audit_entries.shard = 1 AND seq = 3) WHERE shard = 1",
    )
    assert (1, 4, Fault.TRUNCATED) in faults(beside(tmp_path, two_months))


def test_the_rights_of_the_roles_are_enough(two_months: Engine, tmp_path: Path) -> None:
    """An operator archives, and an auditor verifies archive and ledger, each under its own role in PostgreSQL."""
    with Roles(two_months) as roles:
        assert archive(roles(LedgerRole.OPERATOR), tmp_path) is not None
        assert [] == beside(tmp_path, roles(LedgerRole.AUDITOR)).findings


# The commands ---------------------------------------------------------------------------------------------


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(huzhu(words[0]), list(words))
    return done.exit_code, done.output


@pytest.fixture
def key_file(tmp_path: Path, ledger: Engine, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A signed ledger of February, as the commands find it."""
    file = tmp_path / "audit.key"
    make_key("wuxi.example/huzhu", file)
    monkeypatch.setenv("HUZHU_DATABASE_URL", ledger_url)
    monkeypatch.setenv("HUZHU_AUDIT_KEY_FILE", str(file))
    held(ledger)
    publish(ledger, POLICY, "li.na", SHARDS, lambda: LAST_OF_FEBRUARY)
    give(ledger, in_order(list(stays(0, 1))), lambda: LAST_OF_FEBRUARY)
    sign(ledger, LAST_OF_FEBRUARY, SigningKey.read(file))
    return file


def test_a_month_is_archived_and_verified_by_commands(key_file: Path, tmp_path: Path) -> None:
    """The archive alone, and with its ledger; a changed file is told with exit status 3."""
    root = tmp_path / "archive"
    status, told = run("ledger", "archive", str(root), "--before", "2025-03", "--operator", "wang.wei", "--json")
    assert (0, "2025-03") == (status, json.loads(told)["archive"]["before"])
    counts = {"before": "2025-03", "entries": 7, "events": 4}
    for alone in ([], ["--archive-only"]):
        status, told = run("audit", "verify", "--archive", str(root), "--json", *alone)
        assert (0, True, [counts]) == (status, json.loads(told)["good"], json.loads(told)["archives"])
    flip(root / "2025-03" / "events-0001.parquet")
    for alone in ([], ["--archive-only"]):
        status, told = run("audit", "verify", "--archive", str(root), "--json", *alone)
        assert (3, ["archive changed"]) == (status, [each["fault"] for each in json.loads(told)["findings"]])


def test_what_cannot_be_archived_is_a_sentence(key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With exit status 2: a month that is none or has not begun, and no key."""
    root = str(tmp_path / "archive")
    for month, sentence in (("2025-13", "a month is written YYYY-MM"), ("9000-01", "9000-01 has not begun")):
        status, told = run("ledger", "archive", root, "--before", month, "--operator", "wang.wei")
        assert (2, True) == (status, sentence in told)
    monkeypatch.delenv("HUZHU_AUDIT_KEY_FILE")
    status, told = run("ledger", "archive", root, "--before", "2025-03", "--operator", "wang.wei")
    assert (2, True) == (status, "archives need a key: set HUZHU_AUDIT_KEY_FILE" in told)


def test_a_folder_without_an_archive_is_not_good(key_file: Path, tmp_path: Path) -> None:
    """Whoever names the wrong folder hears so."""
    status, told = run("audit", "verify", "--archive", str(tmp_path))
    assert (2, True) == (status, "has no archive" in told)


def test_archives_are_never_verified_by_their_chain_alone(key_file: Path, tmp_path: Path) -> None:
    """Options that contradict each other are refused."""
    assert 2 == run("audit", "verify", "--archive", str(tmp_path), "--chain-only")[0]
    assert 2 == run("audit", "verify", "--archive-only")[0]
