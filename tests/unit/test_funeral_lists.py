"""Funeral lists as offices write them, and each line compared with the living members."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from handlers.claims.account import Account
from handlers.deaths.compare_list import compare
from infra.files.funeral_files import read_funeral_list
from infra.files.headed_tables import UnusableTable
from schemas.funeral_lists import FuneralList, ListedDeath, ListedKind
from schemas.ids import PersonId
from tests.support.builders import (
    Json,
    coverage,
    coverage_void,
    death,
    membership,
    membership_void,
    reading,
)
from tests.support.funeral_lists import listed

TODAY = date(2024, 12, 31)
WANG, LI = "320205195001010017", "32020519500104003X"


def read(path: Path, *rows: Sequence[Any], **columns: str) -> FuneralList:
    """A CSV file of these rows, read."""
    path = path / "list.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in rows), "utf-8")
    return read_funeral_list(path, columns, TODAY)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_of_china_is_read(tmp_path: Path, encoding: str) -> None:
    """Chinese headings below a title, identity numbers with a small x, names and all else left aside."""
    content = f"三月殡葬名单\n姓名,身份证号,死亡日期\n王某,{WANG},2024-03-01\n\n李某,{LI.lower()},2024年3月2日\n"
    file = tmp_path / "list.csv"
    file.write_bytes(content.encode(encoding))
    found = read_funeral_list(file, {}, TODAY)
    assert [
        ListedDeath(3, WANG, True, date(2024, 3, 1)),
        ListedDeath(5, LI, True, date(2024, 3, 2)),
    ] == found.deaths
    assert ([], 2) == (found.unreadable, found.lines)


def test_an_excel_list_is_read(tmp_path: Path) -> None:
    """Days are dates there, and ids of the ledger may be numbers."""
    file = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(str(file), {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["person_id", "date of death"])
        sheet.write_row(1, 0, [1001, datetime(2024, 3, 1)])
        sheet.write_row(2, 0, ["P2", datetime(2024, 3, 2, 23, 59)])
    found = read_funeral_list(file, {}, TODAY).deaths
    assert [("1001", False, date(2024, 3, 1)), ("P2", False, date(2024, 3, 2))] == [each[1:] for each in found]


def test_a_number_of_which_excel_lost_the_end_names_nobody(tmp_path: Path) -> None:
    """Eighteen digits do not fit into a number; the line says what to do."""
    file = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["身份证号", "死亡日期"])
        sheet.write_row(1, 0, [int(WANG), "2024-03-01"])
    found = read_funeral_list(file, {}, TODAY)
    assert ([], 2) == (found.deaths, found.unreadable[0].line)
    assert "末几位" in found.unreadable[0].why.zh


@pytest.mark.parametrize(
    "written",
    ["2024-03-01", "2024-3-1", "2024/3/1", "2024.03.01", "20240301", "2024年03月01日", "2024-03-01 23:59:59"],
)
def test_a_day_is_read_as_offices_write_it(tmp_path: Path, written: str) -> None:
    """The hours of a moment are left out."""
    (death,) = read(tmp_path, ["人员编号", "死亡日期"], ["P1", written]).deaths
    assert date(2024, 3, 1) == death.died_on


@pytest.mark.parametrize("written", ["", "2024-02-30", "24-03-01", "三月", "2024-03-01 前后", "2024-03", "2025-01-01"])
def test_what_is_no_day_that_has_come_is_unreadable(tmp_path: Path, written: str) -> None:
    """Nobody is named by such a line."""
    found = read(tmp_path, ["人员编号", "死亡日期"], ["P1", written])
    assert ([], [2]) == (found.deaths, [each.line for each in found.unreadable])


def test_today_has_come(tmp_path: Path) -> None:
    """Tomorrow has not."""
    found = read(tmp_path, ["人员编号", "死亡日期"], ["P1", TODAY])
    assert 1 == len(found.deaths)


def test_a_line_without_a_usable_number_is_unreadable(tmp_path: Path) -> None:
    """No number at all, or one with a wrong check character; an id of the ledger comes before it."""
    wrong = WANG[:-1] + "8"
    rows = [["P1", wrong, "2024-03-01"], ["", wrong, "2024-03-01"], ["", "", "2024-03-01"]]
    found = read(tmp_path, ["人员编号", "身份证号", "死亡日期"], *rows)
    assert [("P1", False)] == [each[1:3] for each in found.deaths]
    assert [3, 4] == [each.line for each in found.unreadable]


def test_an_id_of_the_ledger_is_taken_as_it_is_written(tmp_path: Path) -> None:
    """Wide letters are other letters there; what no event can have as an id names nobody."""
    found = read(tmp_path, ["人员编号", "死亡日期"], ["Ｐ1", "2024-03-01"], ["P\0", "2024-03-01"])
    assert (["Ｐ1"], [3]) == ([each.number for each in found.deaths], [each.line for each in found.unreadable])


def test_headings_that_are_not_known_are_named(tmp_path: Path) -> None:
    """Without them the file is no list, and the message says so."""
    rows = [["号", "日"], ["P1", "2024-03-01"]]
    with pytest.raises(UnusableTable, match="--column person_id="):
        read(tmp_path, *rows)
    assert 1 == len(read(tmp_path, *rows, person_id="号", died_on="日").deaths)


def account(*facts: Json) -> Account:
    """P1's account of these facts."""
    found = Account(PersonId("P1"))
    for each in facts:
        found.apply(reading(each).fact)
    return found


def kind_of(*facts: Json, died_on: str = "2024-03-01") -> ListedKind:
    """What a line about P1 comes to."""
    accounts = {PersonId("P1"): account(*facts)} if facts else {}
    (found,) = compare(listed(("P1", died_on)), {}, accounts)
    return found.kind


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], ListedKind.NO_MEMBER),
        ([coverage()], ListedKind.CANDIDATE),
        ([coverage(valid_to="2024-03-02")], ListedKind.CANDIDATE),
        ([coverage(valid_to="2024-03-01")], ListedKind.NO_MEMBER),
        ([coverage(valid_from="2024-06-01")], ListedKind.CANDIDATE),
        ([coverage(), coverage_void()], ListedKind.NO_MEMBER),
        ([membership()], ListedKind.CANDIDATE),
        ([membership(valid_to="2024-03-01")], ListedKind.NO_MEMBER),
        ([membership(), membership_void()], ListedKind.NO_MEMBER),
        ([coverage(), death("2024-03-01")], ListedKind.RECORDED),
        ([coverage(), death("2024-03-05")], ListedKind.OTHER_DAY),
    ],
)
def test_a_living_member_is_covered_or_in_a_household_after_the_day(facts: list[Json], expected: ListedKind) -> None:
    """Ends are the first days on which nothing holds any more; who was insured after dying is looked at too."""
    assert expected is kind_of(*facts)


def test_who_stands_in_a_list_twice_died_on_the_first_day_that_it_gives() -> None:
    """The later line is told, and changes nothing."""
    found = compare(listed(("P1", "2024-03-02"), ("P1", "2024-03-01")), {}, {PersonId("P1"): account(coverage())})
    assert [(2, ListedKind.CANDIDATE), (3, ListedKind.LISTED_TWICE)] == [(each.line, each.kind) for each in found]
    assert "line 2" in found[1].why.en


def test_an_identity_number_means_all_whom_the_directory_has_under_it() -> None:
    """What the directory does not know is taken as an id of the ledger, and an id is never looked up."""
    lines = [ListedDeath(2, WANG, True, date(2024, 3, 1)), ListedDeath(3, LI, True, date(2024, 3, 1))]
    lines.append(ListedDeath(4, "P9", False, date(2024, 3, 1)))
    found = compare(FuneralList(lines, [], ""), {WANG: ["P1", "P2"], "P9": ["P3"]}, {})
    assert [(2, "P1"), (2, "P2"), (3, LI), (4, "P9")] == [(each.line, each.person_id) for each in found]
