"""Whether the tests run over the compiled core, a wheel that has it, and what a Python with it can see.

With HUZHU_TEST_COMPILED=1 (`make test-compiled`) a compiled wheel comes first on the path. What puts something else in
the place of a compiled module's function cannot run then: such a module calls them without looking them up.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY

COMPILED = os.environ.get("HUZHU_TEST_COMPILED") == "1"

patches_the_core = pytest.mark.skipif(COMPILED, reason="a compiled module does not look its functions up")


def compiled_modules() -> list[str]:
    """The modules that a compiled wheel has as machine code, as pyproject.toml lists them."""
    document = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    files: list[str] = document["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["compiled"]
    return [file.removesuffix(".py").replace("/", ".") for file in files]


def build(folder: Path) -> Path:
    """A folder within ``folder`` that holds what a compiled wheel of this tree installs, made without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "HUZHU_COMPILE": "1"}, check=True)
    (wheel,) = folder.glob("*.whl")
    installed = folder / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    return installed


def preferring(first: Path) -> dict[str, str]:
    """The environment of a Python that has the program from ``first`` and the tests from here, wherever it starts."""
    return {**os.environ, "PYTHONPATH": f"{first}{os.pathsep}{REPOSITORY}", "PYTHONSAFEPATH": "1"}
