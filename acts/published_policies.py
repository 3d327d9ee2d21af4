"""The published policies, parsed once: a published file never changes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from sqlalchemy import Connection

from infra.ledger import policy_rows
from schemas.policy.model import Policies, Policy
from schemas.policy.policy_file import parse_policy


def published_policies(connection: Connection) -> Policies:
    """All published policies, oldest first."""
    return policies_of(policy_rows.texts(connection))


def policies_of(texts: Iterable[str]) -> Policies:
    """The policies of all published files."""
    return _policies(tuple(texts))


@lru_cache(maxsize=64)
def published_policy(text: str) -> Policy:
    """The policy of a published file."""
    return parse_policy(text)


@lru_cache(maxsize=8)
def _policies(texts: tuple[str, ...]) -> Policies:
    return Policies(tuple(published_policy(text) for text in texts))
