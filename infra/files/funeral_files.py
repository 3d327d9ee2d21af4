"""Reading a funeral list (殡葬名单), CSV or Excel, whatever its columns are called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from infra.files.headed_tables import UnusableTable, cell_text, read_headed
from schemas.bilingual import Saying
from schemas.canonical import sha256_hex
from schemas.funeral_lists import FuneralList, ListedDeath, UnreadableDeath
from schemas.person_numbers import is_identity_number

HEADINGS = {
    "person_id": ("person_id", "person", "人员编号", "个人编号", "参保编号", "人员标识"),
    "id_number": (
        "id_number",
        "identity number",
        "身份证号",
        "身份证号码",
        "公民身份号码",
        "居民身份证号",
        "居民身份证号码",
        "逝者身份证号",
        "死者身份证号",
        "证件号码",
        "证件号",
    ),
    "died_on": (
        "died_on",
        "date of death",
        "day of death",
        "died",
        "死亡日期",
        "死亡时间",
        "去世日期",
        "去世时间",
        "逝世日期",
        "逝世时间",
    ),
}
"""What funeral homes call the columns; compared without case, spaces and width."""

_ID = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})-|/([0-9]{1,2})/|\.([0-9]{1,2})\.|年([0-9]{1,2})月)([0-9]{1,2})日?")
_DIGITS = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_TIME = re.compile(r"[ T]?[0-9]{1,2}[:时点][0-9]{0,2}[:分]?[0-9]{0,2}秒?")
_EXACT_MAX = 2**53
"""Excel keeps a number as a float: of a larger one the last digits are lost."""


def read_funeral_list(path: Path, columns: Mapping[str, str], today: date) -> FuneralList:
    """The lines of a list. ``columns`` gives headings that are not known here, by column.

    A day of death after ``today`` is not usable. Raises UnusableTable when the file cannot be read, or has no heading
    for the day, or none for the person: the ledger's own id, or the identity number.
    """
    table = read_headed(path, HEADINGS, columns, (["person_id", "id_number"], ["died_on"]))
    deaths: list[ListedDeath] = []
    unreadable: list[UnreadableDeath] = []
    for number, cells in table.lines:
        read = _line(number, cells, today)
        (deaths if isinstance(read, ListedDeath) else unreadable).append(read)  # type: ignore[arg-type]
    try:
        return FuneralList(deaths, unreadable, sha256_hex(path.read_bytes()))
    except OSError as error:
        raise UnusableTable(f"{path}: cannot be read: {error.strerror}") from None


def _line(number: int, cells: Mapping[str, Any], today: date) -> ListedDeath | UnreadableDeath:
    column = next((name for name in ("person_id", "id_number") if cell_text(cells.get(name, ""))), None)
    if column is None:
        return UnreadableDeath(number, Saying("没有人员编号或身份证号", "no person's id and no identity number"))
    cell, is_identity = cells[column], column == "id_number"
    if isinstance(cell, float) and cell >= _EXACT_MAX:
        why = Saying(
            "号码以数字格式保存,末几位已丢失;请把该列改为文本格式后重新导出",
            "the number was saved as a number and has lost its last digits: export the column as text",
        )
        return UnreadableDeath(number, why)
    text = cell_text(cell)
    if is_identity:
        text = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()
        if not is_identity_number(text):
            why = Saying("不是有效的身份证号(请核对校验码)", "no identity number: look at its check character")
            return UnreadableDeath(number, why)
    elif not _ID.fullmatch(text):
        return UnreadableDeath(number, Saying("不是人员编号", "no id of a person"))
    day = _day(cells["died_on"])
    if day is None:
        return UnreadableDeath(number, Saying("死亡日期不明", "no day of death that is in the calendar"))
    if day > today:
        return UnreadableDeath(number, Saying("死亡日期在今天之后", "the day of death is after today"))
    return ListedDeath(number, text, is_identity, day)


def _day(cell: object) -> date | None:
    """A day; of a moment the hours are left out, as lists are in the time of China."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = unicodedata.normalize("NFKC", cell_text(cell))
    match = _DAY.match(text) or _DIGITS.match(text)
    if match is None or (text[match.end() :].strip() and not _TIME.fullmatch(text[match.end() :])):
        return None
    try:
        return date(*(int(part) for part in match.groups() if part is not None))
    except ValueError:
        return None
