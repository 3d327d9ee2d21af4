"""`huzhu post --format national`: files as hospitals have them, checked as a whole before anything is posted."""

from __future__ import annotations

import csv
import io
import json
import stat
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter

from infra.files.national_files import FileUnusable, rows_of
from tests.support.national_lists import as_sheet, listed
from tests.support.paths import MAPPING_FILE
from tests.support.processes import CHINESE, huzhu

Record = dict[str, object]


def as_csv(path: Path, records: Sequence[Record], encoding: str = "utf-8") -> Path:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([name.upper() for name in records[0]])
    writer.writerows([list(record.values()) for record in records])
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def as_json(path: Path, records: Sequence[Record]) -> Path:
    path.write_text(json.dumps(records, ensure_ascii=False), "utf-8")
    return path


def as_lines(path: Path, records: Sequence[Record]) -> Path:
    path.write_text("\n".join(json.dumps(record) for record in records), "utf-8")
    return path


WRITERS = {
    "list.csv": as_csv,
    "list.gb.csv": lambda path, records: as_csv(path, records, "gb18030"),
    "list.xlsx": as_sheet,
    "list.json": as_json,
    "list.jsonl": as_lines,
}
LINES = {"list.csv": 3, "list.gb.csv": 3, "list.xlsx": 4, "list.json": 2, "list.jsonl": 2}
RECORDS = [
    listed(psn_name="张三"),
    listed("S2", "E2", "P2", maf_pay="99.51", psn_name="李四"),
    listed("S3", "E3", "P3", psn_name="王五"),
]


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_is_checked(name: str, tmp_path: Path) -> None:
    """The refused record is named with file, line, field and code in both languages; no value of it is shown."""
    file = WRITERS[name](tmp_path / name, RECORDS)
    done = huzhu("post", "--format", "national", "--mapping", MAPPING_FILE, "--check", file)
    assert (done.returncode, done.stdout) == (3, "2 records can be posted, 1 are refused; nothing was posted\n")
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"{file}:{LINES[name]}: medfee_sumamt, hifp_pay,")
    assert "AMOUNTS_DO_NOT_BALANCE" in said
    assert CHINESE.search(said)
    assert not any(value in said for value in ("P2", "李四", "99.51"))


def test_an_unusable_call_says_what_is_missing(tmp_path: Path) -> None:
    """A missing or wrong mapping, an unknown kind of file, and options of the other format end with status 2."""
    file = as_csv(tmp_path / "list.csv", RECORDS)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(MAPPING_FILE.read_text("utf-8").replace('"county"', '"big"'), "utf-8")
    other = tmp_path / "list.pdf"
    other.touch()
    national = ("post", "--format", "national", "--check")
    calls = [
        ((*national, file), "needs --mapping"),
        ((*national, "--mapping", wrong, file), "wrong.toml:9: facility_level: is not allowed"),
        ((*national, "--mapping", MAPPING_FILE, other), "list.pdf: unknown format"),
        (("post", "--sheet", "1", file), "need --format national"),
        (("post", "--check", file), "--format national"),
        (("post", "--format", "national", "--mapping", MAPPING_FILE, file), "set HUZHU_KAFKA_BOOTSTRAP"),
    ]
    for words, said in calls:
        done = huzhu(*words)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
        assert "Traceback" not in done.stderr


def test_the_configured_mappings_are_the_default(tmp_path: Path) -> None:
    """HUZHU_NATIONAL_MAPPINGS replaces --mapping."""
    file = as_csv(tmp_path / "list.csv", RECORDS[:1])
    done = huzhu("post", "--format", "national", "--check", file, HUZHU_NATIONAL_MAPPINGS=str(MAPPING_FILE))
    assert done.stdout == "1 records can be posted, 0 are refused; nothing was posted\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "line 1 is not a heading"),
        ("setl_id,hifp_pay,HIFP_PAY\n", "line 1 names a field twice: hifp_pay"),
        ("setl_id\n1,2\n", "line 2 has more cells than the heading names"),
        ('setl_id\n"x\n', "is not CSV"),
    ],
)
def test_a_table_that_cannot_be_read_is_a_message(text: str, said: str, tmp_path: Path) -> None:
    """The line and what is wrong with it, and no record is taken."""
    file = tmp_path / "list.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(FileUnusable, match=said):
        rows_of(file)


def test_a_workbook_with_two_filled_sheets_needs_a_choice(tmp_path: Path) -> None:
    """No sheet is passed over in silence."""
    file = as_sheet(tmp_path / "list.xlsx", RECORDS, ("一月", "二月"))
    with pytest.raises(FileUnusable, match="2 sheets with content: choose one with --sheet"):
        rows_of(file)
    assert [line for line, _ in rows_of(file, "二月")] == [3, 4, 5]
    with pytest.raises(FileUnusable, match="no such sheet"):
        rows_of(file, "三月")
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(FileUnusable, match="not a spreadsheet that can be opened"):
        rows_of(broken)


def test_refused_records_are_kept_for_correction(tmp_path: Path) -> None:
    """FILE.refused.csv holds them as they stood, readable by the owner only; corrected, it can be posted itself."""
    file = as_sheet(tmp_path / "list.xlsx", RECORDS[1:2])
    done = huzhu("post", "--format", "national", "--mapping", MAPPING_FILE, file, HUZHU_KAFKA_BOOTSTRAP="127.0.0.1:1")
    kept = tmp_path / "list.xlsx.refused.csv"
    assert done.returncode == 3, done.stderr
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    ((_, record),) = rows_of(kept)
    assert (record["refused_line"], record["refused_code"]) == ("3", "AMOUNTS_DO_NOT_BALANCE")
    assert (record["psn_name"], record["maf_pay"], record["hifp_pay"]) == ("李四", "99.51", "5000.0")
    kept.write_text(kept.read_text("utf-8").replace("99.51", "99.50"), "utf-8")
    again = huzhu("post", "--format", "national", "--mapping", MAPPING_FILE, "--check", kept)
    assert again.stdout == "1 records can be posted, 0 are refused; nothing was posted\n"


def test_dates_and_codes_may_be_cells_of_their_own_kind(tmp_path: Path) -> None:
    """A workbook's dates, times and whole numbers are as good as text; an id that is a number is refused."""
    file = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(file) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.write_row(0, 0, list(listed()))
        for row, psn_no in ((1, "P1"), (2, 320206199001010017)):
            for column, (field, value) in enumerate(listed(psn_no=str(psn_no)).items()):
                match field:
                    case "setl_time":
                        sheet.write_datetime(row, column, datetime(2024, 3, 10, 15, 0, 0), moment)
                    case "begndate" | "enddate":
                        sheet.write_datetime(row, column, datetime.fromisoformat(str(value)), day)
                    case "med_type" | "hosp_lv" | "refd_setl_flag":
                        sheet.write_number(row, column, int(str(value)))
                    case "psn_no" if row == 2:
                        sheet.write_number(row, column, int(str(value)))
                    case _:
                        sheet.write_string(row, column, str(value))
    done = huzhu("post", "--format", "national", "--mapping", MAPPING_FILE, "--check", file)
    assert done.stdout == "1 records can be posted, 1 are refused; nothing was posted\n", done.stderr
    assert f"{file}:3: psn_no: FIELD_INVALID" in done.stderr
    assert "320206" not in done.stderr
