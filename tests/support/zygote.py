"""A process that has imported the libraries and is forked for each `huzhu` command, so that a command costs a tenth.

    python -m tests.support.zygote SOCKET

One connection is one command: a line of JSON with ``argv``, ``env``, ``cwd`` and the files for standard input, output
and error; back come a line with the pid and one with the exit status, negative for a signal. Only libraries and rooms
that read nothing from the environment are imported beforehand; a command's own modules are imported in its fork.
"""

from __future__ import annotations

import io
import json
import os
import runpy
import select
import signal
import socket
import sys
from importlib import import_module
from typing import Any

BEFOREHAND = (
    "confluent_kafka.admin",
    "fastapi",
    "handlers.claims.process",
    "infra.ledger.schema",
    "kafka.admin",
    "psycopg",
    "rich.table",
    "schemas.contract.asyncapi",
    "sqlalchemy.dialects.postgresql",
    "typer.rich_utils",
)


def main(address: str) -> None:
    """Serves until the parent goes away, which closes standard input."""
    for name in BEFOREHAND:
        import_module(name)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that serve a connection
        while 0 not in select.select([0, listening.fileno()], [], [])[0]:
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _serve(connection)  # returns only in the command itself
                return
            connection.close()


def _serve(connection: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection.makefile("rwb", buffering=0) as line:
        order = json.loads(line.readline())
        pid = os.fork()
        if pid == 0:
            line.close()
            connection.close()
            _become(order)
            return
        line.write(b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        line.write(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(order: dict[str, Any]) -> None:
    """The command, in this process: its exit is the process's."""
    for number, (file, flags) in enumerate(
        (
            (order["stdin"], os.O_RDONLY),
            (order["stdout"], os.O_WRONLY),
            (order["stderr"], os.O_WRONLY),
        )
    ):
        opened = os.open(file, flags)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), "utf-8")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), "utf-8")
    sys.stderr = io.TextIOWrapper(io.BufferedWriter(io.FileIO(2, "w", closefd=False)), "utf-8", line_buffering=True)
    sys.argv = ["huzhu", *order["argv"]]
    runpy.run_module("cli.main", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
