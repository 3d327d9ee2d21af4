"""The wheel in a fresh environment, with what it requires and no extra: the processes start, and nothing is missing.

Takes minutes, and downloads what requirements/main.txt pins.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from cli.terminal.extras import EXTRA_OF
from tests.support.paths import REPOSITORY

pytestmark = pytest.mark.prove

PROCESSES = (["worker"], ["relay"], ["gateway"], ["console"], ["audit", "sign"])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds Huzhu from its wheel and no extra."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    pinned = ["--require-hashes", "-r", str(REPOSITORY / "requirements" / "main.txt")]
    for what in (pinned, ["--no-deps", str(wheel)]):
        subprocess.run([programs / "pip", "install", "-q", "--disable-pip-version-check", *what], check=True)
    subprocess.run([programs / "pip", "check"], check=True)
    return programs


def ran(program: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A program, run where no source of Huzhu can be found, and with no setting."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HUZHU_", "PYTHON"))}
    return subprocess.run(
        [str(program), *words], cwd=program.parent, env=environment, capture_output=True, text=True, check=False
    )


def test_no_package_of_an_extra_is_installed(installed: Path) -> None:
    """Else the other tests here would say nothing."""
    program = "import importlib.util, sys; print([each for each in sys.argv[1:] if importlib.util.find_spec(each)])"
    assert "[]\n" == ran(installed / "python", "-c", program, *EXTRA_OF).stdout


def test_the_wheel_says_its_version(installed: Path) -> None:
    """Its metadata and its program are there."""
    done = ran(installed / "huzhu", "--version")
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("huzhu ")


@pytest.mark.parametrize("words", PROCESSES, ids=" ".join)
def test_every_process_starts_from_the_wheel_alone(installed: Path, words: list[str]) -> None:
    """It has help, and without settings it names the first that it misses."""
    assert 0 == ran(installed / "huzhu", *words, "--help").returncode
    done = ran(installed / "huzhu", *words)
    assert (2, True) == (done.returncode, "set HUZHU_" in done.stderr.splitlines()[-1])


def test_what_is_no_python_is_in_the_wheel_too(installed: Path) -> None:
    """Templates, styles, samples, rules and migrations are found beside the modules."""
    program = (
        "from importlib.resources import files\n"
        "for room, name in [('web.console', 'templates/overview.html'), ('infra', 'monitoring/huzhu-alerts.yml'),\n"
        "    ('infra', 'samples/wuxi-sample.toml'), ('infra.ledger', 'migrations/env.py')]:\n"
        "    assert files(room).joinpath(name).is_file(), name\n"
    )
    assert (0, "") == ((done := ran(installed / "python", "-c", program)).returncode, done.stderr)
