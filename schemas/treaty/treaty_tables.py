"""The tables of a treaty file: which fields each has, and reading them with a note of everything that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from schemas.bilingual import SaidError, Saying
from schemas.policy.policy_file import FileProblem, field_name
from schemas.policy.remedies import TableWords
from schemas.toml_lines import Path as Way
from schemas.toml_lines import line_of

TREATY, SHARE, STOP_LOSS = "[treaty]", "[[treaty.share]]", "[treaty.stop_loss]"
FIELDS: dict[str, dict[str, str]] = {
    TREATY: {
        "id": 'id = "self-pay-2024"',
        "title": "",
        "status": 'status = "sample"',
        "effective_from": "effective_from = 2024-01-01",
        "effective_to": "",
        "schemes": 'schemes = ["self_pay_assistance"]',
        "lead": 'lead = "insurer-a"',
        "share": "[[treaty.share]]",
        "stop_loss": "",
    },
    SHARE: {"insurer": 'insurer = "insurer-a"', "share": 'share = "0.60"'},
    STOP_LOSS: {
        "attachment": 'attachment = "1000000.00"',
        "limit": 'limit = "500000.00"',
        "share": 'share = "0.90"',
        "insurer": 'insurer = "reinsurer-x"',
    },
}
"""The fields of each table, each with what to add where it is missing; nothing where it need not be there."""

WORDS = TableWords(
    Saying(
        f"这张表出现了两次:{TREATY} 和 {STOP_LOSS} 只写一次,{SHARE} 用双重方括号",
        f"this table appears twice: write {TREATY} and {STOP_LOSS} once, {SHARE} with two brackets",
    ),
    Saying(
        f"表头没有结束:请写 {TREATY}、{SHARE} 或 {STOP_LOSS}",
        f"the heading of a table is not closed: write {TREATY}, {SHARE} or {STOP_LOSS}",
    ),
    Saying("这里或上面有一对花括号没有结束:请补上 }", "braces are not closed here or above: add the missing }"),
)


class Notes:
    """What is wrong with a file; a way begins with the table ``treaty``."""

    def __init__(self, file: str, lines: dict[Way, int]) -> None:
        self.file = file
        self.problems: list[FileProblem] = []
        self._lines = lines

    def add(self, way: Way, message: Saying) -> None:
        name = field_name(way[1:]) if len(way) > 1 else str(way[0])
        self.problems.append(FileProblem(self.file, line_of(self._lines, way), name, message))


class ReadTable:
    """One table: gives its values one by one. What is wrong with it is noted, and nothing is raised."""

    def __init__(self, content: Mapping[str, Any], way: Way, heading: str, notes: Notes) -> None:
        self._content, self._way, self._notes = content, way, notes
        self._fields = FIELDS[heading]
        self._meant: set[str] = set()
        for name in content:
            if name not in self._fields:
                notes.add((*way, name), self._unknown(name, heading))

    def value(self, name: str, read: Callable[[object], Any], absent: Any = None) -> Any:
        """A value, ``absent`` where the file does not set one that it need not; None if it is wrong, which is noted."""
        if name not in self._content:
            example = self._fields[name]
            if example and name not in self._meant:
                self.wrong(name, Saying(f"没有填写:请加上 {example}", f"is missing: add {example}"))
            return None if example else absent
        try:
            return read(self._content[name])
        except SaidError as error:
            self.wrong(name, error.saying)
            return None

    def wrong(self, name: str, message: Saying, *inside: str | int) -> None:
        """Notes what is wrong with a field, or with something inside it."""
        self._notes.add((*self._way, name, *inside), message)

    def _unknown(self, name: str, heading: str) -> Saying:
        close = get_close_matches(name.lower().replace("-", "_"), self._fields, n=1)
        if close:
            self._meant.add(close[0])  # there, with a spelling mistake
            return Saying(
                f"不是 {heading} 的项:是不是 {close[0]}?请改正或删去",
                f"is not a field of {heading}: did you mean {close[0]}? Correct it or delete it",
            )
        for other, fields in FIELDS.items():
            if name in fields:
                return Saying(
                    f"是 {other} 的项,不是 {heading} 的:请移到那里",
                    f"is a field of {other}, not of {heading}: move it there",
                )
        return Saying(
            f"不是 {heading} 的项:请删去,或改正拼写;各项见 docs/treaties.md",
            f"is not a field of {heading}: delete it, or correct its spelling; docs/treaties.md lists the fields",
        )
