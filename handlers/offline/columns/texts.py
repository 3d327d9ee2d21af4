"""Many texts at once: amounts and instants as numbers, and a key for each text. Whatever is not plain is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from handlers.offline.columns.arrays import Bools, Ints

Keys = NDArray[np.uint64]

UNREAD = -(2**62)
"""In place of the number of a text that is not plain."""

_DIGITS_MAX = 14
"""Of an amount in fen: `schemas.money.FEN_MAX` has as many."""

_ZERO, _NINE, _POINT = b"09."
_QUOTE, _COLON, _BRACKET, _ESCAPE, _DELETE, _SPACE = b'":[\\\x7f '

LINE_BYTES_MAX = 10_000
"""Of a line that is read with others."""

_FORM = np.frombuffer(b"0000-00-00T00:00:00+08:00", np.uint8)
_FIXED = np.array([4, 7, 10, 13, 16, 19, 20, 21, 22, 23, 24])
FIRST_YEAR = 1992
"""First year from which +08:00 is the time of Shanghai on every day."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(int(_BASE), -1, 2**64))


class Seen(NamedTuple):
    """How many names each line seems to have, and which lines are plain.

    That is: not long, no list but one, no escapes, and no blank behind a quotation mark. In a plain object with as many
    members as there seem to be names, no name comes twice, and no other object in it has members.
    """

    names: Ints
    plain: Bools


def look_at(lines: Sequence[bytes]) -> Seen:
    """Looks at the bytes of lines before what they say."""
    data = np.frombuffer(b"\n".join(lines) + b"\n", np.uint8)
    ends = np.cumsum([len(line) + 1 for line in lines], dtype=np.int64)
    quoted, follows = data[:-1] == _QUOTE, data[1:]
    odd = (data == _ESCAPE) | (data == _DELETE)
    odd[:-1] |= quoted & (follows <= _SPACE)
    lists = _counted(data == _BRACKET, ends)
    plain = (lists < 2) & (_counted(odd, ends) == 0) & (np.diff(ends, prepend=0) <= LINE_BYTES_MAX)
    return Seen(_counted(quoted & (follows == _COLON), ends), plain)


def _counted(marks: Bools, ends: Ints) -> Ints:
    """How many marks stand before each end and not before the one before it."""
    return np.diff(np.searchsorted(np.flatnonzero(marks), ends), prepend=0)


def fen_of(amounts: Sequence[str]) -> Ints:
    """Fen of amounts in yuan that are written with digits, a point and two more digits."""
    texts = pa.array(amounts, pa.string())
    data, starts, ends = _bytes(texts)
    digit = (data >= _ZERO) & (data <= _NINE)
    digits = np.concatenate([[0], np.cumsum(digit)])
    length, count = ends - starts, digits[ends] - digits[starts]
    point = np.concatenate([data, [0]])[np.maximum(ends - 3, 0)] == _POINT
    plain = (length > 3) & (count == length - 1) & (count <= _DIGITS_MAX) & point
    found = np.full(len(texts), UNREAD, np.int64)
    if plain.all():
        found[:] = _whole_numbers(data[digit], digits[ends])
    else:
        chosen = np.repeat(plain, length) & digit
        found[plain] = _whole_numbers(data[chosen], np.cumsum(count[plain]))
    return found


def _whole_numbers(digits: NDArray[np.uint8], ends: Ints) -> Ints:
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    texts = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(digits)))
    numbers: Ints = texts.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def shanghai_instants_of(instants: Sequence[str]) -> Ints:
    """Instants since 1992 that are written in +08:00, to the second: microseconds by Shanghai's clock since 1970."""
    texts = pa.array(instants, pa.string())
    data, starts, ends = _bytes(texts)
    found = np.full(len(texts), UNREAD, np.int64)
    rows = np.flatnonzero(ends - starts == len(_FORM))
    written = data[starts[rows][:, None] + np.arange(len(_FORM))]
    digits = np.delete(written, _FIXED, axis=1) - _ZERO
    plain = (written[:, _FIXED] == _FORM[_FIXED]).all(axis=1) & (digits <= 9).all(axis=1)
    year, month, day, hour, minute, second = _numbers(digits[plain].astype(np.int64))
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    sound = (year >= FIRST_YEAR) & (1 <= month) & (month <= 12) & (day >= 1) & (days.astype("datetime64[M]") == months)
    sound &= (hour < 24) & (minute < 60) & (second < 60)
    seconds = days.astype(np.int64) * 86_400 + hour * 3_600 + minute * 60 + second
    found[rows[plain]] = np.where(sound, seconds * 1_000_000, UNREAD)
    return found


def _numbers(digits: Ints) -> list[Ints]:
    """Year, month, day, hour, minute and second."""
    places = [(0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14)]
    return [digits[:, start:end] @ (10 ** np.arange(end - start)[::-1]) for start, end in places]


def keys_of(texts: pa.Array) -> Keys:
    """A number for each text, the same in every process; texts that differ have the same one by rare chance only."""
    data, starts, ends = _bytes(texts)
    powers = np.cumprod(np.full(len(data) + 1, _BASE))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(data.astype(np.uint64) * powers[:-1])])
    shifts = np.cumprod(np.concatenate([np.ones(1, np.uint64), np.full(len(data), _INVERSE)]))
    keys: Keys = (sums[ends] - sums[starts]) * shifts[starts]
    return keys ^ (keys >> np.uint64(32))


def _bytes(texts: pa.Array) -> tuple[NDArray[np.uint8], Ints, Ints]:
    """The bytes of texts, one after the other, and where each begins and ends."""
    if not len(texts):
        nothing = np.zeros(0, np.int64)
        return np.zeros(0, np.uint8), nothing, nothing
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    low, high = bounds[0], bounds[-1]
    return np.frombuffer(data or b"", np.uint8)[low:high], bounds[:-1] - low, bounds[1:] - low
