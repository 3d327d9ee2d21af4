"""A log for machines: each line on standard error is one JSON object, whoever writes it."""

from __future__ import annotations

import io
import logging
import sys
import threading
from datetime import UTC, datetime
from typing import TextIO

from structlog.processors import JSONRenderer, format_exc_info
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, WrappedLogger

from infra.tracing import current_traceparent
from schemas.traceparent import trace_id

SAID = "huzhu.said"
"""The logger of what is written to standard error by other ways than a log."""

FIELDS = {
    "at": "at",
    "level": "level",
    "process": "process",
    "logger": "logger",
    "message": "event",
    "trace_id": "trace_id",
    "traceback": "exception",
}
"""All that a line can hold, in this order, and what structlog calls it."""


class JsonLines(ProcessorFormatter):
    """``at`` in UTC, ``level``, ``process`` (its kind), ``logger``, ``message``; ``traceback`` where there is one.

    ``trace_id`` is that of the request or batch on which the process works, where it has one. Whatever else comes with
    a message is left out, as it could be about somebody; so are the values of variables in a traceback.
    """

    def __init__(self, process: str) -> None:
        self._process = process
        super().__init__(
            processors=[
                add_log_level,
                add_logger_name,
                self._whence,
                format_exc_info,
                _only_fields,
                JSONRenderer(ensure_ascii=False),
            ]
        )

    def _whence(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        """Adds when, in which process and in which trace this was said."""
        said: logging.LogRecord = line["_record"]
        line["at"] = datetime.fromtimestamp(said.created, UTC).isoformat(timespec="milliseconds")
        line["process"] = self._process
        traceparent = current_traceparent()
        if traceparent is not None:
            line["trace_id"] = trace_id(traceparent)
        return line


def _only_fields(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    return {ours: line[theirs] for ours, theirs in FIELDS.items() if theirs in line}


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
