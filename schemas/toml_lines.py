"""The line of each key in a TOML text: `tomllib` gives the values and keeps no positions."""

from __future__ import annotations

import re

Path = tuple[str | int, ...]
"""The way to a value: keys and positions from 0, such as ``("scheme", 0, "tier", 1, "brackets", 0, "rate")``."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_\-]+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}' r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def lines_of(text: str) -> dict[Path, int]:
    """The line (from 1) of every table, key and list element of a text that `tomllib` has accepted."""
    return _Scan(text).run()


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of a path, or of the nearest thing around it that has one."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.number = 1
        self.counted = 0
        self.lines: dict[Path, int] = {}
        self.lists: dict[Path, int] = {}  # newest position of every [[list of tables]]

    def run(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip_blank():
            if self.text.startswith("[[", self.at):
                table = self._header(2)
            elif self.text[self.at] == "[":
                table = self._header(1)
            else:
                self._pair(table)
        return self.lines

    def _line(self) -> int:
        self.number += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.number

    def _skip_blank(self) -> bool:
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.at < len(self.text)

    def _header(self, brackets: int) -> Path:
        line = self._line()
        self.at += brackets
        names = self._key()
        path: Path = ()
        for name in names[:-1]:
            path = (*path, name)
            self.lines.setdefault(path, line)
            if path in self.lists:
                path = (*path, self.lists[path])
        path = (*path, names[-1])
        self.lines.setdefault(path, line)
        if brackets == 2:
            self.lists[path] = self.lists.get(path, -1) + 1
            path = (*path, self.lists[path])
            self.lines.setdefault(path, line)
        self.at += brackets
        return path

    def _key(self) -> list[str]:
        """The parts of a dotted key; moves past it."""
        names = []
        while True:
            self._skip_blank()
            quoted = _STRING.match(self.text, self.at)
            match = quoted or _BARE_KEY.match(self.text, self.at)
            assert match is not None
            names.append(match[0][1:-1] if quoted else match[0])
            self.at = match.end()
            self._skip_blank()
            if self.at >= len(self.text) or self.text[self.at] != ".":
                return names
            self.at += 1

    def _pair(self, table: Path) -> None:
        path, line = table, self._line()
        for name in self._key():
            path = (*path, name)
            self.lines.setdefault(path, line)
        self.at = self.text.index("=", self.at) + 1
        self._skip_blank()
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self.text[self.at]
        if opening in "\"'":
            match = _STRING.match(self.text, self.at)
            assert match is not None
            self.at = match.end()
        elif opening == "[":
            self._list(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            scalar = _SCALAR.match(self.text, self.at)
            assert scalar is not None
            self.at = scalar.end()

    def _list(self, path: Path) -> None:
        self.at += 1
        position = 0
        while self._skip_blank() and self.text[self.at] != "]":
            self.lines.setdefault((*path, position), self._line())
            self._value((*path, position))
            self._skip_comma()
            position += 1
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while self._skip_blank() and self.text[self.at] != "}":
            self._pair(path)
            self._skip_comma()
        self.at += 1

    def _skip_comma(self) -> None:
        if self._skip_blank() and self.text[self.at] == ",":
            self.at += 1
