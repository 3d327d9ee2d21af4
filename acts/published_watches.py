"""The published watches, parsed once: a published file never changes."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Connection

from infra.ledger import watch_rows
from schemas.watch.watch_file import parse_watches
from schemas.watch.watch_model import PublishedWatches


def published_watches(connection: Connection) -> PublishedWatches:
    """All published watches."""
    return _watches(tuple(watch_rows.texts(connection)))


@lru_cache(maxsize=8)
def _watches(texts: tuple[str, ...]) -> PublishedWatches:
    return PublishedWatches(tuple(parse_watches(text) for text in texts))
