"""Where checkpoints come from, in all combinations: a log's own, those that an auditor kept, both, or none."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import Connection, Engine, insert, select, text

from acts.export_audit_log import checkpoints_beside
from acts.make_checkpoints import make_due
from cli.audit.audit_verify import verify
from infra.keys.audit_signing import SigningKey, make_key
from infra.ledger import tables
from schemas.canonical import NO_HASH, canonical_json, sha256_hex
from schemas.records import Delivery, Range
from schemas.topics import AUDIT
from tests.support.acts import publish
from tests.support.builders import POLICY, SHARDS, coverage, discharge
from tests.support.ledgers import for_person, give, held, in_order, person_of_shard, ticking

GOOD, UNUSABLE, BAD = 0, 2, 3
SOURCES = {"none": [], "older": [0], "newest": [1], "both": [0, 1]}
"""Which of the two checkpoints of shard 1 a source holds."""


class Log:
    """A ledger with two checkpoints of shard 1, as one writes it anew and copies it to a file or a topic."""

    def __init__(self, ledger: Engine, folder: Path) -> None:
        self.ledger, self.folder = ledger, folder
        self.key, now = folder / "key", ticking()
        make_key("wuxi.example/huzhu", self.key)
        held(ledger)
        publish(ledger, POLICY, "li.na", SHARDS, now)
        person = person_of_shard(1)
        messages = in_order(
            for_person(person, *(event for n in range(4) for event in (coverage(f"C{n}"), discharge(f"E{n}"))))
        )
        for part in (messages[:4], messages[4:]):
            give(ledger, part, now)
            make_due(ledger, SigningKey.read(self.key), now, 1, timedelta(0))
        with ledger.connect() as connection:
            chosen = select(tables.checkpoints).where(tables.checkpoints.c.shard == 1)
            self.rows = [dict(row._mapping) for row in connection.execute(chosen.order_by(tables.checkpoints.c.size))]
            entries = select(tables.audit_entries).order_by(tables.audit_entries.c.shard, tables.audit_entries.c.seq)
            self.entries = [dict(row._mapping) for row in connection.execute(entries)]

    def changed(self, first: int) -> list[dict[str, Any]]:
        """The entries with another actor in number ``first`` of shard 1, and right hashes from there to the end."""
        end, done = NO_HASH, []
        for entry in self.entries:
            if entry["shard"] == 1:
                fields = json.loads(entry["value"]) | {"prev_hash": end}
                fields["actor"] = "somebody else" if entry["seq"] == first else fields["actor"]
                del fields["hash"]
                digest = sha256_hex(canonical_json(fields))
                value = canonical_json(fields | {"hash": digest})
                entry = entry | {"actor": fields["actor"], "prev_hash": end, "hash": digest, "value": value}
                end = digest
            done.append(entry)
        return done

    def into_ledger(self, entries: list[dict[str, Any]], own: list[dict[str, Any]]) -> None:
        """Writes the log as who owns the database can."""
        with self.ledger.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for table, rows in ((tables.audit_entries, entries), (tables.checkpoints, own)):
                connection.execute(table.delete())
                _insert(connection, table, rows)
            last = json.loads([each["value"] for each in entries if each["shard"] == 1][-1])["hash"]
            connection.execute(tables.shards.update().where(tables.shards.c.shard == 1).values(audit_hash=last))

    def into_file(self, entries: list[dict[str, Any]], own: list[dict[str, Any]]) -> Path:
        """Writes an export; without own checkpoints there is no file of them beside it."""
        file = self.folder / "audit.jsonl"
        file.write_bytes(b"".join(bytes(each["value"]) + b"\n" for each in entries))
        checkpoints_beside(file).unlink(missing_ok=True)
        if own:
            checkpoints_beside(file).write_text("\n".join(row["note"] for row in own), "utf-8")
        return file

    def kept(self, rows: list[dict[str, Any]]) -> list[Path]:
        file = self.folder / "kept.txt"
        file.write_text("\n".join(row["note"] for row in rows), "utf-8")
        return [file] if rows else []


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


class Topics:
    """What `RangeReader` gives of the two topics of the audit log."""

    def __init__(self, entries: list[dict[str, Any]], own: list[dict[str, Any]]) -> None:
        self.values: dict[tuple[str, int], list[bytes]] = {}
        for entry in entries:
            self.values.setdefault((AUDIT.name, entry["shard"]), []).append(bytes(entry["value"]))
        notes = [{name: row[name] for name in ("shard", "size", "root", "note")} for row in own]
        self.values["audit.checkpoints", 1] = [json.dumps(note).encode() for note in notes]

    def __enter__(self) -> Topics:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def ends(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
        return {each: (0, len(self.values.get(each, []))) for each in partitions}

    def unsettled(self, partitions: Collection[tuple[str, int]]) -> list[tuple[str, int]]:
        return []

    def undecided(self, topic: str, partition: int) -> list[Delivery]:
        return []

    def read(self, topic: str, partition: int, start: int, end: int, limit: int) -> Range:
        parts = enumerate(self.values[topic, partition])
        return Range(topic, partition, start, end, tuple(Delivery(topic, partition, n, None, v) for n, v in parts))


@pytest.fixture
def log(ledger: Engine, tmp_path: Path) -> Log:
    return Log(ledger, tmp_path)


@pytest.mark.parametrize("place", ["ledger", "topic", "file"])
def test_every_checkpoint_counts_wherever_it_comes_from(
    place: str, log: Log, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log written anew is found exactly if one of its own or the kept checkpoints covers the change."""
    monkeypatch.setenv("HUZHU_DATABASE_URL", ledger_url)
    monkeypatch.setenv("HUZHU_KAFKA_BOOTSTRAP", "nowhere:1")
    monkeypatch.setenv("HUZHU_SHARDS", str(SHARDS))
    sizes = [row["size"] for row in log.rows]
    assert sizes[0] + 1 < sizes[1]
    changes = {"nothing": None, "before the older": sizes[0], "between the two": sizes[0] + 1}
    wrong = {}
    for (change, first), own, kept in product(changes.items(), SOURCES, SOURCES):
        entries = log.entries if first is None else log.changed(first)
        held_rows, kept_rows = ([log.rows[n] for n in SOURCES[name]] for name in (own, kept))
        covered = {row["size"] for row in held_rows + kept_rows}
        expected = GOOD if covered else UNUSABLE
        if first is not None and any(size >= first for size in covered):
            expected = BAD
        file = log.into_file(entries, held_rows) if place == "file" else None
        log.into_ledger(entries, held_rows)
        topics = Topics(entries, held_rows)
        monkeypatch.setattr("stream.inbound.partition_reader.RangeReader", lambda _, given=topics: given)
        status = GOOD
        try:
            verify([Path(f"{log.key}.pub")], log.kept(kept_rows), file, place == "topic", False)
        except typer.Exit as ended:
            status = ended.exit_code
        if status != expected:
            wrong[change, f"own: {own}", f"kept: {kept}"] = (status, expected)
    assert {} == wrong


def test_a_file_of_kept_checkpoints_that_holds_none_is_no_help(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    """An auditor whose own file is empty hears so, and is not told that all is good."""
    file, empty = log.into_file(log.entries, log.rows), log.folder / "kept.txt"
    empty.touch()
    with pytest.raises(typer.Exit) as ended:
        verify([Path(f"{log.key}.pub")], [empty], file, False, False)
    assert (UNUSABLE, True) == (ended.value.exit_code, "no checkpoint is in this file" in capsys.readouterr().err)
