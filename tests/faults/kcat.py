"""Topics as kcat reads them: a client that shares nothing with the program under test."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection
from typing import NamedTuple

from tests.support import debian

READ_S_MAX = 120.0
FETCH_BYTES = 8 * 1024 * 1024
REACHED = re.compile(r"Reached end of topic (\S+) \[(\d+)\] at offset (\d+)")
OFFSET = re.compile(r"(\S+) \[(\d+)\] offset (-?\d+)")


class Unreadable(Exception):
    """Something could not be read to its end, so nothing can be said."""


class Message(NamedTuple):
    """One message of a topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


def missing() -> str:
    """Why the oracle cannot read here, or nothing when it can."""
    return debian.missing("kcat")


def ends(bootstrap: str, topics: Collection[str], partitions: int, isolation: str) -> dict[tuple[str, int], int]:
    """The end of each partition for a reader of that isolation. Raises Unreadable."""
    asked = [word for topic in topics for number in range(partitions) for word in ("-t", f"{topic}:{number}:-1")]
    said = _run(["kcat", "-Q", "-b", bootstrap, "-X", f"isolation.level={isolation}", *asked]).stdout.decode()
    found = {(topic, int(number)): int(offset) for topic, number, offset in OFFSET.findall(said)}
    if len(found) != len(topics) * partitions or min(found.values()) < 0:
        raise Unreadable(f"kcat knows the ends of {len(found)} of {len(topics) * partitions} partitions")
    return found


def read_topic(bootstrap: str, topic: str, expected: dict[int, int]) -> list[Message]:
    """Every committed message of a topic, by partition and offset.

    Raises Unreadable unless kcat says that it came to the ``expected`` end of every partition.
    """
    settings = ["-X", "isolation.level=read_committed", "-X", f"fetch.message.max.bytes={FETCH_BYTES}"]
    done = _run(
        ["kcat", "-C", "-b", bootstrap, "-t", topic, "-o", "beginning", "-e", *settings, "-f", "%p %o %K %S\n%k%s\n"]
    )
    reached = {int(number): int(offset) for _, number, offset in REACHED.findall(done.stderr.decode())}
    if reached != expected:
        raise Unreadable(f"kcat reached {reached} of {topic}, which ends at {expected}")
    return sorted(_parse(done.stdout), key=lambda message: message[:2])


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        done = subprocess.run(command, capture_output=True, timeout=READ_S_MAX, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreadable(f"kcat: {type(error).__name__}") from error
    if done.returncode:
        raise Unreadable(f"kcat ended with {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}")
    return done


def _parse(output: bytes) -> list[Message]:
    messages: list[Message] = []
    position = 0
    while position < len(output):
        line_end = output.index(b"\n", position)
        partition, offset, key_size, value_size = map(int, output[position:line_end].split())
        position = line_end + 1
        key, position = _take(output, position, key_size)
        value, position = _take(output, position, value_size)
        if output[position : position + 1] != b"\n":
            raise Unreadable(f"kcat's output is damaged at byte {position}")
        position += 1
        messages.append(Message(partition, offset, key, value))
    return messages


def _take(output: bytes, position: int, size: int) -> tuple[bytes | None, int]:
    if size < 0:
        return None, position
    return output[position : position + size], position + size
