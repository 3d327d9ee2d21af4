"""Which of the program's modules are compiled, in this run of the tests and by what is asked of the build."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from cli.version_option import CORE
from tests.support.compiled_core import COMPILED, compiled_modules
from tests.support.paths import REPOSITORY
from tests.support.processes import huzhu


@pytest.mark.parametrize("module", compiled_modules())
def test_the_core_is_compiled_where_the_run_asks_for_it_and_nowhere_else(module: str) -> None:
    """So that neither `make test` nor `make test-compiled` tries the other's code."""
    assert COMPILED != str(import_module(module).__file__).endswith(".py")


def test_the_program_says_its_version_and_which_core_it_has() -> None:
    """`huzhu --version` is one line in both languages."""
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    core = "compiled 已编译" if COMPILED else "pure Python 纯 Python 版"
    ran = huzhu("--version")
    assert (0, f"huzhu {version}, {core}\n", "") == (ran.returncode, ran.stdout, ran.stderr)
    assert CORE in compiled_modules()


def test_a_wheel_is_compiled_only_where_that_is_asked_for(tmp_path: Path) -> None:
    """What is neither yes nor no is refused, before anything is built."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    ran = subprocess.run(command, cwd=REPOSITORY, env={"HUZHU_COMPILE": "maybe"}, capture_output=True, text=True)
    assert 0 != ran.returncode
    assert "HUZHU_COMPILE is maybe" in ran.stderr
    assert [] == list(tmp_path.iterdir())
