"""Second factors: a user sets up one-time codes and signs in with them, and an administrator takes lost ones away."""

from __future__ import annotations

import base64
import re
import secrets
from datetime import datetime

from sqlalchemy import Connection, Engine

from acts.console_users import UserRefused, count_failure, let_in, on_user, session_of, token_digest
from acts.record_operator_acts import record_operator_acts
from infra.clock import Clock
from infra.keys.one_time_codes import step_of
from infra.keys.personal_data import Keyring
from infra.ledger import console_user_rows, second_factor_rows
from infra.ledger.second_factor_rows import SecondFactor
from schemas.access.console_rights import User
from schemas.canonical import sha256_hex
from schemas.outbound import AuditKind

RECOVERY_CODES = 8
_RECOVERY_BYTES = 10
_BEFORE_ANY = -1


def enrol(
    engine: Engine, keys: Keyring, user_name: str, secret: str, code: str, now: Clock
) -> tuple[str, list[str]] | None:
    """A user's first second factor: the token of a new session and the recovery codes; None if the code is wrong.

    All other sessions of the user end, as they were opened without a code. Raises UserRefused where there is one.
    """
    with engine.begin() as connection:
        user = console_user_rows.find(connection, user_name, to_change=True)
        if user is None or second_factor_rows.find(connection, user_name) is not None:
            raise UserRefused(f"user {user_name} has a second factor already")
        moment = now()
        step = step_of(secret, _typed(code), moment, _BEFORE_ANY)
        if step is None:
            return None
        codes = _new_recovery_codes()
        _record(connection, user_name, user_name, moment, "second factor set up")
        second_factor_rows.add(connection, keys, user_name, secret, step, _hashes(codes), moment)
        console_user_rows.close_sessions_of(connection, user_name)
        return let_in(connection, user, moment, second_factor="code"), codes


def give_code(engine: Engine, keys: Keyring, token: str, code: str, now: Clock) -> str | None:
    """The token of a session, in place of one that awaits a code; None if the code is wrong or the user locked out.

    A code is taken once, and a recovery code too. Wrong ones count as wrong passwords do.
    """
    waiting = session_of(engine, token, now)
    if waiting is None or not waiting.awaits_code:
        return None
    with engine.begin() as connection:
        moment = now()
        user = console_user_rows.find(connection, waiting.user_name, to_change=True)
        still = console_user_rows.session_of(connection, token_digest(token))
        if user is None or still is None or (user.locked_until is not None and moment < user.locked_until):
            return None
        how = _use(connection, keys, user, code, moment)
        if how is None:
            count_failure(connection, user, moment)
            return None
        console_user_rows.close_session(connection, token_digest(token))
        return let_in(connection, user, moment, second_factor=how)


def renew_recovery_codes(engine: Engine, keys: Keyring, user_name: str, code: str, now: Clock) -> list[str] | None:
    """New recovery codes in place of all older ones; None if the code is wrong or the user locked out."""
    with engine.begin() as connection:
        moment = now()
        user = console_user_rows.find(connection, user_name, to_change=True)
        if user is None or (user.locked_until is not None and moment < user.locked_until):
            return None
        if _use(connection, keys, user, code, moment) is None:
            count_failure(connection, user, moment)
            return None
        factor = second_factor_rows.find(connection, user_name)
        assert factor is not None
        codes = _new_recovery_codes()
        _record(connection, user_name, user_name, moment, "recovery codes renewed")
        second_factor_rows.used(connection, user_name, factor.last_step, _hashes(codes))
        return codes


def reset(connection: Connection, name: str, reason: str, operator: str, now: Clock) -> None:
    """Takes a user's second factor away and ends the user's sessions, as for a lost phone. Raises UserRefused."""
    user = console_user_rows.find(connection, name, to_change=True)
    if user is None or not second_factor_rows.remove(connection, name):
        raise UserRefused(f"user {name} has no second factor: `huzhu users list` says who has one")
    _record(connection, operator, name, now(), "second factor reset", reason=reason)
    console_user_rows.close_sessions_of(connection, name)


def _use(connection: Connection, keys: Keyring, user: User, code: str, moment: datetime) -> str | None:
    """Takes a code or a recovery code, so that it is not taken again: which of the two it was."""
    factor = second_factor_rows.find(connection, user.name)
    if factor is None:
        return None
    typed = _typed(code)
    if hashed := _recovery(factor, typed):
        left = [each for each in factor.recovery_sha256 if each != hashed]
        second_factor_rows.used(connection, user.name, factor.last_step, left)
        return "recovery code"
    step = step_of(second_factor_rows.secret_of(factor, keys), typed, moment, factor.last_step)
    if step is None:
        return None
    second_factor_rows.used(connection, user.name, step, factor.recovery_sha256)
    return "code"


def _recovery(factor: SecondFactor, typed: str) -> str | None:
    hashed = sha256_hex(typed.encode("utf-8", "replace"))
    return hashed if hashed in factor.recovery_sha256 else None


def _new_recovery_codes() -> list[str]:
    """Each of 80 random bits, in four groups of four characters."""
    made = (base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode("ascii") for _ in range(RECOVERY_CODES))
    return ["-".join(re.findall("....", code)) for code in made]


def _hashes(codes: list[str]) -> list[str]:
    return [sha256_hex(_typed(code).encode("ascii")) for code in codes]


def _typed(code: str) -> str:
    """A code as people type it, without blanks and dashes."""
    return re.sub(r"[\s-]", "", code[:100]).upper()


def _record(connection: Connection, operator: str, name: str, moment: datetime, change: str, **more: str) -> None:
    act = on_user(AuditKind.USER_CHANGED, operator, name, change=change, **more)
    record_operator_acts(connection, lambda: moment, [act])
