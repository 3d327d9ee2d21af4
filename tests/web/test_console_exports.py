"""Exports: read back and summed, audited, covered, and in the memory of a few rows."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine

from infra.files import export_files, parquet_export
from infra.files.export_files import Field, write_csv, write_parquet, write_xlsx
from tests.support.builders import Json, bill, coverage, discharge, encode
from tests.support.ledgers import for_person, give, held, in_order, person_of_shard
from tests.support.owed_person import OwedPerson
from tests.support.servers import await_true
from tests.web.desk import Desk, open_desk
from tests.web.downloads import summed, table
from tests.web.town import post, publish_two

Copies = Callable[[Engine], Engine]
KINDS = ("xlsx", "csv", "parquet")
FIELDS = [
    Field("name", "text"),
    Field("many", "count"),
    Field("sum", "yuan"),
    Field("day", "day"),
    Field("at", "instant"),
]


def export(desk: Desk, who: str, **fields: str) -> httpx.Response:
    return desk.visitor(who).post("/exports", seen="/exports", **fields)


def test_claims_and_payouts_are_read_from_the_replica(ledger: Engine, copies: Copies, tmp_path: Path) -> None:
    """What the ledger took in since is not in the file yet, and the export is noted in the ledger."""
    publish_two(ledger)
    post(ledger, [coverage("C1"), discharge(), bill()])
    replica = copies(ledger)
    post(ledger, [discharge("E2"), bill("S2", "E2")])
    with open_desk(ledger, tmp_path, replica) as desk:
        written = {what: export(desk, "finance", what=what, format="csv") for what in ("claims", "payouts")}
        assert {"1"} == {answer.headers["X-Rows"] for answer in written.values()}
        assert "E1" in written["claims"].text
        assert 2 == len(desk.audited("data.exported"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_exported_adds_up_to_the_ledger(town: Desk, kind: str) -> None:
    """Claims and payouts, row by row and yuan by yuan, in each format."""
    claims = table(kind, export(town, "finance", what="claims", format=kind).content)
    expected = town.rows("SELECT count(*), sum(personal_burden), sum(total_benefit) FROM claims")[0]
    assert expected[0] == len(claims)
    assert Decimal(expected[1]).scaleb(-2) == summed(claims, "personal_burden")
    assert Decimal(expected[2]).scaleb(-2) == summed(claims, "total_benefit")
    assert Decimal(expected[1] - expected[2]).scaleb(-2) == summed(claims, "patient_pays")
    payouts = table(kind, export(town, "finance", what="payouts", format=kind).content)
    net = town.value("SELECT sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END) FROM instructions")
    assert Decimal(net).scaleb(-2) == summed(payouts, "amount")
    assert town.value("SELECT count(*) FROM instructions") == len(payouts)
    refused = table(kind, export(town, "auditor", what="refused", format=kind).content)
    assert town.value("SELECT count(*) FROM refusals") == len(refused)


def test_the_three_formats_agree(town: Desk) -> None:
    """The same claims in the same order with the same amounts."""
    seen = []
    for kind in KINDS:
        rows = table(kind, export(town, "auditor", what="claims", format=kind).content)
        seen.append([(row["claim_id"], Decimal(str(row["total_benefit"])).quantize(Decimal("0.01"))) for row in rows])
    assert seen[0] == seen[1] == seen[2]


def test_a_filter_is_a_filter(town: Desk) -> None:
    """By days half-open, by status and by scheme; the days of payouts are Shanghai's."""
    answer = export(
        town, "finance", what="claims", format="csv", since="2025-01-01", until="2026-01-01", status="adjudicated"
    )
    days = [date.fromisoformat(row["discharged_on"]) for row in table("csv", answer.content)]
    assert {2025} == {day.year for day in days}
    count = "SELECT count(*) FROM claims WHERE status = 'adjudicated' AND extract(year FROM discharged_on) = 2025"
    assert town.value(count) == len(days)
    scheme = table("csv", export(town, "finance", what="payouts", format="csv", scheme="village_mutual_aid").content)
    assert {"village_mutual_aid"} == {row["scheme_id"] for row in scheme}
    paid = table("csv", export(town, "finance", what="payouts", format="csv", status="paid").content)
    assert town.value("SELECT count(*) FROM payout_states WHERE state = 'paid'") == len(paid)
    assert 422 == export(town, "finance", what="claims", format="csv", since="last year").status_code
    assert 422 == export(town, "finance", what="everything", format="csv").status_code


@pytest.mark.parametrize(
    "fields",
    [
        {"what": "claims", "status": "paid"},
        {"what": "payouts", "status": "adjudicated"},
        {"what": "payouts", "scheme": "nope"},
        {"what": "refused", "status": "paid"},
        {"what": "refused", "scheme": "village_mutual_aid"},
        {"what": "claims", "since": "2025-02-01", "until": "2025-01-01"},
        {"what": "claims", "since": "2025-02-01", "until": "2025-02-01"},
    ],
)
def test_a_filter_that_cannot_match_is_refused(town: Desk, fields: dict[str, str]) -> None:
    """With a reason, and without a file and an audit entry of no rows."""
    before = len(town.audited("data.exported"))
    assert 422 == export(town, "finance", format="csv", **fields).status_code
    assert before == len(town.audited("data.exported"))


def stay_and_refusal(number: int) -> list[Json | bytes]:
    """A paid stay that ends on the 10th and so many days, and an event that nobody knows."""
    stay = (coverage(f"C{number}"), discharge(f"E{number}", f"2024-03-1{number}"), bill(f"S{number}", f"E{number}"))
    return [*for_person(f"P{number}", *stay), encode({"event_type": f"unknown-{number}"})]


def test_the_last_day_is_not_included(desk: Desk) -> None:
    """Days are half-open for claims, payouts and refused events alike, and end at midnight in Shanghai."""
    publish_two(desk.engine)
    held(desk.engine)
    messages = iter(in_order([event for number in range(4) for event in stay_and_refusal(number)]))
    for moment in MIDNIGHTS:
        give(desk.engine, islice(messages, 4), lambda moment=moment: moment)  # type: ignore[misc]
    for what, since, until in (
        ("claims", "2024-03-11", "2024-03-13"),
        ("payouts", "2025-03-02", "2025-03-03"),
        ("refused", "2025-03-02", "2025-03-03"),
    ):
        rows = table("csv", export(desk, "auditor", what=what, format="csv", since=since, until=until).content)
        name = "event_type" if what == "refused" else "claim_id"
        assert [what, "1", "2"] == [what, *(row[name][-1] for row in rows)]


MIDNIGHTS = [
    datetime.fromisoformat(f"{moment}+08:00")
    for moment in ("2025-03-01T23:59:59.999999", "2025-03-02T00:00:00", "2025-03-02T23:59:59", "2025-03-03T00:00:00")
]


def test_a_scheme_filters_claims_that_it_pays(desk: Desk) -> None:
    """Not those for which it was looked at and paid nothing."""
    publish_two(desk.engine)
    events = [
        event
        for number, copay in enumerate((3000, 2000))
        for event in for_person(
            f"P{number}", coverage(f"C{number}"), discharge(f"E{number}"), bill(f"S{number}", f"E{number}", copay)
        )
    ]
    post(desk.engine, events)
    rows = table("csv", export(desk, "finance", what="claims", format="csv", scheme="village_mutual_aid").content)
    assert [("E0", "300.00")] == [(row["claim_id"], row["total_benefit"]) for row in rows]


def test_a_strangers_report_changes_no_payout_in_an_export(desk: Desk) -> None:
    """It is kept under the person that it names; the payout stays one line, instructed."""
    owed = OwedPerson(desk.engine)
    owed.report(owed.payouts[0], "failed", person_id=person_of_shard(0))
    rows = table("csv", export(desk, "finance", what="payouts", format="csv").content)
    assert [("instructed", "300.00", "")] == [(row["state"], row["amount"], row["reference"]) for row in rows]


def test_no_file_of_an_export_stays_behind(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither after it was downloaded, nor where it could not be recorded and was not handed over."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert 200 == export(desk, "finance", what="claims", format="csv").status_code
    assert await_true(lambda: not list(tmp_path.glob("huzhu-export-*")))

    def broken(*_: object) -> None:
        assert list(tmp_path.glob("huzhu-export-*"))
        raise RuntimeError("the ledger is gone")

    monkeypatch.setattr("web.console.exports_page.record_operator_acts", broken)
    assert 500 == export(desk, "finance", what="claims", format="csv").status_code
    assert [] == list(tmp_path.glob("huzhu-export-*"))


def test_the_reason_of_an_export_quotes_nobody(desk: Desk) -> None:
    """A number in it is covered in the audit log, and in the file itself."""
    person = "11010519491231002X"
    reason = f"the court asks for {person}"
    answer = export(desk, "finance", what="claims", format="xlsx", clear="yes", reason=reason)
    assert 200 == answer.status_code
    masked = "the court asks for 110105********002X"
    assert masked == desk.audited("data.exported")[-1]["subject"]["filter.reason"]
    about = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_name("说明 about").to_python()
    assert masked in str(about)
    assert person not in str(about)


def test_every_export_is_audited(desk: Desk) -> None:
    """Who, what, which filter, how many rows, and the hash of exactly the bytes that were downloaded."""
    post(desk.engine, [discharge(f"E{number}", person_id=f"P{number}") for number in range(7)])
    desk.catch_up()
    answer = export(desk, "finance", what="claims", format="parquet", status="incomplete")
    (entry,) = desk.audited("data.exported")
    assert "operator:finance" == entry["actor"]
    assert {
        "what": "claims.parquet",
        "rows": "7",
        "sha256": hashlib.sha256(answer.content).hexdigest(),
        "filter.status": "incomplete",
    } == entry["subject"]


def test_persons_in_clear_only_for_a_reason(desk: Desk) -> None:
    """Covered by default; in clear with a reason that is audited; 422 without one."""
    person = "11010519491231002X"
    post(desk.engine, [discharge("E1", person_id=person)])
    covered = export(desk, "finance", what="claims", format="csv").text
    assert person not in covered
    assert "110105********002X" in covered
    assert 422 == export(desk, "finance", what="claims", format="csv", clear="yes").status_code
    clear = export(desk, "finance", what="claims", format="csv", clear="yes", reason="the court asked for it")
    assert person in clear.text
    assert "the court asked for it" == desk.audited("data.exported")[-1]["subject"]["filter.reason"]


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    """What a sender wrote is text, whatever it begins with."""
    texts = ["=1+1", "@SUM(A1)", "+1+1", "-1+1", "\t=1+1", "\r=1+1"]
    rows = [(each, 1, -100, None, None) for each in texts]
    write_csv(tmp_path / "a.csv", FIELDS, rows, [])
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [[f"'{each}", "1", "-1.00", "", ""] for each in texts] == list(csv.reader(file))[1:]
    write_xlsx(tmp_path / "a.xlsx", FIELDS, rows, [])
    sheet = CalamineWorkbook.from_path(tmp_path / "a.xlsx").get_sheet_by_index(0).to_python()
    assert [each.strip() for each in texts] == [str(row[0]).strip() for row in sheet[1:7]]


def test_a_long_export_goes_on_in_another_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Excel ends at a million rows: the next sheet goes on, each with its own totals, and the sums are of all."""
    monkeypatch.setattr(export_files, "SHEET_ROWS_MAX", 10)
    written = write_xlsx(tmp_path / "a.xlsx", FIELDS, [(f"r{at}", at, at * 100, None, None) for at in range(25)], [])
    book = CalamineWorkbook.from_path(tmp_path / "a.xlsx")
    assert (25, sum(range(25)) * 100) == (written.rows, written.sums["sum"])
    assert 4 == len(book.sheet_names)
    sheets = [book.get_sheet_by_index(at).to_python() for at in range(3)]
    assert [10, 10, 5] == [len(sheet) - len(["headings", "totals"]) for sheet in sheets]
    sums: list[Any] = [sheet[-1][2] for sheet in sheets]
    assert sum(range(25)) == sum(sums)


def test_an_empty_export_is_a_file(tmp_path: Path) -> None:
    """Headings and no rows, in all formats."""
    for write, name in ((write_xlsx, "a.xlsx"), (write_csv, "a.csv"), (write_parquet, "a.parquet")):
        assert 0 == write(tmp_path / name, FIELDS, [], [("export", "claims")]).rows
        assert (tmp_path / name).stat().st_size > 0


def test_rows_are_read_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No writer asks for more than a batch of rows before it writes some: memory does not grow with the export."""
    asked = 0

    def rows() -> Iterator[tuple[Any, ...]]:
        nonlocal asked
        for at in range(50_000):
            asked += 1
            yield (f"row {at}", at, at, None, None)

    sizes = []
    real = parquet_export._batch

    def batch(schema: Any, fields: Any, held: list[Any]) -> Any:
        sizes.append((len(held), asked))
        return real(schema, fields, held)

    monkeypatch.setattr(parquet_export, "_batch", batch)
    write_parquet(tmp_path / "a.parquet", FIELDS, rows(), [])
    assert [(10_000, 10_000 * part) for part in range(1, 6)] == sizes
