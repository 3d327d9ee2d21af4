"""The messages of a batch in one value of the outbox, in a plain encoding that says its version.

The first byte is the version, 1. Then comes one message after the other: the length of its topic (one byte), of its key
(four bytes, big-endian; -1 for no key) and of its value (four bytes), and then topic, key and value themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from struct import Struct, error

from infra.ledger.schema import LedgerMismatch
from schemas.records import OutboxRow

VERSION = b"\x01"
NO_KEY = -1
PACKED_BYTES_MAX = 4 * 1024 * 1024
"""A batch with more than that is cut into several, so that a reader's memory is bounded; one message can be larger."""

_LENGTHS = Struct(">Bii")


class OutboxUnreadable(LedgerMismatch):
    """A batch of the outbox that this program cannot read: nothing after it is sent."""


def packed(messages: Iterable[OutboxRow]) -> bytes:
    """Messages as one value."""
    parts = [VERSION]
    for _, _, topic, key, value, _ in messages:
        name = topic.encode()
        parts += (_LENGTHS.pack(len(name), NO_KEY if key is None else len(key), len(value)), name, key or b"", value)
    return b"".join(parts)


def unpacked(shard: int, first: int, last: int, packed_messages: bytes) -> list[OutboxRow]:
    """The messages of a batch, numbered ``first`` to ``last``. Raises OutboxUnreadable."""
    where = f"shard {shard}: the outbox's batch {first} to {last}"
    if packed_messages[:1] != VERSION:
        raise OutboxUnreadable(
            f"{where} is written in a way that this Huzhu does not know: run the newer one, or restore the newest copy"
        )
    found: list[OutboxRow] = []
    at, end, seq = len(VERSION), len(packed_messages), first
    try:
        while at < end:
            topic_length, key_length, value_length = _LENGTHS.unpack_from(packed_messages, at)
            topic_at = at + _LENGTHS.size
            key_at = topic_at + topic_length
            value_at = key_at + max(key_length, 0)
            at = value_at + value_length
            if key_length < NO_KEY or value_length < 0 or at > end:
                raise ValueError
            topic = packed_messages[topic_at:key_at].decode()
            key = None if key_length == NO_KEY else packed_messages[key_at:value_at]
            found.append(OutboxRow(shard, seq, topic, key, packed_messages[value_at:at]))
            seq += 1
    except (ValueError, error):
        raise OutboxUnreadable(f"{where} is damaged or cut off at message {seq}: restore the newest copy") from None
    if seq != last + 1:
        raise OutboxUnreadable(f"{where} holds {len(found)} messages: restore the newest copy")
    return found


def traceparents_of(batch: Iterable[OutboxRow]) -> str | None:
    """The traceparents of a batch, a line for each message, empty where it has none; None where no message has one."""
    lines = [message.traceparent or "" for message in batch]
    return "\n".join(lines) if any(lines) else None


def with_traceparents(batch: list[OutboxRow], lines: str | None) -> list[OutboxRow]:
    """A batch with its traceparents: as many as there are, since nothing that is sent depends on them."""
    if lines is None:
        return batch
    found = zip_longest(batch, lines.split("\n")[: len(batch)])
    return [message._replace(traceparent=line or None) for message, line in found]


def in_batches(messages: Sequence[OutboxRow]) -> Iterator[list[OutboxRow]]:
    """Messages by shard, in the order of their numbers, cut where they grow larger than a batch may be."""
    shards: dict[int, list[OutboxRow]] = {}
    for message in messages:
        shards.setdefault(message.shard, []).append(message)
    for those in shards.values():
        batch: list[OutboxRow] = []
        size = 0
        for message in those:
            size += len(message.value)
            if batch and size > PACKED_BYTES_MAX:
                yield batch
                batch, size = [], len(message.value)
            batch.append(message)
        yield batch
