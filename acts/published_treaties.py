"""The published treaties, parsed once: a published file never changes."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Connection

from infra.ledger import treaty_rows
from schemas.topics import STATEMENTS, Topic, insurer_topic
from schemas.treaty.treaty_file import parse_treaty
from schemas.treaty.treaty_model import Treaties, Treaty


def published_treaties(connection: Connection) -> Treaties:
    """All published treaties."""
    return _treaties(tuple(treaty_rows.texts(connection)))


@lru_cache(maxsize=8)
def _treaties(texts: tuple[str, ...]) -> Treaties:
    return Treaties(tuple(parse_treaty(text) for text in texts))


def insurer_topics(connection: Connection) -> list[Topic]:
    """The topics of all insurers of published treaties."""
    found = {topic.name: topic for treaty in published_treaties(connection).releases for topic in topics_of(treaty)}
    return [found[name] for name in sorted(found)]


def topics_of(treaty: Treaty) -> list[Topic]:
    """The topics of a treaty's insurers: the lead's with what it pays, and those with the statements of each."""
    return [insurer_topic(treaty.lead), *(insurer_topic(each, STATEMENTS) for each in treaty.insurers)]
