"""A process that has imported the libraries, and is forked for each run of pytest: imports are most of a short one.

    python -m tests.planted.forked

Each line of standard input is a run, as JSON: ``arguments`` of pytest, ``environment``, and the file for what it
``said``; back comes a line with its exit status. Nothing of Huzhu is imported beforehand, as bugs are planted between
the runs.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from importlib import import_module
from typing import Any

BEFOREHAND = (
    "_hypothesis_pytestplugin",
    "alembic.command",
    "anyio._backends._asyncio",
    "anyio.pytest_plugin",
    "confluent_kafka.admin",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "fastapi",
    "httpx",
    "hypothesis.strategies",
    "jinja2",
    "kafka.admin",
    "numpy",
    "psycopg",
    "pyarrow.parquet",
    "pytest",
    "rich.table",
    "schemathesis.pytest.plugin",
    "schemathesis.reporting.html",
    "sqlalchemy.dialects.postgresql",
    "typer.rich_utils",
    "xdist.looponfail",
    "xdist.plugin",
)


def main() -> None:
    """Serves until standard input ends."""
    for name in BEFOREHAND:
        import_module(name)
    gc.collect()
    gc.freeze()  # a short run collects garbage several times at its end, and would look at all of this
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))  # never returns
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(order: dict[str, Any]) -> None:
    import pytest

    for number, file in ((0, os.devnull), (1, order["said"]), (2, order["said"])):
        opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in os.environ
    sys.exit(pytest.main(order["arguments"]))


if __name__ == "__main__":
    main()
