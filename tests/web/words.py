"""What a page says to somebody who reads it."""

from __future__ import annotations

import html
import re


def words(page: str) -> str:
    """The text of a page, without its markup."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))
