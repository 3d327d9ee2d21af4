"""`huzhu statements` on a real ledger and broker: issued once, listed, shown, exported, and read by insurers."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pyarrow.parquet
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from infra.kafka import topic_setup
from infra.settings import Settings
from schemas.canonical import sha256_hex
from schemas.topics import STATEMENTS, insurer_topic
from tests.support.builders import SHARDS, bill, report, void
from tests.support.processes import huzhu
from tests.support.servers import await_true
from tests.support.spine import IDLE_S_MAX, Spine
from tests.support.stated_town import StatedTown
from tests.support.treaties import shared_text


@pytest.fixture
def spine(kafka: str, postgres_url: str) -> Iterator[Spine]:
    """A ledger that belongs to the broker; a treaty of January 2025 whose topics nobody has made."""
    with Spine(kafka, postgres_url) as spine:
        town = StatedTown(spine.engine, shared_text())
        town.cover("P1", "P2")
        town.take(bill("S1", "E-P1", person_id="P1"), bill("S2", "E-P2", 5000, person_id="P2"))
        town.set("2025-02-10T09:00:00+08:00")
        town.take(report(town.payouts()[0].payout_id, person_id="P1"))
        town.take(void("S2", "E-P2", version=2, person_id="P2"))
        yield spine


def statements(spine: Spine, *words: str | Path, bootstrap: str | None = None) -> CompletedProcess[str]:
    return run(spine, "statements", *words, bootstrap=bootstrap)


def run(spine: Spine, *words: str | Path, bootstrap: str | None = None) -> CompletedProcess[str]:
    return huzhu(
        *words,
        HUZHU_KAFKA_BOOTSTRAP=bootstrap or spine.bootstrap,
        HUZHU_DATABASE_URL=spine.url,
        HUZHU_SHARDS=str(SHARDS),
    )


def issued(spine: Spine, month: str, *words: str) -> CompletedProcess[str]:
    return statements(spine, "issue", "t1", month, "--operator", "li.na", "--language", "en", *words)


def listed(spine: Spine, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(statements(spine, "list", "--json", *words).stdout)["statements"]
    return found


def test_months_are_issued_shown_and_exported(spine: Spine, tmp_path: Path) -> None:
    """In order and once; a script is not asked; files hold the lines, and a changed ledger is told of."""
    unasked = issued(spine, "2025-01")
    assert (2, True) == (unasked.returncode, "Nothing was issued" in unasked.stderr), unasked.stderr
    wrong = issued(spine, "2025-02", "--yes")
    assert (2, True) == (wrong.returncode, "the next month of t1 is 2025-01" in wrong.stderr), wrong.stderr
    no_month = issued(spine, "January", "--yes")
    assert (2, True) == (no_month.returncode, "such as 2024-03" in no_month.stderr)
    assert [] == listed(spine)
    for month in ("2025-01", "2025-02"):
        done = issued(spine, month, "--yes")
        assert (0, True) == (done.returncode, f"Issued the statements of t1 for {month}" in done.stdout), done.stderr
    again = issued(spine, "2025-02", "--yes")
    assert (2, True) == (again.returncode, "issued before and never change" in again.stderr)
    assert [("2025-01", "1200.00"), ("2025-02", "-900.00")] == [
        (each["month"], each["net"]) for each in listed(spine, "--insurer", "insurer-b")
    ]
    assert 6 == len(listed(spine, "--treaty", "t1"))
    assert "insurer-c" in statements(spine, "list", "--language", "en").stdout
    name = str(listed(spine, "--insurer", "insurer-c")[1]["statement_id"])
    shown = statements(spine, "show", name, "--language", "both")
    assert 0 == shown.returncode, shown.stderr
    for part in ("2025-02", "insurer-c", "-900.00", "-630.00", "village_mutual_aid", "第 2 期", "number 2"):
        assert part in shown.stdout
    told = json.loads(statements(spine, "show", name, "--json").stdout)
    assert (True, "-630.00", 1) == (
        told["lines_agree"],
        told["statement"]["part_of_cession"],
        told["statement"]["reports"],
    )
    assert_files(spine, name, told["statement"]["lines_sha256"], tmp_path)
    with spine.engine.begin() as connection:  # as somebody with the database's own password could
        connection.execute(text("ALTER TABLE facts DISABLE TRIGGER ALL"))
        connection.execute(text("DELETE FROM facts WHERE kind = 'payout'"))
    changed = statements(spine, "show", name, "--language", "en")
    assert (1, True) == (changed.returncode, "gives other lines today" in changed.stderr)
    lost = statements(spine, "export", name, "--out", tmp_path / "lost.csv")
    assert (1, []) == (lost.returncode, [each.name for each in tmp_path.iterdir() if "lost" in each.name])


def assert_files(spine: Spine, name: str, lines_sha256: str, folder: Path) -> None:
    files = {suffix: folder / f"february.{suffix}" for suffix in ("jsonl", "csv", "xlsx", "parquet")}
    for file in files.values():
        done = statements(spine, "export", name, "--out", file)
        assert 0 == done.returncode, done.stderr
    assert lines_sha256 == sha256_hex(files["jsonl"].read_bytes())
    lines = [json.loads(line) for line in files["jsonl"].read_bytes().splitlines()]
    rows = list(csv.DictReader(files["csv"].read_text("utf-8-sig").splitlines()))
    assert [("-900.00", "-900.00", "recovery"), ("300.00", "", "payment")] == [
        (row["amount"], row["net"], row["kind"]) for row in rows
    ]
    same = ("payout_id", "entry", "state", "discharged_on", "recorded_on", "scheme_id", "claim_id")
    assert [[line[each] for each in same] for line in lines] == [[row[each] for each in same] for row in rows]
    columns = pyarrow.parquet.read_table(files["parquet"]).to_pydict()
    assert [line["payout_id"] for line in lines] == columns["payout_id"]
    assert ["-900.00", "300.00"] == [str(amount) for amount in columns["amount"]]
    sheet = CalamineWorkbook.from_path(files["xlsx"]).get_sheet_by_index(0).to_python()
    assert (4, -900) == (len(sheet), sheet[-1][sheet[0].index("net")])
    refused = statements(spine, "export", name, "--out", files["csv"])
    assert (2, True) == (refused.returncode, "is not overwritten" in refused.stderr)
    nameless = statements(spine, "export", name, "--out", folder / "february.txt")
    assert (2, True) == (nameless.returncode, "must end in" in nameless.stderr)
    unknown = statements(spine, "show", "ST-9")
    assert (2, True) == (unknown.returncode, "No statement ST-9 was issued" in unknown.stderr)


def test_topics_of_a_treaty_from_before_are_made(spine: Spine) -> None:
    """With the ledger's address `huzhu topics` knows them; the relay needs them; an insurer reads its own there."""
    own = insurer_topic("insurer-b", STATEMENTS)
    assert 0 == run(spine, "topics", "apply").returncode
    assert [] == topic_setup.check(spine.bootstrap, Settings(shards=SHARDS), [own])
    assert 0 == run(spine, "topics", "check").returncode
    spine.start("relay")
    assert 0 == issued(spine, "2025-01", "--yes").returncode
    assert await_true(lambda: 2 == len(spine.committed(own.name)), IDLE_S_MAX), spine.logs()
    lines, statement = (each.value for each in spine.committed(own.name))
    assert ("statement.lines", "statement.issued", "insurer-b") == (
        lines["event_type"],
        statement["event_type"],
        statement["insurer"],
    )
    assert await_true(lambda: 6 == len(spine.committed(STATEMENTS.name)), IDLE_S_MAX), spine.logs()
    spine.stop("relay")


def test_without_kafka_nothing_is_issued(spine: Spine) -> None:
    """A statement whose topic is missing would keep the relay from sending."""
    done = statements(spine, "issue", "t1", "2025-01", "--operator", "li.na", "--yes", bootstrap="127.0.0.1:1")
    assert (75, True) == (done.returncode, "Nothing was issued" in done.stderr), done.stderr
    assert [] == listed(spine)
