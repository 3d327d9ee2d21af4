"""One-time codes of an authenticator app (TOTP, RFC 6238): six digits that change every 30 seconds."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

DIGITS = 6
STEP_SECONDS = 30
SECRET_BYTES = 20
DRIFT_STEPS = 1
"""How many steps a phone's clock may be ahead or behind."""


def new_secret() -> str:
    """A secret in base32, as people can type it into an app that reads no picture."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def app_address(secret: str, user: str, issuer: str) -> str:
    """What the picture for the app says: an ``otpauth`` address with the secret and whose it is."""
    return _codes(secret).get_provisioning_uri(user, issuer)


def code_at(secret: str, moment: datetime) -> str:
    """The code of a moment."""
    return _codes(secret).generate(int(moment.timestamp())).decode("ascii")


def step_of(secret: str, code: str, moment: datetime, after: int) -> int | None:
    """The number of the step whose code this is, if it is near the moment and later than step ``after``; else None.

    Whoever keeps the last step that was used, and passes it as ``after``, takes no code twice (RFC 6238, section 5.2).
    """
    if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", code):
        return None
    for drift in range(-DRIFT_STEPS, DRIFT_STEPS + 1):
        near = moment + drift * timedelta(seconds=STEP_SECONDS)
        step = int(near.timestamp()) // STEP_SECONDS
        if hmac.compare_digest(code_at(secret, near), code) and step > after:
            return step
    return None


def _codes(secret: str) -> TOTP:
    # The apps that people have know SHA-1 only; as an HMAC it is sound.
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)
