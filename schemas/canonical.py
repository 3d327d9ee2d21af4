"""One spelling for one value: canonical JSON after RFC 8785, and SHA-256 over it.

Everything that is hashed, compared or chained goes through here. Values hold no floats (money is a string,
counts are integers), which leaves key order and string escapes: the standard encoder writes both as the RFC asks
for keys in the Basic Multilingual Plane.
"""

from __future__ import annotations

import hashlib
import json

# Built once: `json.dumps` with options builds one a call, an eighth of the time of a small value.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: object) -> bytes:
    """UTF-8 bytes of ``value`` with sorted keys and no white space. Raises ValueError for NaN, TypeError for others."""
    return _ENCODER.encode(value).encode("utf-8")


def sha256_hex(data: bytes) -> str:
    """SHA-256 of bytes, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def derived_id(prefix: str, *parts: object) -> str:
    """An identifier that follows from its cause alone: ``prefix`` and 128 bits of the SHA-256 of ``parts``."""
    return f"{prefix}-{sha256_hex(canonical_json(list(parts)))[:32]}"
