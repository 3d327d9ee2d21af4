"""docs/treaties.md: its file is usable, its table holds what the program computes, and every field stands in it."""

from __future__ import annotations

import re

from handlers.treaties.shares import month_parts
from schemas.money import format_yuan, parse_yuan
from schemas.treaty.treaty_file import parse_treaty
from schemas.treaty.treaty_tables import FIELDS
from tests.support.paths import DOCS, SELF_PAY_TREATY

PAGE = (DOCS / "treaties.md").read_text("utf-8")


def test_the_file_of_the_page_is_usable() -> None:
    """It names every field there is."""
    (text,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    treaty = parse_treaty(text)
    assert ("insurer-a", "insurer-b", "reinsurer-x") == treaty.insurers
    for fields in FIELDS.values():
        assert [] == [name for name in fields if name not in text]


def test_every_field_is_documented() -> None:
    """Each field stands in the table of its own table."""
    for heading, fields in FIELDS.items():
        section = PAGE.split(f"### `{heading}`")[1].partition("\n## ")[0].partition("\n### ")[0]
        assert list(fields) == re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_the_months_of_the_page_are_what_the_program_computes() -> None:
    """Parts and cession of each month, of the sample with a stop-loss."""
    treaty = parse_treaty(SELF_PAY_TREATY.read_text("utf-8"))
    rows = re.findall(r"^\| \d \| (.*) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 4
    total = 0
    for row in rows:
        net = parse_yuan(row.split(" | ")[0])
        parts, cession = month_parts(total, total + net, treaty)
        total += net
        assert row == " | ".join(map(format_yuan, (net, total, *parts, cession)))
