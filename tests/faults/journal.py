"""The test's own journal: what it posted and what Kafka acknowledged, on disk before anybody relies on it.

One JSON object a line: ``{"n", "topic", "key", "sha256"}`` before an event is posted, ``{"n", "at": [topic, partition,
offset]}`` when it was acknowledged, ``{"n", "error"}`` when it was given up, ``{"n", "aborted": true}`` when its sender
took it back.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

Place = tuple[str, int, int]
"""Topic, partition, offset."""


class Journal:
    """Writes the journal. Use it as a context manager; one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        self._last = 0

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sync()
        self._file.close()

    def posting(self, topic: str, key: bytes | None, value: bytes | None) -> int:
        """Notes that an event is about to be posted; its number. Call `sync` before posting it."""
        self._last += 1
        said = None if key is None else key.decode("utf-8", "replace")
        self._write({"n": self._last, "topic": topic, "key": said, "sha256": sha256(value)})
        return self._last

    def acknowledged(self, number: int, place: Place) -> None:
        self._write({"n": number, "at": list(place)})

    def given_up(self, number: int, error: str) -> None:
        self._write({"n": number, "error": error})

    def aborted(self, number: int) -> None:
        self._write({"n": number, "aborted": True})

    def sync(self) -> None:
        """Returns when everything noted so far would survive a crash."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")


@dataclass
class Acknowledged:
    """A journal as it is read back."""

    posted: dict[int, str] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    given_up: set[int] = field(default_factory=set)
    aborted: set[int] = field(default_factory=set)

    @property
    def by_place(self) -> dict[Place, str]:
        """The SHA-256 of what was acknowledged at each place, whatever its sender took back left out."""
        return {place: self.posted[number] for number, place in self.places.items() if number not in self.aborted}

    @property
    def open(self) -> set[int]:
        """Posted, and then neither acknowledged nor given up nor taken back: the run ended too early."""
        return self.posted.keys() - self.places.keys() - self.given_up - self.aborted


def read_journal(path: Path) -> Acknowledged:
    """The journal in a file. Raises ValueError when a line is damaged."""
    found = Acknowledged()
    for raw in path.read_bytes().splitlines():
        line = json.loads(raw)
        match line:
            case {"sha256": str(digest)}:
                found.posted[line["n"]] = digest
            case {"at": [str(topic), int(partition), int(offset)]}:
                found.places[line["n"]] = (topic, partition, offset)
            case {"aborted": True}:
                found.aborted.add(line["n"])
            case {"error": _}:
                found.given_up.add(line["n"])
            case _:
                raise ValueError(f"a line that is none of ours: {raw[:80]!r}")
    return found


def sha256(value: bytes | None) -> str:
    """Of a message's bytes; of none when it has none (a tombstone)."""
    return hashlib.sha256(value or b"").hexdigest()
