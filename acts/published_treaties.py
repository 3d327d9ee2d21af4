"""The published treaties, parsed once: a published file never changes."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Connection

from infra.ledger import treaty_rows
from schemas.treaty.treaty_file import parse_treaty
from schemas.treaty.treaty_model import Treaties


def published_treaties(connection: Connection) -> Treaties:
    """All published treaties."""
    return _treaties(tuple(treaty_rows.texts(connection)))


@lru_cache(maxsize=8)
def _treaties(texts: tuple[str, ...]) -> Treaties:
    return Treaties(tuple(parse_treaty(text) for text in texts))
