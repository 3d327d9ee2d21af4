"""A person's shard: the partition that Kafka's default partitioner gives their key (murmur2)."""

from __future__ import annotations

from functools import lru_cache

from kafka.partitioner.default import murmur2


@lru_cache(maxsize=1 << 17)
def shard_of(person_id: str, shard_count: int) -> int:
    """The partition of the key ``person_id`` among ``shard_count``, as every Java client computes it."""
    return int(murmur2(person_id.encode("utf-8")) & 0x7FFFFFFF) % shard_count
