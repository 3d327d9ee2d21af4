"""The script for auditors checks Ed25519 as RFC 8032 and `cryptography` do; it needs the standard library alone."""

from __future__ import annotations

import ast
import importlib.util
import sys
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from infra.keys.audit_signing import SigningKey
from tests.support.builders import unhurried
from tests.support.paths import EXAMPLES

SCRIPT = EXAMPLES / "verify_proof.py"


def load() -> Any:
    spec = importlib.util.spec_from_file_location("verify_proof", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = load()

# RFC 8032, 7.1: public key, message, signature of TEST 1, 2, 3 and SHA(abc).
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_vectors_of_rfc_8032_verify(public: str, message: str, signature: str) -> None:
    """And none of them with one bit of key, message or signature changed."""
    parts = [bytes.fromhex(each) for each in (public, message, signature)]
    assert script.is_signature(*parts)
    for index, part in enumerate(parts):
        if part:
            spoiled = [*parts[:index], bytes([part[0] ^ 1]) + part[1:], *parts[index + 1 :]]
            assert not script.is_signature(*spoiled)


def accepted(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@unhurried
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.data())
def test_the_script_accepts_what_cryptography_accepts(seed: bytes, message: bytes, data: st.DataObject) -> None:
    """Signatures that were made, and the same with some bytes changed."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), bytearray(key.sign(message))
    assert script.is_signature(public, message, bytes(signature))
    for _ in range(data.draw(st.integers(1, 3))):
        signature[data.draw(st.integers(0, 63))] ^= data.draw(st.integers(0, 255))
    assert accepted(public, message, bytes(signature)) == script.is_signature(public, message, bytes(signature))


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes.fromhex(VECTORS[0][2])[:63],
        bytes.fromhex(VECTORS[0][2])[:32]
        + (int.from_bytes(bytes.fromhex(VECTORS[0][2])[32:], "little") + script.L).to_bytes(32, "little"),
        b"\xff" * 64,
    ],
    ids=["nothing", "too short", "s is not reduced", "no point"],
)
def test_a_malformed_signature_is_none(signature: bytes) -> None:
    """A signature has one spelling: s is below the order of the group (RFC 8032, 5.1.7)."""
    assert not script.is_signature(bytes.fromhex(VECTORS[0][0]), b"", signature)


def test_a_point_has_one_spelling() -> None:
    """Its coordinate is below the field's prime, and zero has no sign (RFC 8032, 5.1.3)."""
    assert script.point_of((1).to_bytes(32, "little")) == (0, 1, 1, 0)
    assert script.point_of((script.P + 1).to_bytes(32, "little")) is None
    assert script.point_of((1 + 2**255).to_bytes(32, "little")) is None
    assert script.point_of((2).to_bytes(32, "little")) is None


def test_a_key_with_another_id_is_refused() -> None:
    line = str(SigningKey("wuxi.example/huzhu", b"\x01" * 32).verifier)
    name, key_id, public = script.read_key(line + "\n")
    assert ("wuxi.example/huzhu", 32) == (name, len(public))
    with pytest.raises(ValueError, match="does not belong"):
        script.read_key(line.replace(key_id.hex(), "00000000"))


def test_the_script_imports_the_standard_library_alone() -> None:
    names = {
        alias.name.partition(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert names <= sys.stdlib_module_names
