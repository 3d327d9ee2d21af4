"""The Ed25519 keys that sign checkpoints and archives: creating, reading, signing, verifying.

A key is one line of text, as in signed notes. Only its owner may read a private key's file.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.checkpoint import (
    ED25519,
    Checkpoint,
    NotACheckpoint,
    Signature,
    SignedCheckpoint,
    VerifierKey,
    is_log_name,
)

_PRIVATE = "PRIVATE+KEY+"


class KeyUnusable(Exception):
    """A key file that cannot be used; the message names the file and what to do, and reveals nothing of the key."""


class SigningKey:
    """A private key with the name of the log that it signs for."""

    def __init__(self, name: str, seed: bytes) -> None:
        """``seed`` is 32 secret bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, self._key.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> SignedCheckpoint:
        """The checkpoint with this key's signature. It must belong to the log that the key is for."""
        assert checkpoint.name == self.verifier.name
        return SignedCheckpoint(checkpoint, (self.signature_of(checkpoint.text.encode()),))

    def signature_of(self, data: bytes) -> Signature:
        """This key's signature of some bytes: a checkpoint's text, or what can be taken for none."""
        return Signature(self.verifier.name, self.verifier.key_id, self._key.sign(data))

    @classmethod
    def read(cls, file: Path) -> SigningKey:
        """Raises KeyUnusable, also when others can read the file."""
        try:
            mode = file.stat().st_mode
            text = file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyUnusable(f"{file}: the signing key cannot be read ({type(error).__name__})") from None
        if stat.S_IMODE(mode) & 0o077:
            raise KeyUnusable(f"{file}: others can read or write the signing key; run `chmod 600 {file}`")
        name, _, rest = text.removeprefix(_PRIVATE).partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            data = base64.b64decode(encoded, validate=True)
        except ValueError:
            data = b""
        if not text.startswith(_PRIVATE) or not is_log_name(name) or len(data) != 33 or data[:1] != ED25519:
            raise KeyUnusable(f"{file}: this is not a signing key; `huzhu audit keygen` makes one")
        key = cls(name, data[1:])
        if key.verifier.key_id != key_id:
            raise KeyUnusable(f"{file}: the signing key is damaged: its key id does not belong to it")
        return key


def make_key(name: str, file: Path) -> VerifierKey:
    """Writes a new private key (mode 0600) and, with ``.pub`` at the end of its name, the public one.

    Raises ValueError for a name that a log cannot have, FileExistsError rather than lose a key.
    """
    if not is_log_name(name):
        raise ValueError("a log's name has no white space and no plus sign, such as wuxi.example/huzhu")
    public = public_file(file)
    if public.exists():
        raise FileExistsError(public)
    seed = os.urandom(32)
    verifier = SigningKey(name, seed).verifier
    line = f"{_PRIVATE}{name}+{verifier.key_id}+{base64.b64encode(ED25519 + seed).decode()}\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as private:
        private.write(line)
    public.write_text(f"{verifier}\n", "utf-8")
    return verifier


def public_file(file: Path) -> Path:
    """Where `make_key` writes the public key of a private one."""
    return file.with_name(f"{file.name}.pub")


def read_public_keys(files: Iterable[Path]) -> list[VerifierKey]:
    """The public keys in some files, one per line; empty lines and lines that start with # are ignored.

    Raises KeyUnusable.
    """
    keys: list[VerifierKey] = []
    for file in files:
        try:
            lines = file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyUnusable(f"{file}: the public key cannot be read ({type(error).__name__})") from None
        try:
            keys += [VerifierKey.parse(line) for line in lines if line.strip() and not line.startswith("#")]
        except NotACheckpoint as error:
            raise KeyUnusable(f"{file}: {error}") from None
    return keys


def is_signed(signed: SignedCheckpoint, keys: Iterable[VerifierKey]) -> bool:
    """Whether one of the keys has signed the checkpoint, for the log that it names."""
    return has_signed(signed.checkpoint.text.encode(), signed.signatures, signed.checkpoint.name, keys)


def has_signed(data: bytes, signatures: Iterable[Signature], log: str, keys: Iterable[VerifierKey]) -> bool:
    """Whether one of the signatures is one of the keys', of these bytes and for this log."""
    signatures = list(signatures)
    for key in keys:
        for signature in signatures:
            if key.name == log == signature.name and key.key_id == signature.key_id:
                try:
                    Ed25519PublicKey.from_public_bytes(key.public).verify(signature.value, data)
                except (InvalidSignature, ValueError):
                    continue
                return True
    return False
