"""The audit key, as commands that sign need it."""

from __future__ import annotations

from cli.terminal.output import fail
from infra.keys.audit_signing import KeyUnusable, SigningKey
from infra.settings import Settings


def signing_key(settings: Settings, what: str) -> SigningKey:
    """The private key of the settings; ends the command if ``what``, which needs it, has none."""
    if settings.audit_key_file is None:
        fail(f"{what} need a key: set HUZHU_AUDIT_KEY_FILE to a private key file; `huzhu audit keygen` makes one")
    try:
        return SigningKey.read(settings.audit_key_file)
    except KeyUnusable as error:
        fail(str(error))
