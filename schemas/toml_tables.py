"""Reading the tables of a TOML file that people write, with a note of everything that is wrong, all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from schemas.bilingual import SaidError, Saying
from schemas.policy.policy_file import FileProblem, field_name
from schemas.toml_lines import Path as Way
from schemas.toml_lines import line_of


class TableFields(NamedTuple):
    """The fields of each table of a kind of file, by its heading, and the page that documents them.

    Each field has what to add where it is missing; nothing where it need not be there. ``head`` is the table whose name
    is left out where a field of it is named.
    """

    head: str
    tables: Mapping[str, Mapping[str, str]]
    page: str


class Notes:
    """What is wrong with a file."""

    def __init__(self, file: str, lines: dict[Way, int], fields: TableFields) -> None:
        self.file, self.fields = file, fields
        self.problems: list[FileProblem] = []
        self._lines = lines

    def add(self, way: Way, message: Saying) -> None:
        """Notes what is wrong with what a way leads to."""
        inside = way[1:] if len(way) > 1 and way[0] == self.fields.head else way
        self.problems.append(FileProblem(self.file, line_of(self._lines, way), field_name(inside), message))


class ReadTable:
    """One table: gives its values one by one. What is wrong with it is noted, and nothing is raised."""

    def __init__(self, content: Mapping[str, Any], way: Way, heading: str, notes: Notes) -> None:
        self._content, self._way, self._notes = content, way, notes
        self._fields = notes.fields.tables[heading]
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

    def values(self, name: str, read: Callable[[object], Any], absent: Any = ()) -> Any:
        """The values of a list, each of them once. What is wrong with one of them is noted at its place."""
        listed = self.value(name, self._list(name), absent)
        if listed is None or name not in self._content:
            return listed
        found: list[Any] = []
        for place, each in enumerate(listed):
            try:
                value = read(each)
            except SaidError as error:
                self.wrong(name, error.saying, place)
                continue
            if value in found:
                self.wrong(name, Saying("前面已经列出:请删去", "is listed before: delete it"), place)
            found.append(value)
        return tuple(found)

    def wrong(self, name: str, message: Saying, *inside: str | int) -> None:
        """Notes what is wrong with a field, or with something inside it."""
        self._notes.add((*self._way, name, *inside), message)

    def _list(self, name: str) -> Callable[[object], list[object]]:
        example = self._fields[name]
        written = example or f'{name} = ["..."]'

        def read(value: object) -> list[object]:
            if not isinstance(value, list):
                raise SaidError(
                    f"不是列表:请写在方括号里,如 {written}",
                    f"is not a list: write it in square brackets, such as {written}",
                )
            if not value and not example:
                raise SaidError("是空的:至少要有一个,或删去本项", "is empty: list at least one, or delete it")
            if not value:
                raise SaidError(f"是空的:至少要有一个,如 {example}", f"is empty: list at least one, such as {example}")
            return value

        return read

    def _unknown(self, name: str, heading: str) -> Saying:
        close = get_close_matches(name.lower().replace("-", "_"), self._fields, n=1)
        if close:
            self._meant.add(close[0])  # there, with a spelling mistake
            return Saying(
                f"不是 {heading} 的项:是不是 {close[0]}?请改正或删去",
                f"is not a field of {heading}: did you mean {close[0]}? Correct it or delete it",
            )
        for other, fields in self._notes.fields.tables.items():
            if name in fields:
                return Saying(
                    f"是 {other} 的项,不是 {heading} 的:请移到那里",
                    f"is a field of {other}, not of {heading}: move it there",
                )
        page = self._notes.fields.page
        return Saying(
            f"不是 {heading} 的项:请删去,或改正拼写;各项见 {page}",
            f"is not a field of {heading}: delete it, or correct its spelling; {page} lists the fields",
        )
