"""The `huzhu` command in a process of its own, and its output taken apart."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.builders import Json, encode
from tests.support.paths import REPOSITORY

CHINESE = re.compile(r"[\u4e00-\u9fff]")
COMMAND_S_MAX = 300.0


def huzhu(*words: str | Path, columns: int = 80, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as wide as a terminal of so many columns."""
    done = command(*words, environment={"COLUMNS": str(columns), **environment})
    return decoded(done)


def decoded(done: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[str]:
    """The same with what was written as text."""
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def command(
    *words: str | Path, environment: Mapping[str, str], data: bytes = b"", within_s: float = COMMAND_S_MAX
) -> subprocess.CompletedProcess[bytes]:
    """The command with standard input, and nothing of Huzhu in its environment but what is given.

    Raises subprocess.TimeoutExpired, and kills it, when it does not end in time.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUZHU_")}
    argv = [str(word) for word in words]
    with tempfile.TemporaryDirectory(prefix="huzhu-command-") as folder:
        files = {name: Path(folder, name) for name in ("stdin", "stdout", "stderr")}
        for file in files.values():
            file.touch()
        files["stdin"].write_bytes(data)
        order = {"argv": argv, "env": {**inherited, **environment}, "cwd": str(REPOSITORY)}
        status = _zygote.run({**order, **{name: str(file) for name, file in files.items()}}, within_s)
        return subprocess.CompletedProcess(argv, status, files["stdout"].read_bytes(), files["stderr"].read_bytes())


class _Zygote:
    """The process that is forked for each command; started with the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: str | None = None

    def run(self, order: dict[str, object], within_s: float) -> int:
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rwb", buffering=0) as line:
            connection.connect(self._address())
            connection.settimeout(within_s)
            line.write(json.dumps(order).encode() + b"\n")
            pid = int(line.readline())
            try:
                return int(line.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(str(order["argv"]), within_s) from None

    def _address(self) -> str:
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.mkdtemp(prefix="huzhu-zygote-")
                atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
                argv = [sys.executable, "-m", "tests.support.zygote", f"{self._folder}/socket"]
                process = subprocess.Popen(argv, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                atexit.register(process.kill)
                assert process.stdout is not None  # its standard input stays open until this process ends
                assert process.stdout.readline() == b"ready\n"
        return f"{self._folder}/socket"


_zygote = _Zygote()


def squeezed(text: str) -> str:
    """The text without white space, so that it does not matter where a line was broken."""
    return "".join(text.split())


def rows(text: str) -> list[list[str]]:
    """The lines of the tables that begin with an amount, as cells."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    return [cells for cells in lines if re.fullmatch(r"[\d,]+\.\d\d", cells[0])]


def facts_file(folder: Path, events: Sequence[Json]) -> Path:
    file = folder / "facts.jsonl"
    file.write_bytes(b"".join(encode(event) + b"\n" for event in events))
    return file
