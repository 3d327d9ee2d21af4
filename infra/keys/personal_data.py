"""The console's keys: each field of personal data is encrypted separately, and persons get meaningless tokens.

A key file holds one key per line, `KEY_ID BASE64-OF-32-BYTES`, oldest first; the last one encrypts, all of them
decrypt. A new key is a new line (`huzhu people newkey`); then `huzhu people rotate` re-encrypts every field, and then
the old line can go. From each key three are derived (HKDF-SHA256): for fields (AES-256-GCM), for tokens in addresses
(AES-SIV, so that one person has one token) and for finding a person by id (HMAC-SHA256).

A line `KEY_ID BASE64-OF-32-BYTES finding` is a finding key (infra/keys/blind_index.py) and encrypts nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from infra.keys.blind_index import BlindIndex

FINDING = "finding"
KEY_BYTES = 32
NONCE_BYTES = 12


class KeyringUnusable(Exception):
    """A key file that cannot be used; the message names the file and what to do, and reveals nothing of the keys."""


class NotReadable(Exception):
    """A token or field that was not made with a key of this ring, or was changed afterwards."""


@dataclass(frozen=True, slots=True)
class _Key:
    key_id: str
    fields: AESGCM
    tokens: AESSIV
    index: bytes

    @classmethod
    def of(cls, key_id: str, secret: bytes) -> _Key:
        def derived(purpose: bytes, length: int) -> bytes:
            return HKDF(SHA256(), length, None, b"huzhu.console/" + purpose).derive(secret)

        return cls(key_id, AESGCM(derived(b"fields", 32)), AESSIV(derived(b"tokens", 64)), derived(b"index", KEY_BYTES))


class Keyring:
    """All keys of a file; the newest encrypts. ``finding``: those that find persons, if the file has any."""

    def __init__(self, secrets_by_id: dict[str, bytes], finding: BlindIndex | None = None) -> None:
        """Keys by their ids, oldest first; at least one, each of 32 bytes."""
        self.finding = finding
        self._keys = {key_id: _Key.of(key_id, secret) for key_id, secret in secrets_by_id.items()}
        self._newest = list(self._keys.values())[-1]

    @property
    def newest(self) -> str:
        """Id of the key that encrypts."""
        return self._newest.key_id

    def seal(self, text: str, place: str) -> bytes:
        """Encrypts one field; ``place`` binds it to its row and column, so that fields cannot be swapped."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._newest.fields.encrypt(nonce, text.encode("utf-8"), place.encode("utf-8"))

    def open(self, sealed: bytes, key_id: str, place: str) -> str:
        """The text of a field. Raises NotReadable."""
        key = self._keys.get(key_id)
        try:
            if key is None:
                raise InvalidTag
            text = key.fields.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode("utf-8"))
        except (InvalidTag, ValueError):
            raise NotReadable(
                "a field was encrypted with a key that is not in the key file, or it was changed"
            ) from None
        return text.decode("utf-8")

    def token(self, text: str, purpose: str) -> str:
        """A token for ``text``, safe in an address: the same for the same text, and unreadable without the key."""
        sealed = self._newest.tokens.encrypt(text.encode("utf-8"), [purpose.encode("utf-8")])
        return f"{self._newest.key_id}.{base64.urlsafe_b64encode(sealed).decode('ascii').rstrip('=')}"

    def untoken(self, token: str, purpose: str) -> str:
        """The text behind a token. Raises NotReadable."""
        key_id, _, encoded = token.partition(".")
        key = self._keys.get(key_id)
        try:
            sealed = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            if key is None:
                raise InvalidTag
            return key.tokens.decrypt(sealed, [purpose.encode("utf-8")]).decode("utf-8")
        except (InvalidTag, ValueError, binascii.Error):
            raise NotReadable("this address was not made here, or its key is gone") from None

    def indexes(self, person_id: str) -> dict[str, bytes]:
        """By key id, under what the directory would hold a person; the newest key's last."""
        return {
            key_id: hmac.new(key.index, person_id.encode("utf-8"), hashlib.sha256).digest()
            for key_id, key in self._keys.items()
        }


def read_keyring(file: Path) -> Keyring:
    """The keys of a file. Raises KeyringUnusable, also when others can read it."""
    try:
        mode = file.stat().st_mode
        lines = file.read_text("ascii").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyringUnusable(f"{file}: the key file cannot be read ({type(error).__name__})") from None
    if stat.S_IMODE(mode) & 0o077:
        raise KeyringUnusable(f"{file}: others can read or write the keys; run `chmod 600 {file}`")
    keys, finding = dict[str, bytes](), dict[str, bytes]()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        key_id, _, rest = line.strip().partition(" ")
        encoded, _, purpose = rest.partition(" ")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            secret = b""
        known = key_id in keys or key_id in finding or purpose not in ("", FINDING)
        if len(secret) != KEY_BYTES or not key_id.isalnum() or known:
            raise KeyringUnusable(
                f"{file}, line {number}: each line is KEY_ID BASE64-OF-32-BYTES, with unique ids, "
                f"and `{FINDING}` after it if the key only finds persons"
            )
        (finding if purpose else keys)[key_id] = secret
    if not keys:
        raise KeyringUnusable(f"{file}: the file has no key; run `huzhu people newkey {file}`")
    return Keyring(keys, BlindIndex(finding) if finding else None)


def add_key(file: Path, *, finding: bool = False) -> str:
    """Appends a new key to a key file, created (mode 0600) if missing; returns the key's id.

    ``finding``: a key that only finds persons, which goes into a file that has another one already.
    Raises KeyringUnusable for a file that holds anything but keys: it is left as it is.
    """
    key_id = secrets.token_hex(4)
    secret = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")
    line = f"{key_id} {secret} {FINDING}\n" if finding else f"{key_id} {secret}\n"
    try:
        if file.exists() or finding:
            read_keyring(file)
            if not file.read_bytes().endswith(b"\n"):
                line = f"\n{line}"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w") as opened:
            opened.write(line)
    except OSError as error:
        raise KeyringUnusable(f"{file}: cannot be written ({type(error).__name__})") from None
    return key_id
