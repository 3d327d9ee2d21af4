"""The keys by which persons are found: hashes that show, without the key, no more than which fields are equal."""

from __future__ import annotations

import hashlib
import hmac

from schemas.searched_words import PersonalKind, normalised


class BlindIndex:
    """The finding keys of a key file; the newest makes what is stored, all of them find."""

    def __init__(self, secrets_by_id: dict[str, bytes]) -> None:
        """Keys by their ids, oldest first; at least one, each of 32 bytes."""
        self._keys = secrets_by_id

    @property
    def newest(self) -> str:
        """Id of the key under which new hashes are made."""
        return list(self._keys)[-1]

    @property
    def key_ids(self) -> list[str]:
        """Ids of all keys, oldest first."""
        return list(self._keys)

    def digest(self, kind: PersonalKind, text: str, key_id: str) -> bytes | None:
        """HMAC-SHA-256 of a name or number in its one form, bound to its kind; None if nothing of the text is left."""
        form = normalised(kind, text)
        if not form:
            return None
        return hmac.new(self._keys[key_id], f"{kind.value}\n{form}".encode(), hashlib.sha256).digest()
