"""The messages of a batch come out of their encoding as they went in, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.ledger.outbox_batch import PACKED_BYTES_MAX, OutboxUnreadable, in_batches, packed, unpacked
from schemas.records import OutboxRow
from schemas.topics import TOPICS

Contents = list[tuple[str, bytes | None, bytes]]
CONTENTS = st.tuples(
    st.sampled_from([topic.name for topic in TOPICS]) | st.text(max_size=60),
    st.none() | st.binary(max_size=40),
    st.binary(max_size=300),
)
LISTS = st.lists(CONTENTS, min_size=1, max_size=20)


def numbered(contents: Contents, first: int = 1, shard: int = 0) -> list[OutboxRow]:
    return [OutboxRow(shard, seq, *each) for seq, each in enumerate(contents, start=first)]


@given(LISTS, st.integers(1, 2**62), st.integers(0, 255))
def test_what_was_packed_is_unpacked(contents: Contents, first: int, shard: int) -> None:
    """Topics, keys (none, empty or not), values and numbers."""
    messages = numbered(contents, first, shard)
    assert messages == unpacked(shard, first, messages[-1].seq, packed(messages))


@given(LISTS, st.data())
def test_a_batch_that_is_cut_off_is_refused(contents: Contents, data: st.DataObject) -> None:
    """Wherever it ends too soon, also between two messages; and so is one with bytes behind its end."""
    whole = packed(numbered(contents))
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    for damaged in (cut, whole + data.draw(st.binary(min_size=1, max_size=30))):
        with pytest.raises(OutboxUnreadable, match=f"shard 0: the outbox's batch 1 to {len(contents)} "):
            unpacked(0, 1, len(contents), damaged)


@given(LISTS, st.binary(max_size=1).filter(lambda version: version != b"\x01"))
def test_a_version_that_is_not_known_is_refused(contents: Contents, version: bytes) -> None:
    """With what to do about it."""
    with pytest.raises(OutboxUnreadable, match="does not know: run the newer one"):
        unpacked(0, 1, len(contents), version + (packed(numbered(contents))[1:] if version else b""))


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([1, 1000, PACKED_BYTES_MAX // 2, PACKED_BYTES_MAX + 1]))))
def test_batches_hold_every_message_once_and_in_order(sizes: list[tuple[int, int]]) -> None:
    """Each holds messages of one shard, and more than one only as far as they fit."""
    ends = dict.fromkeys(range(4), 0)
    messages = []
    for shard, size in sizes:
        ends[shard] += 1
        messages.append(OutboxRow(shard, ends[shard], "alerts", None, BYTES[:size]))
    batches = list(in_batches(messages))
    assert sorted(messages) == sorted(each for batch in batches for each in batch)
    for batch in batches:
        assert list(range(batch[0].seq, batch[0].seq + len(batch))) == [each.seq for each in batch]
        assert {batch[0].shard} == {each.shard for each in batch}
        assert len(batch) == 1 or sum(len(each.value) for each in batch) <= PACKED_BYTES_MAX
    for shard in ends:
        firsts = [batch[0].seq for batch in batches if batch[0].shard == shard]
        assert sorted(firsts) == firsts


BYTES = bytes(PACKED_BYTES_MAX + 1)
