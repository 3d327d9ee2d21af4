"""A log for machines: one JSON object a line, whoever writes."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, TextIO

import faust
import pytest

from infra.json_lines_log import JsonLines, log_as_json
from stream.inbound import worker


@contextmanager
def logging_json(stream: TextIO) -> Iterator[None]:
    """The log is JSON in the block, and afterwards as before."""
    root, stderr = logging.getLogger(), sys.stderr
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    log_as_json("info", "worker", stream)
    try:
        yield
    finally:
        sys.stderr, root.handlers = stderr, handlers
        root.setLevel(level)


def lines(said: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.getvalue().splitlines()]


def test_each_record_is_one_line() -> None:
    """Also one that has several; it says when, how bad, which process and where."""
    said = io.StringIO()
    with logging_json(said):
        logging.getLogger("stream.relay").warning("分片 %s:\nnothing", 3)
    (line,) = lines(said)
    assert line.pop("at").endswith("+00:00")
    assert {"level": "warning", "process": "worker", "logger": "stream.relay", "message": "分片 3:\nnothing"} == line
    assert "分片" in said.getvalue()


def test_a_level_below_the_chosen_one_is_not_said() -> None:
    said = io.StringIO()
    with logging_json(said):
        logging.getLogger("a").debug("no")
    assert "" == said.getvalue()


def test_a_traceback_stays_in_its_line() -> None:
    said = io.StringIO()
    with logging_json(said):
        try:
            raise ValueError("odd")
        except ValueError:
            logging.getLogger("a").exception("failed")
    (line,) = lines(said)
    assert ("failed", "error") == (line["message"], line["level"])
    assert line["traceback"].endswith("ValueError: odd")


def test_a_traceback_does_not_say_what_variables_hold() -> None:
    """They hold people."""
    said = io.StringIO()
    with logging_json(said):
        try:
            name = "".join(("张", "三"))
            raise ValueError(f"{len(name)} characters")
        except ValueError:
            logging.getLogger("a").exception("failed")
    assert lines(said)[0]["traceback"].endswith("2 characters")
    assert "张三" not in said.getvalue()


def test_what_else_comes_with_a_message_is_left_out() -> None:
    """A line holds its fields alone, in their order, whatever a library hands over."""
    said = io.StringIO()
    with logging_json(said):
        logging.getLogger("a").warning("odd", extra={"person": "张三", "level": "low"}, stack_info=True)
    (line,) = lines(said)
    assert ["at", "level", "process", "logger", "message"] == list(line)
    assert "warning" == line["level"]


def test_a_line_is_of_the_moment_in_which_something_was_said() -> None:
    """Not of that in which it was written, which can be later."""
    record = logging.makeLogRecord({"created": 1.25, "name": "a", "levelname": "INFO", "msg": "said"})
    assert "1970-01-01T00:00:01.250+00:00" == json.loads(JsonLines("worker").format(record))["at"]


def test_what_is_written_past_the_log_is_json_too() -> None:
    """In pieces or several lines at once; empty lines say nothing."""
    said = io.StringIO()
    with logging_json(said):
        sys.stderr.write("the API ")
        sys.stderr.write("is at http://x\n\nsecond\nthi")
    assert ["the API is at http://x", "second"] == [line["message"] for line in lines(said)]


def test_a_log_that_nobody_can_write_to_does_not_end_the_process() -> None:
    """As when the reader of a pipe has gone."""
    gone = io.StringIO()
    gone.close()
    with logging_json(gone):
        logging.getLogger("a").warning("nobody hears")
        sys.stderr.write("nor this\n")


@pytest.mark.parametrize(("log_format", "own"), [("text", True), ("json", False)])
def test_faust_leaves_a_json_log_alone(monkeypatch: pytest.MonkeyPatch, log_format: str, own: bool) -> None:
    """It would write lines of its own to standard output."""
    given: dict[str, Any] = {}

    def start(_: Any, **options: Any) -> Any:
        given.update(options)
        return SimpleNamespace(execute_from_commandline=lambda: None)

    monkeypatch.setattr(faust, "Worker", start)
    monkeypatch.setattr(worker, "gc", SimpleNamespace(freeze=lambda: None, set_threshold=lambda _: None))
    monkeypatch.setattr(worker, "threading", SimpleNamespace(excepthook=None, ExceptHookArgs=None))
    app: Any = SimpleNamespace()
    worker.run(app, "info", log_format)
    assert (own, not own) == (given["override_logging"], given["quiet"])
