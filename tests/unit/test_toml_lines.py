"""Where things stand in a TOML text."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.toml_lines import Path, line_of, lines_of


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """The paths of everything inside a parsed TOML document."""
    if here:
        yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from paths(each, (*here, name))


ODD = '''
a.b = 1 # [[no.table]]
"quoted key" = """
[not.a.table]
c = "
"""
'd' = [ 1, # ] one
  { e = "}", f = [[2], ['''
"""An odd text, closed below: comments, quotes and brackets where they mean nothing."""


def test_every_part_of_a_document_has_a_line() -> None:
    """Dotted keys, quoted keys, texts over several lines, lists in lists, tables in tables."""
    text = ODD + "\"#\"]] },\n]\n[[g.h]]\ni = 1\n[g.h.j]\nk = '''\n'''\n[[g.h]]\ni = 2\n"
    lines = lines_of(text)
    assert set(paths(tomllib.loads(text))) == set(lines)
    expected = {("a", "b"): 2, ("quoted key",): 3, ("d",): 7, ("d", 1, "f", 1, 0): 8, ("g", "h", 0, "i"): 11}
    expected |= {("g", "h", 0, "j", "k"): 13, ("g", "h", 1, "i"): 16}
    assert expected == {path: lines[path] for path in expected}
    assert 15 == line_of(lines, ("g", "h", 1, "not", "there"))


@given(st.lists(st.sampled_from(["# c\n", "\n", "\r\n", 'x = "a#]"\n', "y = [1,\n2]\n", "z = {a = 1}\n", "[[t]]\n"])))
def test_no_part_is_ever_missed(parts: list[str]) -> None:
    """Whatever stands above it, a key is found on its line."""
    body = "".join(f"k{number}{part}" if part[0] in "xyz" else part for number, part in enumerate(parts))
    text = body + "last = 1\n"
    lines = lines_of(text)
    assert set(paths(tomllib.loads(text))) == set(lines)
    assert text.count("\n") in lines.values()
