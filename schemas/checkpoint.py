"""A checkpoint of a shard's audit log as a signed note: what was in the log at a moment, and who says so.

The text is that of the transparency logs (C2SP: signed-note and tlog-checkpoint), so their tools read it too:

    wuxi.example/huzhu/shard/3         origin: the log's name and the shard
    1500                               how many entries
    4lQRm1fmFMKzIoyfR8kU0zVh...=       root of their RFC 6962 tree, base64
    time 2027-03-01T12:00:00+08:00     when it was made

    — wuxi.example/huzhu xM7g0Z...=    signature: the log's name, then 4 bytes of key id and 64 of Ed25519

The signature covers the text up to the empty line, including its last line feed.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from schemas.dates import format_instant, parse_instant

ED25519 = b"\x01"
"""The algorithm's byte of a signed note."""

_NAME = re.compile(r"[^\s+]{1,200}")
_NOTE = re.compile(r"((?:(?!— )[^\n]+\n)+)\n((?:— [^\n]+\n)+)\n*")
_ORIGIN = re.compile(r"(\S+)/shard/(0|[1-9][0-9]*)")
_SIZE = re.compile(r"[1-9][0-9]{0,17}")


class NotACheckpoint(ValueError):
    """A text that is not a checkpoint; the message says what is wrong."""


class VerifierKey(NamedTuple):
    """A public key with the name of the log whose checkpoints it checks; ``public`` is 32 bytes."""

    name: str
    public: bytes

    @property
    def key_id(self) -> str:
        """Eight hexadecimal digits that follow from name and key."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).hexdigest()[:8]

    def __str__(self) -> str:
        """As signed notes spell a key: name, key id, base64 of algorithm and key."""
        return f"{self.name}+{self.key_id}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Raises NotACheckpoint."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        data = _base64(encoded)
        if not is_log_name(name) or len(data) != 33 or data[:1] != ED25519:
            raise NotACheckpoint("a public key is written NAME+8 HEX DIGITS+BASE64 of an Ed25519 key")
        key = cls(name, data[1:])
        if key.key_id != key_id:
            raise NotACheckpoint(f"the key id {key_id} does not belong to this name and key")
        return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``root`` is that of the first ``size`` entries of ``shard`` in the log ``name``; sizes begin at 1."""

    name: str
    shard: int
    size: int
    root: bytes
    made_at: datetime

    @property
    def text(self) -> str:
        """The bytes that are signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.name}/shard/{self.shard}\n{self.size}\n{root}\ntime {format_instant(self.made_at)}\n"


class Signature(NamedTuple):
    """One line of signature: whose key, and the 64 bytes."""

    name: str
    key_id: str
    value: bytes

    @property
    def line(self) -> str:
        """As a signed note spells it, with its line feed."""
        return f"— {self.name} {base64.b64encode(bytes.fromhex(self.key_id) + self.value).decode()}\n"


class SignedCheckpoint(NamedTuple):
    """A checkpoint with its signatures, not yet checked."""

    checkpoint: Checkpoint
    signatures: tuple[Signature, ...]

    @property
    def note(self) -> str:
        """The whole text."""
        return f"{self.checkpoint.text}\n{''.join(signature.line for signature in self.signatures)}"


def is_log_name(name: str) -> bool:
    """Whether a log may have this name: no white space, no plus sign."""
    return _NAME.fullmatch(name) is not None


def parse_notes(text: str) -> list[SignedCheckpoint]:
    """The checkpoints of a text that holds one or several notes. Raises NotACheckpoint."""
    notes: list[SignedCheckpoint] = []
    place = len(text) - len(text.lstrip("\n"))
    while place < len(text):
        match = _NOTE.match(text, place)
        if match is None:
            line = text.count("\n", 0, place) + 1
            raise NotACheckpoint(f"line {line}: no signed note starts here (text, empty line, '— NAME SIGNATURE')")
        body, lines = match.groups()
        notes.append(SignedCheckpoint(_parse_body(body), tuple(map(parse_signature, lines.splitlines()))))
        place = match.end()
    return notes


def _parse_body(body: str) -> Checkpoint:
    lines = body.splitlines()
    origin = _ORIGIN.fullmatch(lines[0])
    if len(lines) != 4 or origin is None or not _SIZE.fullmatch(lines[1]) or not lines[3].startswith("time "):
        raise NotACheckpoint("a checkpoint has four lines: NAME/shard/N, size, root and time")
    root = _base64(lines[2])
    if len(root) != 32:
        raise NotACheckpoint("the third line of a checkpoint is 32 bytes in base64")
    try:
        made_at = parse_instant(lines[3].removeprefix("time "))
    except ValueError:
        raise NotACheckpoint("the fourth line of a checkpoint is 'time' and an RFC 3339 instant") from None
    checkpoint = Checkpoint(origin[1], int(origin[2]), int(lines[1]), root, made_at)
    if checkpoint.text != body:
        raise NotACheckpoint("the checkpoint is not in the form that Huzhu writes")
    return checkpoint


def parse_signature(line: str) -> Signature:
    """A line of signature, with or without its line feed. Raises NotACheckpoint."""
    name, _, encoded = line.removesuffix("\n").removeprefix("— ").partition(" ")
    data = _base64(encoded)
    if not is_log_name(name) or len(data) < 5:
        raise NotACheckpoint("a signature line is written '— NAME BASE64'")
    return Signature(name, data[:4].hex(), data[4:])


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
