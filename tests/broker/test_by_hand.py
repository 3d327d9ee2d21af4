"""`huzhu servers`, and the walk of docs/operations.md on them: each process by hand, up to an order to pay."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pytest

from infra.servers.local.ports import free_ports
from schemas.topics import INSTRUCTIONS
from stream.outbound.read_topic import read_topic
from tests.support.paths import REPOSITORY
from tests.support.servers import all_gone, await_true, query, topics

LASTING = {
    "servers": "export HUZHU_DATABASE_URL=",
    "worker": "",
    "relay": "",
    "gateway": "at http",
    "console": "at http",
}
"""Commands that stay, and what they have said when they can be used."""
PORTS = {"8080": "HUZHU_GATEWAY_PORT", "8090": "HUZHU_CONSOLE_PORT"}
STEP_S_MAX = 240.0
ASKED_S_MAX = 120.0


def typed(heading: str) -> Iterator[list[str]]:
    """The commands of each block of shell in a section of docs/operations.md."""
    page = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
    section = page.partition(f"\n## {heading}\n")[2].partition("\n#")[0]
    for block in re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
        yield block.splitlines()


class Machine:
    """Terminals in one folder, with ports of their own; `with` ends what still runs, the servers last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "bin" / "huzhu"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cli.main "$@"\n', "utf-8")
        program.chmod(0o755)
        for name in ("docs", "infra"):
            (folder / name).symlink_to(REPOSITORY / name)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HUZHU_")}
        cache = os.environ.get("HUZHU_CACHE_DIR", str(REPOSITORY / ".cache"))
        ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self._ports = ports
        self.environment = {
            **kept,
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
            "HUZHU_CACHE_DIR": cache,
            "no_proxy": "*",
            **{PORTS[name]: port for name, port in ports.items()},
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(list(self.running)):
            self.end(name)

    def start(self, name: str, line: str) -> None:
        """Types a command that stays, in a terminal of its own, and waits until it can be used."""
        with self.said_in(name).open("wb") as said, self._errors(name).open("wb") as errors:
            self.running[name] = subprocess.Popen(
                ["sh", "-c", f"exec env {self._own(line)}"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=errors,
                start_new_session=True,
            )
        usable = await_true(lambda: self._ended(name) or LASTING[name] in self._all_said(name), STEP_S_MAX)
        assert usable, self._all_said(name)
        assert not self._ended(name), self._all_said(name)

    def read_settings(self) -> None:
        """As `. ./servers.sh` does."""
        for line in self.said_in("servers").read_text("utf-8").splitlines():
            export, assignment = shlex.split(line)
            assert "export" == export
            name, _, value = assignment.partition("=")
            self.environment[name] = value

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Types a command that ends."""
        return subprocess.run(
            ["sh", "-c", self._own(line)],
            cwd=self.folder,
            env=self.environment,
            input="a long and good password\n",
            capture_output=True,
            text=True,
            check=False,
        )

    def repeat(self, line: str, said: str) -> None:
        """Types a command again until it ends with exit status 0 and says what is expected of it."""
        answers: list[subprocess.CompletedProcess[str]] = []

        def answered() -> bool:
            answers.append(self.run(line))
            return answers[-1].returncode == 0 and said in answers[-1].stdout

        assert await_true(answered, ASKED_S_MAX), answers[-1]

    def end(self, name: str, number: signal.Signals = signal.SIGINT) -> int:
        """Presses Ctrl-C."""
        process = self.running.pop(name)
        if process.poll() is None:
            os.killpg(process.pid, number)
        return process.wait()

    def said_in(self, name: str) -> Path:
        return self.folder / f"{name}.sh"

    def _errors(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _all_said(self, name: str) -> str:
        return self.said_in(name).read_text("utf-8") + self._errors(name).read_text("utf-8")

    def _ended(self, name: str) -> bool:
        return self.running[name].poll() is not None

    def _own(self, line: str) -> str:
        for port, own in self._ports.items():
            line = line.replace(f":{port}", f":{own}")
        return line


@pytest.fixture
def machine() -> Iterator[Machine]:
    """In a folder that PostgreSQL's user can reach too, which pytest's own is not for root."""
    folder = Path(tempfile.mkdtemp(prefix="huzhu-by-hand-"))
    folder.chmod(0o755)
    with Machine(folder) as made:
        yield made
    shutil.rmtree(folder)


def lasting(line: str) -> str | None:
    """Which of the commands that stay a line starts."""
    words = [word for word in line.split() if "=" not in word]
    return words[1] if words[:1] == ["huzhu"] and words[1] in LASTING else None


def test_the_walk_of_the_operations_page_ends_in_an_order_to_pay(machine: Machine) -> None:
    """Every command of it, one after the other; the last ones are repeated until the claim is decided and sent."""
    *before, asked = typed("By hand on one machine")
    for line in (line for block in before for line in block):
        name = lasting(line)
        if name is None:
            done = machine.run(line)
            assert 0 == done.returncode, (line, done.stdout, done.stderr)
            continue
        machine.start(name, line)
        if name == "servers":
            machine.read_settings()
    assert set(LASTING) == set(machine.running)
    for line in asked:
        said = "1,500.00" if line == "huzhu payouts list" else ""
        machine.repeat(line, said)
    bootstrap = machine.environment["HUZHU_KAFKA_BOOTSTRAP"]
    (order,) = map(json.loads, read_topic(bootstrap, INSTRUCTIONS))
    assert ("E-1001", "1500.00", "P-1001") == (order["claim_id"], order["amount"], order["person_id"])


def test_the_servers_keep_their_data_where_they_are_told_to(machine: Machine) -> None:
    """The ledger and the topics are there again, at the addresses that are printed anew; nothing is left running."""
    command = "huzhu servers --keep kept"
    machine.start("servers", command)
    machine.read_settings()
    made = machine.run("huzhu ledger upgrade && huzhu topics apply")
    assert 0 == made.returncode, made.stderr
    family = psutil.Process(machine.running["servers"].pid).children(recursive=True)
    assert 0 == machine.end("servers")
    assert all_gone(family)
    machine.start("servers", command)
    machine.read_settings()
    assert "hospital.expenses" in topics(machine.environment["HUZHU_KAFKA_BOOTSTRAP"])
    assert 1 == query(machine.environment["HUZHU_DATABASE_URL"], "SELECT count(*) FROM alembic_version")


def test_the_servers_leave_the_settings_alone(machine: Machine) -> None:
    """What the environment names is neither used nor asked; SIGTERM ends them as Ctrl-C does."""
    machine.environment |= {
        "HUZHU_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "HUZHU_DATABASE_URL": "postgresql://a@127.0.0.1:1/b",
    }
    machine.start("servers", "huzhu servers")
    machine.read_settings()
    assert "127.0.0.1:1" != machine.environment["HUZHU_KAFKA_BOOTSTRAP"]
    assert "huzhu" == query(machine.environment["HUZHU_DATABASE_URL"], "SELECT current_database()")
    assert 0 == machine.end("servers", signal.SIGTERM)


def test_a_file_is_no_folder_to_keep_data_in(machine: Machine) -> None:
    """A sentence, and no server."""
    done = machine.run("touch kept && huzhu servers --keep kept")
    assert (2, "") == (done.returncode, done.stdout)
    assert "name a folder" in done.stderr
