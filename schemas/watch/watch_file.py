"""Reading a file of watches, with messages that name the file, the line, the field and the remedy, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.bilingual import SaidError, Saying
from schemas.policy.policy_file import BYTE_ORDER_MARK, FileProblem, PolicyError, parse_toml, read_text
from schemas.toml_lines import lines_of
from schemas.toml_tables import Notes, ReadTable
from schemas.toml_values import day, not_negative, status, text, title, word
from schemas.watch.watch_model import MEASURES, UNITS, Watches, WatchRule, with_sha256
from schemas.watch.watch_tables import OF_WATCHES, WATCH, WATCHES, WORDS

MONTHS_MAX = 1200
"""The longest window: a hundred years."""


class WatchError(Exception):
    """A file of watches that cannot be used; ``problems`` says what is wrong with it."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


def read_watches(path: Path) -> Watches:
    """The watches in a file. Raises WatchError."""
    try:
        content = read_text(path)
    except PolicyError as error:
        raise WatchError(error.problems) from None
    return parse_watches(content, str(path))


def parse_watches(content: str, file: str = "watches") -> Watches:
    """The watches in a TOML text; ``file`` is the name used in messages. Raises WatchError."""
    content = content.removeprefix(BYTE_ORDER_MARK)
    try:
        document = parse_toml(content, file, WORDS)
    except PolicyError as error:
        raise WatchError(error.problems) from None
    notes = Notes(file, lines_of(content), OF_WATCHES)
    head, listed = _tables(document, notes)
    found = {} if notes.problems else {**_head(head, notes), "watches": _watches(listed, notes)}
    if notes.problems:
        raise WatchError(sorted(notes.problems, key=lambda problem: problem.line))
    return with_sha256(Watches(**found))


def _tables(document: dict[str, Any], notes: Notes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The two kinds of tables; everything else that is there is noted."""
    head, listed = document.pop("watches", None), document.pop("watch", None)
    if not isinstance(head, dict):
        message = Saying(
            f"没有:关注规则文件以一个 {WATCHES} 表开头,用单方括号",
            f"is missing: a file of watches starts with one {WATCHES} table, with single brackets",
        )
        notes.add(("watches",), message)
        return {}, []
    if "watch" in head:
        message = Saying(f"写在了 {WATCHES} 里面:请写成 {WATCH}", f"is inside {WATCHES}: write it as {WATCH}")
        notes.add(("watches", "watch"), message)
    elif not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        message = Saying(
            f"至少要有一个:请写 {WATCH},用双重方括号,因为可以有多个",
            f"is missing: write at least one {WATCH}, with two brackets, as there may be several",
        )
        notes.add(("watch",), message)
    for name in document:
        message = Saying(
            f"写在了表的外面:请移到 {WATCHES} 或 {WATCH} 下面,或删去",
            f"is outside the tables: move it below {WATCHES} or a {WATCH}, or delete it",
        )
        notes.add((name,), message)
    return head, [] if notes.problems else list(listed)


def _head(head: dict[str, Any], notes: Notes) -> dict[str, Any]:
    table = ReadTable(head, ("watches",), WATCHES, notes)
    found = {
        "id": table.value("id", text),
        "title": table.value("title", title, absent=""),
        "status": table.value("status", status, absent=""),
        "effective_from": table.value("effective_from", day),
        "effective_to": table.value("effective_to", day),
    }
    start, end = found["effective_from"], found["effective_to"]
    if start is not None and end is not None and end <= start:
        message = Saying(
            f"不晚于 effective_from = {start}:请写规则不再有效的第一天",
            f"is not after effective_from = {start}: write the first day on which the watches no longer hold",
        )
        table.wrong("effective_to", message)
    return found


def _watches(listed: list[dict[str, Any]], notes: Notes) -> tuple[WatchRule, ...]:
    found: list[WatchRule] = []
    for place, content in enumerate(listed):
        table = ReadTable(content, ("watch", place), WATCH, notes)
        watch = WatchRule(
            table.value("id", text),
            table.value("title", title, absent=""),
            table.value("measure", _measure),
            table.value("unit", _unit),
            table.value("window_months", _months),
            tuple(sorted(table.values("steps", not_negative) or ())),
            table.values("categories", text) or (),
        )
        if watch.id is not None and watch.id in [other.id for other in found]:
            message = Saying(
                "前面已有这个编号:每条规则要有自己的编号", "is the id of a watch above: give each watch its own id"
            )
            table.wrong("id", message)
        found.append(watch)
    return tuple(found)


def _measure(value: object) -> str:
    return word(value, MEASURES)


def _unit(value: object) -> str:
    return word(value, UNITS)


def _months(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MONTHS_MAX:
        raise SaidError(
            f"不是月数:请写 1 到 {MONTHS_MAX} 的整数,不带引号,如 12",
            f"is not a number of months: write a whole number from 1 to {MONTHS_MAX} without quotes, such as 12",
        )
    return value
