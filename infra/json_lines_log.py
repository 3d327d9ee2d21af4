"""A log for machines: each line on standard error is one JSON object, whoever writes it."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from datetime import UTC, datetime
from typing import TextIO

from infra.tracing import current_traceparent
from schemas.traceparent import trace_id

SAID = "huzhu.said"
"""The logger of what is written to standard error by other ways than a log."""


class JsonLines(logging.Formatter):
    """``at`` in UTC, ``level``, ``process`` (its kind), ``logger``, ``message``; ``traceback`` where there is one.

    ``trace_id`` is that of the request or batch on which the process works, where it has one.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        traceparent = current_traceparent()
        if traceparent is not None:
            line["trace_id"] = trace_id(traceparent)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class LoggedLines(io.TextIOBase):
    """Takes the place of standard error: each line that is written to it becomes a line of the log."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._begun = ""
        self._busy = threading.local()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if getattr(self._busy, "logs", False):  # what logging itself says of a log that nobody can write to
            return len(text)
        *lines, self._begun = (self._begun + text).split("\n")
        self._busy.logs = True
        try:
            for line in filter(str.strip, lines):
                self._logger.warning("%s", line.rstrip())
        finally:
            self._busy.logs = False
        return len(text)


def log_as_json(level: str, process: str, stream: TextIO | None = None) -> None:
    """From now on all that this process says on standard error, or on ``stream``, is JSON, a line each."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(process))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    sys.stderr = LoggedLines(logging.getLogger(SAID))
