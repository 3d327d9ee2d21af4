"""Reading treaty files, with messages that name the file, the line, the field and the remedy, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from schemas.bilingual import SaidError, Saying
from schemas.policy.policy_file import BYTE_ORDER_MARK, FileProblem, PolicyError, parse_toml, read_text
from schemas.toml_lines import line_of, lines_of
from schemas.toml_tables import Notes, ReadTable
from schemas.toml_values import day, not_negative, status, text, title
from schemas.treaty import treaty_values as values
from schemas.treaty.treaty_conflicts import conflicts
from schemas.treaty.treaty_model import Share, StopLoss, Treaties, Treaty, identified, share_text
from schemas.treaty.treaty_tables import OF_TREATIES, SHARE, STOP_LOSS, TREATY, WORDS


class TreatyError(Exception):
    """A treaty file that cannot be used; ``problems`` says what is wrong with it."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


def read_treaties(paths: Sequence[Path]) -> Treaties:
    """Treaties that are to be in force together. Raises TreatyError with the problems of all files.

    The same treaty twice is one; two that share an id, or a scheme on a day, are a problem that names both files.
    """
    problems: list[FileProblem] = []
    read: list[tuple[Path, str, Treaty]] = []
    for path in paths:
        try:
            text = read_text(path)
            read.append((path, text, parse_treaty(text, str(path))))
        except (PolicyError, TreatyError) as error:
            problems += error.problems
    problems += _conflicts(read)
    if problems:
        raise TreatyError(problems)
    return Treaties([treaty for _, _, treaty in read])


def parse_treaty(text: str, file: str = "treaty") -> Treaty:
    """The treaty in a TOML text; ``file`` is the name used in messages. Raises TreatyError."""
    text = text.removeprefix(BYTE_ORDER_MARK)
    try:
        document = parse_toml(text, file, WORDS)
    except PolicyError as error:
        raise TreatyError(error.problems) from None
    notes = Notes(file, lines_of(text), OF_TREATIES)
    head = _head(document, notes)
    found = _treaty(head, notes) if not notes.problems else {}
    if notes.problems:
        raise TreatyError(sorted(notes.problems, key=lambda problem: problem.line))
    return identified(Treaty(**found, sha256=""))


def _head(document: dict[str, Any], notes: Notes) -> dict[str, Any]:
    head = document.pop("treaty", None)
    if not isinstance(head, dict):
        message = Saying(
            f"没有:承保协议文件以一个 {TREATY} 表开头,用单方括号",
            f"is missing: a treaty file starts with one {TREATY} table, with single brackets",
        )
        notes.add(("treaty",), message)
        return {}
    for name in document:
        heading = {"share": SHARE, "stop_loss": STOP_LOSS}.get(name)
        if heading is not None:
            message = Saying(f"不在 {TREATY} 里面:请写成 {heading}", f"is outside {TREATY}: write it as {heading}")
        else:
            message = Saying(
                f"写在了表的外面:请移到 {TREATY} 下面,或删去",
                f"is outside the tables: move it below {TREATY}, or delete it",
            )
        notes.add((name,), message)
    return head


def _treaty(head: dict[str, Any], notes: Notes) -> dict[str, Any]:
    """The fields of the treaty, where nothing is noted."""
    table = ReadTable(head, ("treaty",), TREATY, notes)
    found: dict[str, Any] = {
        "id": table.value("id", text),
        "title": table.value("title", title, absent=""),
        "status": table.value("status", status),
        "effective_from": table.value("effective_from", day),
        "effective_to": table.value("effective_to", day),
        "schemes": table.values("schemes", text),
        "lead": table.value("lead", values.insurer),
        "shares": _shares(table, table.value("share", _tables), notes),
        "stop_loss": _stop_loss(table.value("stop_loss", _table), notes),
    }
    start, end = found["effective_from"], found["effective_to"]
    if start is not None and end is not None and end <= start:
        message = Saying(
            f"不晚于 effective_from = {start}:请写协议不再有效的第一天",
            f"is not after effective_from = {start}: write the first day on which the treaty is no longer in force",
        )
        table.wrong("effective_to", message)
    _check_lead(table, found["lead"], head.get("share"))
    return found


def _shares(table: ReadTable, listed: list[dict[str, Any]] | None, notes: Notes) -> tuple[Share, ...]:
    found: list[Share] = []
    for place, content in enumerate(listed or ()):
        each = ReadTable(content, ("treaty", "share", place), SHARE, notes)
        share = Share(each.value("insurer", values.insurer), each.value("share", values.share))
        if share.insurer is not None and share.insurer in [other.insurer for other in found]:
            message = Saying(
                "前面已有这家公司的份额:每家公司只写一个份额",
                "has a share above already: give each insurer one share",
            )
            each.wrong("insurer", message)
        found.append(share)
    if found and all(each.share is not None for each in found):
        total = sum((each.share for each in found), Decimal(0))
        if total != 1:
            off = abs(1 - total)
            zh, en = ("少", "too little") if total < 1 else ("多", "too much")
            message = Saying(
                f"各份额合计 {share_text(total)},{zh} {share_text(off)}:请改正,合计要正好是 1",
                f"the shares add up to {share_text(total)}, {share_text(off)} {en}: correct them to exactly 1 in all",
            )
            table.wrong("share", message)
    return tuple(found)


def _stop_loss(content: dict[str, Any] | None, notes: Notes) -> StopLoss | None:
    if content is None:
        return None
    table = ReadTable(content, ("treaty", "stop_loss"), STOP_LOSS, notes)
    return StopLoss(
        table.value("attachment", not_negative),
        table.value("limit", values.limit),
        table.value("share", values.share),
        table.value("insurer", values.insurer),
    )


def _check_lead(table: ReadTable, lead: str | None, shares: object) -> None:
    """The lead has a share, whatever else may be wrong with the shares."""
    rows = [row for row in shares if isinstance(row, dict)] if isinstance(shares, list) else []
    known = [row["insurer"] for row in rows if isinstance(row.get("insurer"), str)]
    if lead is None or not known or lead in known:
        return
    listed = [f'"{name}"' for name in known]
    close = get_close_matches(lead, known, n=1)
    zh, en = (f";是不是 {close[0]}?", f"; did you mean {close[0]}?") if close else ("", "")
    message = Saying(
        f'"{lead}" 是未知的保险公司,主承保公司要有自己的份额:请写 {"、".join(listed)} 之一{zh}',
        f'"{lead}" is an unknown insurer, and the lead has a share itself: write one of {", ".join(listed)}{en}',
    )
    table.wrong("lead", message)


def _tables(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        raise SaidError(
            f"不是表的列表:请写 {SHARE},用双重方括号,因为可以有多个",
            f"is not a list of tables: write {SHARE} with two brackets, as there may be several",
        )
    return value


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SaidError(
            f"不是一张表:请写 {STOP_LOSS},用单方括号", f"is not a table: write {STOP_LOSS}, with single brackets"
        )
    return value


def _conflicts(read: Sequence[tuple[Path, str, Treaty]]) -> list[FileProblem]:
    """Treaties that cannot be in force together; the message is about the file to change."""
    unique = {treaty.sha256: (path, text, treaty) for path, text, treaty in reversed(read)}
    ordered = sorted(unique.values(), key=lambda entry: entry[2].effective_from)

    def line(number: int, field: str) -> int:
        lines = lines_of(ordered[number][1].removeprefix(BYTE_ORDER_MARK))
        return line_of(lines, ("treaty", field if ("treaty", field) in lines else "effective_from"))

    def place(number: int, field: str) -> str:
        return f" ({ordered[number][0]}:{line(number, field)})"

    return [
        FileProblem(str(ordered[found.at][0]), line(found.at, found.field), found.field, found.message)
        for found in conflicts([treaty for _, _, treaty in ordered], place=place)
    ]
