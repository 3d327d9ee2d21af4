"""A checkpoint has one spelling, the one of signed notes; keys stay with whom they belong to."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.keys.audit_signing import KeyUnusable, SigningKey, is_signed, make_key, public_file, read_public_keys
from schemas.checkpoint import Checkpoint, NotACheckpoint, Signature, SignedCheckpoint, VerifierKey, parse_notes

KEY = SigningKey("wuxi.example/huzhu", b"\x07" * 32)
MADE = datetime(2027, 3, 1, 4, 0, 0, 5, UTC)
CHECKPOINT = Checkpoint("wuxi.example/huzhu", 3, 1500, sha256(b"root").digest(), MADE)


def test_a_checkpoint_is_spelled_as_a_signed_note() -> None:
    """Origin, size, root, our line with the time; an empty line; a signature with the key's id before it."""
    note = KEY.sign(CHECKPOINT).note
    lines = note.split("\n")
    assert ["wuxi.example/huzhu/shard/3", "1500", base64.b64encode(CHECKPOINT.root).decode()] == lines[:3]
    assert ["time 2027-03-01T12:00:00.000005+08:00", ""] == lines[3:5]
    dash, name, encoded = lines[5].split(" ")
    assert ("—", "wuxi.example/huzhu", "") == (dash, name, lines[6])
    data = base64.b64decode(encoded)
    assert 68 == len(data)
    assert KEY.verifier.key_id == data[:4].hex()


def test_the_key_of_the_note_format_s_own_documentation_is_read() -> None:
    """The example of Go's package `note`: its verifier key, with the key id that follows from name and key."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    key = VerifierKey.parse(text)
    assert ("PeterNeumann", "c74f20a3", text) == (key.name, key.key_id, str(key))


def test_what_was_written_is_read_back() -> None:
    """One note, or several one after the other, with or without an empty line between."""
    first, second = KEY.sign(CHECKPOINT), KEY.sign(Checkpoint(CHECKPOINT.name, 0, 1, b"\x00" * 32, MADE))
    for between in ("", "\n", "\n\n"):
        assert [first, second] == parse_notes(f"\n{first.note}{between}{second.note}\n")
    assert [] == parse_notes("")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/shard/3", "/shard/03"),
        ("/shard/3", ""),
        ("1500", "01500"),
        ("1500", "-1"),
        ("time 2027", "at 2027"),
        ("time 2027-03-01T12", "time 2027-03-01T11"),
        ("+08:00", "Z"),
        ("12:00:00.000005+08:00", "04:00:00.000005Z"),
        ("—", "-"),
        ("\n\n", "\n"),
        ("=\n", "\n"),
    ],
)
def test_another_spelling_is_no_checkpoint_or_another_one(old: str, new: str) -> None:
    """What still reads as a checkpoint has no signature any more."""
    text = KEY.sign(CHECKPOINT).note.replace(old, new, 1)
    try:
        (signed,) = parse_notes(text)
    except NotACheckpoint:
        return
    assert not is_signed(signed, [KEY.verifier])


def test_a_signature_counts_for_its_key_and_log_alone() -> None:
    """Not for another key of the same name, nor for another log."""
    signed = KEY.sign(CHECKPOINT)
    assert is_signed(signed, [SigningKey(KEY.verifier.name, b"\x08" * 32).verifier, KEY.verifier])
    assert not is_signed(signed, [SigningKey(KEY.verifier.name, b"\x08" * 32).verifier])
    assert not is_signed(signed, [SigningKey("another.example", b"\x07" * 32).verifier])
    assert not is_signed(signed, [])
    assert not is_signed(signed._replace(signatures=()), [KEY.verifier])
    of_another = replace(CHECKPOINT, name="another.example")
    value = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32).sign(of_another.text.encode())
    for name in (KEY.verifier.name, "another.example"):
        signature = Signature(name, KEY.verifier.key_id, value)
        assert not is_signed(SignedCheckpoint(of_another, (signature,)), [KEY.verifier])


def test_a_made_key_signs_and_its_public_half_verifies(tmp_path: Path) -> None:
    """Only its owner may read the private file; neither file is ever overwritten."""
    file = tmp_path / "audit.key"
    verifier = make_key("wuxi.example/huzhu", file)
    assert 0o600 == file.stat().st_mode & 0o777
    assert [verifier] == read_public_keys([public_file(file)])
    assert is_signed(SigningKey.read(file).sign(CHECKPOINT), [verifier])
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        make_key("wuxi.example/huzhu", file)
    public_file(file).unlink()
    with pytest.raises(FileExistsError):
        make_key("wuxi.example/huzhu", file)
    assert before == file.read_bytes()
    with pytest.raises(ValueError, match="white space"):
        make_key("a b", tmp_path / "other.key")


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    """The message says what to do; no message holds any of the key."""
    file = tmp_path / "audit.key"
    make_key("wuxi.example/huzhu", file)
    secret = file.read_text("ascii").split("+", 4)[4].strip()
    file.chmod(0o640)
    with pytest.raises(KeyUnusable, match="chmod 600") as open_to_others:
        SigningKey.read(file)
    file.chmod(0o600)
    file.write_text(file.read_text("ascii").replace("huzhu+", "hozhu+"), "ascii")
    with pytest.raises(KeyUnusable, match="damaged") as damaged:
        SigningKey.read(file)
    file.write_text("hello", "ascii")
    with pytest.raises(KeyUnusable, match="not a signing key"):
        SigningKey.read(file)
    with pytest.raises(KeyUnusable, match="cannot be read"):
        SigningKey.read(tmp_path / "missing")
    assert not any(secret in str(each.value) for each in (open_to_others, damaged))


def test_an_unusable_public_key_is_named_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.pub"
    file.write_text(f"# ours\n\n{KEY.verifier}\n", "utf-8")
    assert [KEY.verifier] == read_public_keys([file])
    for text in ("hello", str(KEY.verifier).replace(KEY.verifier.key_id, "00000000"), "name+12345678+AAAA"):
        file.write_text(text, "utf-8")
        with pytest.raises(KeyUnusable, match=re.escape(str(file))):
            read_public_keys([file])
