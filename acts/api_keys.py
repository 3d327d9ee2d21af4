"""API keys: created, rotated and revoked by a named operator, with an audit entry each; and recognised in requests.

A key is `huzhu_ID_SECRET`. The secret is 256 random bits, so plain SHA-256 is the right hash: nobody can try 2^256
secrets, and a slow hash, which is meant for passwords chosen by people, would only slow down every request.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from acts.ledger_act import ledger_act
from handlers.audit.operator_acts import AUDIT_SHARD, key_changed
from infra.clock import Clock
from infra.ledger import api_key_rows
from schemas.access.callers import ApiKey, ApiRole, Caller, KeyAct
from schemas.canonical import sha256_hex
from schemas.dates import format_instant
from schemas.outbound import AuditKind

PREFIX = "huzhu"
SECRET_BYTES = 32
_ID_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_ID_LENGTH = 10


class KeyRefused(Exception):
    """The key cannot be created or changed; the message says why."""


def create(
    connection: Connection, role: ApiRole, scope: Sequence[str], note: str, operator: str, now: Clock
) -> tuple[ApiKey, str]:
    """Creates a key. Returns it with its token, which is not stored. Raises KeyRefused."""
    ids = sorted(set(scope))
    if (role is ApiRole.REGISTRY) != (not ids):
        needs = {
            ApiRole.HOSPITAL: "at least one facility",
            ApiRole.INSURER: "at least one scheme",
            ApiRole.LEAD: "at least one insurer",
            ApiRole.REGISTRY: "no scope",
        }
        raise KeyRefused(f"a {role} key needs {needs[role]}")
    key, token = _new(role, ids, note, operator, now())
    act = KeyAct("created", key.key_id, operator, role, ids, note)
    _journal(connection, AuditKind.KEY_CREATED, act, key.created_at)
    api_key_rows.add(connection, key)
    return key, token


def rotate(connection: Connection, key_id: str, grace: timedelta, operator: str, now: Clock) -> tuple[ApiKey, str]:
    """Creates a successor with the same rights; the old key keeps working for ``grace``. Raises KeyRefused."""
    old = _live(connection, key_id, now())
    key, token = _new(old.role, old.scope, old.note, operator, now())
    key = key._replace(lineage=old.lineage)
    until = min(key.created_at + grace, old.expires_at or key.created_at + grace)
    act = KeyAct("rotated", key_id, operator, old.role, old.scope, "", key.key_id, format_instant(until))
    _journal(connection, AuditKind.KEY_ROTATED, act, key.created_at)
    api_key_rows.end(connection, key_id, expires_at=until)
    api_key_rows.add(connection, key)
    return key, token


def revoke(connection: Connection, key_id: str, reason: str, operator: str, now: Clock) -> None:
    """Revokes a key immediately. Raises KeyRefused."""
    old = _live(connection, key_id, now())
    act = KeyAct("revoked", key_id, operator, old.role, old.scope, reason)
    moment = now()
    _journal(connection, AuditKind.KEY_REVOKED, act, moment)
    api_key_rows.end(connection, key_id, revoked_at=moment)


def is_live(key: ApiKey, moment: datetime) -> bool:
    """Whether a key is valid at an instant."""
    return key.revoked_at is None and (key.expires_at is None or moment < key.expires_at)


def recognise(engine: Engine, token: str, now: Clock) -> Caller | None:
    """The caller with a token, or None if the token does not belong to a valid key."""
    parts = token.split("_", 2)
    if len(parts) != 3 or parts[0] != PREFIX or not token.isascii() or not token.isprintable():
        return None
    with engine.connect() as connection:
        key = api_key_rows.find(connection, parts[1])
    secret_sha256 = sha256_hex(parts[2].encode("utf-8"))
    if key is None or not hmac.compare_digest(secret_sha256, key.secret_sha256) or not is_live(key, now()):
        return None
    return Caller(key.key_id, key.lineage, key.role, frozenset(key.scope))


def _new(role: ApiRole, scope: list[str], note: str, operator: str, moment: datetime) -> tuple[ApiKey, str]:
    key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    digest = sha256_hex(secret.encode("utf-8"))
    key = ApiKey(
        key_id=key_id,
        lineage=key_id,
        secret_sha256=digest,
        role=role,
        scope=scope,
        note=note,
        created_at=moment,
        created_by=operator,
        expires_at=None,
        revoked_at=None,
    )
    return key, f"{PREFIX}_{key_id}_{secret}"


def _live(connection: Connection, key_id: str, moment: datetime) -> ApiKey:
    key = api_key_rows.find(connection, key_id, to_change=True)
    if key is None:
        raise KeyRefused(f"there is no key {key_id}: `huzhu keys list` lists them all")
    if not is_live(key, moment):
        raise KeyRefused(f"key {key_id} has already expired or been revoked: create a new one")
    return key


def _journal(connection: Connection, kind: AuditKind, act: KeyAct, moment: datetime) -> None:
    with ledger_act(connection, [AUDIT_SHARD], lambda: moment) as journal:
        key_changed(journal, kind, act)
