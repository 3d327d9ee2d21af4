"""The check of a file of events before the first of them is sent: what is no event never reaches a topic by mistake."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from cli.terminal.output import fail
from handlers.claims.read import read
from schemas.refusals import Refusal, RefusalCode
from schemas.topics import EVENT_BYTES_MAX

NO_EVENT = (RefusalCode.MALFORMED_JSON, RefusalCode.UNKNOWN_EVENT_TYPE, RefusalCode.TOO_LARGE)
SENDABLE_BYTES_MAX = 4 * EVENT_BYTES_MAX
"""A longer line is not sent even on purpose: its dead letter would not fit into a message."""


@dataclass(slots=True)
class CheckedEvents:
    """What the check found: how many lines are events that can be accepted, and the others with the reasons."""

    good: int = 0
    refused: list[tuple[int, Refusal]] = field(default_factory=list)
    unsendable: set[int] = field(default_factory=set)
    """Lines that are too long to be sent, whatever is asked for."""


@contextmanager
def rereadable(file: Path) -> Iterator[BinaryIO]:
    """The file, or a copy of standard input, which is read twice; ends the command if it cannot be read."""
    try:
        if str(file) != "-":
            with file.open("rb") as stream:
                yield stream
            return
        with tempfile.TemporaryFile(prefix="huzhu-post-") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.seek(0)
            yield copy
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")


def check_events(name: Path, stream: BinaryIO, moment: datetime) -> CheckedEvents:
    """Reads every line by the rules that look at the event alone, as taken in at ``moment``.

    Ends the command if the file is none of events.
    """
    found, some_type = CheckedEvents(), False
    for number, line in _lines(stream):
        reading = read(line, as_of=moment)
        if isinstance(reading, Refusal):
            found.refused.append((number, reading))
            some_type |= reading.code not in NO_EVENT and reading.pointers not in (("",), ("/event_type",))
            if len(line) > SENDABLE_BYTES_MAX:
                found.unsendable.add(number)
        else:
            found.good += 1
    if found.refused and not found.good and not some_type:
        fail(
            f"{name}: 不是事件文件,什么都没有发送。每行应是一个 JSON 对象,含 event_type;"
            "国家医保结算清单(Excel、CSV 或 JSON)请加 --format national\n"
            f"{name}: holds no events, and nothing was sent. Each line must be a JSON object with an event_type; a "
            "settlement list of the national interface (Excel, CSV or JSON) is posted with --format national"
        )
    return found


def list_refused(name: Path, found: CheckedEvents) -> None:
    """Lists the lines that would be refused on standard error: file, line, fields, code and the reason, no content."""
    for number, refusal in found.refused:
        where = ", ".join(refusal.pointers) or "-"
        sys.stderr.write(f"{name}:{number}: {where}: {refusal.code}: {refusal.zh} {refusal.en}\n")


def to_send(stream: BinaryIO, found: CheckedEvents, with_refused: bool) -> Iterator[bytes]:
    """The lines to be sent, in their order."""
    stream.seek(0)
    left_out = found.unsendable if with_refused else {number for number, _ in found.refused}
    for number, line in _lines(stream):
        if number not in left_out:
            yield line


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1; of one that cannot be sent only the beginning."""
    number = 0
    while part := stream.readline(SENDABLE_BYTES_MAX + 2):
        number += 1
        rest = part
        while not rest.endswith(b"\n") and len(rest) == SENDABLE_BYTES_MAX + 2:
            rest = stream.readline(SENDABLE_BYTES_MAX + 2)
        if part.strip():
            yield number, part.rstrip(b"\r\n")
