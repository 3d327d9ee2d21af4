"""The colours of the pages, in light and in the dark: letters and bars stand out from what is behind them (WCAG)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY

CONSOLE = REPOSITORY / "web" / "console" / "static" / "console.css"
REPORT = REPOSITORY / "cli" / "simulate" / "templates" / "simulation.html"
LETTERS = {
    CONSOLE: [
        *(("paper", name) for name in ("ink", "soft", "blue", "good", "bad", "warn")),
        *(("band", name) for name in ("ink", "soft", "blue", "good", "bad", "warn")),
        *(("alarm", name) for name in ("ink", "soft", "blue", "bad")),
        *(("well", name) for name in ("ink", "blue")),
        *(("edited", name) for name in ("ink", "soft", "blue", "bad")),
    ],
    REPORT: [("paper", name) for name in ("ink", "soft", "more", "less")],
}
"""What is written on what."""
SHAPES = {CONSOLE: ("grey", "bar", "green", "red", "edge", "focus"), REPORT: ("grey", "blue", "green", "red")}
"""Bars of charts, edges of fields, and what marks the focus; all on paper."""


def colours(css: str, *, dark: bool) -> dict[str, str]:
    """The variables in force; in the dark those that the style sheet changes for it."""
    light, _, rest = css.partition("prefers-color-scheme: dark")
    found = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6});", light))
    if dark:
        changed = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6});", rest.partition("\n}")[0]))
        assert found.keys() == changed.keys()
        return changed
    return found


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG, 1 to 21."""
    dim, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("sheet", [CONSOLE, REPORT], ids=["console", "report"])
def test_letters_and_shapes_stand_out(sheet: Path, dark: bool) -> None:
    """Letters by 4.5 to 1, shapes by 3 to 1, everywhere they are used."""
    known = colours(sheet.read_text("utf-8"), dark=dark)
    faint = [(on, name) for on, name in LETTERS[sheet] if contrast(known[on], known[name]) < 4.5]
    faint += [("paper", name) for name in SHAPES[sheet] if contrast(known["paper"], known[name]) < 3]
    assert [] == faint


@pytest.mark.parametrize("sheet", [CONSOLE, REPORT], ids=["console", "report"])
def test_every_colour_is_a_variable(sheet: Path) -> None:
    """So none is left as it was when it gets dark."""
    rules = re.sub(r"--[a-z]+: #[0-9a-f]{3,6};", "", sheet.read_text("utf-8"))
    assert [] == re.findall(r"#[0-9a-f]{3,6}\b", rules)


def test_black_on_white_is_the_highest_contrast() -> None:
    """The measure itself, by the two values that everybody knows."""
    assert (21.0, 1.0) == (contrast("#000", "#ffffff"), contrast("#1c1c1a", "#1c1c1a"))
