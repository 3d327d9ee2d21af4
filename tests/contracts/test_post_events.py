"""`huzhu post FILE`: every line is checked before the first is sent, and what is no event never leaves the machine."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builders import bill, discharge, encode, in_days
from tests.support.national_lists import as_sheet, listed
from tests.support.processes import CHINESE, command, decoded, huzhu

NOWHERE = "127.0.0.1:1"
GOOD = encode(discharge())
UNBALANCED = encode({**bill(), "total_charge": "1.00", "patient_name": "张小明"})


def workbook(file: Path) -> None:
    as_sheet(file, [listed(psn_name="张三")])


NO_EVENTS: dict[str, Callable[[Path], object]] = {
    "a workbook": workbook,
    "a table": lambda file: file.write_text("psn_no,amount\nP1,张三\n", "utf-8"),
    "GB 18030": lambda file: file.write_bytes("姓名,金额\n张三,1\n".encode("gb18030")),
    "zeroes": lambda file: file.write_bytes(bytes(1000)),
    "compressed": lambda file: file.write_bytes(gzip.compress(GOOD)),
    "a JSON list": lambda file: file.write_text(json.dumps([discharge()]), "utf-8"),
    "records of a settlement list": lambda file: file.write_text(json.dumps(listed(psn_name="张三")), "utf-8"),
    "unknown types": lambda file: file.write_text('{"event_type":"claim.decided"}\n', "utf-8"),
    "one line of 9 MiB": lambda file: file.write_bytes(b"x" * 9 * 1024 * 1024),
}


@pytest.mark.parametrize("kind", NO_EVENTS)
@pytest.mark.parametrize("words", [(), ("--send-refused",)])
def test_what_is_no_file_of_events_is_not_sent(kind: str, words: tuple[str, ...], tmp_path: Path) -> None:
    """Exit status 2 before Kafka is looked for, with a way out in both languages, and without what is in the file."""
    file = tmp_path / "march.jsonl"
    NO_EVENTS[kind](file)
    done = huzhu("post", file, *words, HUZHU_KAFKA_BOOTSTRAP=NOWHERE)
    assert (2, "", True) == (done.returncode, done.stdout, "--format national" in done.stderr), done.stderr
    assert CHINESE.search(done.stderr)
    assert "张三" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    """Nothing is posted, which is no failure, but a word."""
    file = tmp_path / "empty.jsonl"
    file.write_bytes(b"\n\n")
    done = huzhu("post", file, HUZHU_KAFKA_BOOTSTRAP=NOWHERE)
    assert (0, True) == (done.returncode, "nothing was posted" in done.stderr)


@pytest.mark.parametrize("name", ["file", "-"])
def test_lines_that_would_be_refused_are_listed(name: str, tmp_path: Path) -> None:
    """With line, field, code and reason, but not their content; from standard input as from a file."""
    ahead = encode(discharge("E9", occurred_at=in_days(2)))
    lines = b"\n".join([GOOD, b"", UNBALANCED, b"\xff no event", encode({**bill("S2"), "currency": "USD"}), ahead])
    file = tmp_path / "facts.jsonl"
    file.write_bytes(lines)
    given = str(file) if name == "file" else name
    done = decoded(command("post", "--check", given, environment={}, data=lines))
    assert (3, "1 events can be posted, 4 would be refused; nothing was posted\n") == (done.returncode, done.stdout)
    told = [line.removeprefix(f"{given}:").split(": ")[:3] for line in done.stderr.splitlines()]
    assert [
        ["3", "/total_charge", "AMOUNTS_DO_NOT_BALANCE"],
        ["4", "-", "MALFORMED_JSON"],
        ["5", "/currency", "UNSUPPORTED_CURRENCY"],
        ["6", "/occurred_at", "FUTURE_DATED"],
    ] == told
    assert "张小明" not in done.stderr
