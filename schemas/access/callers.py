"""Who may speak to the hospital API: the role and scope of a key, and what an operator does to keys."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class ApiRole(StrEnum):
    """What a key's holder is. The scope is what it may reach: a hospital's facility ids, nothing for a registry.

    An ``insurer`` pays schemes for the public fund: its scope is scheme ids, without what a treaty's lead pays. A
    ``lead`` pays under treaties: its scope is insurer ids.
    """

    HOSPITAL = "hospital"
    INSURER = "insurer"
    LEAD = "lead"
    REGISTRY = "registry"


class Caller(NamedTuple):
    """Whoever sent a request: the key, and what it may do.

    ``lineage`` is the first key of a chain of rotations. Retries and the rate limit belong to it, so that a rotated
    key continues where the old one was.
    """

    key_id: str
    lineage: str
    role: ApiRole
    scope: frozenset[str]


class ApiKey(NamedTuple):
    """A key as the ledger keeps it: never the secret, only the SHA-256 of it. ``expires_at`` is exclusive."""

    key_id: str
    lineage: str
    secret_sha256: str
    role: ApiRole
    scope: list[str]
    note: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None


class KeyAct(NamedTuple):
    """What an operator did to a key. ``successor`` is the new key of a rotation."""

    act: str
    key_id: str
    operator: str
    role: ApiRole
    scope: list[str]
    reason: str = ""
    successor: str | None = None
    expires_at: str | None = None
