"""A wheel whose core mypyc compiled does what the pure one does. Needs a C compiler."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.compiled_core import build, compiled_modules, preferring
from tests.support.paths import REPOSITORY

CASES = 400

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(shutil.which("gcc") is None and shutil.which("cc") is None, reason="there is no C compiler"),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the compiled wheel of this tree installs."""
    return build(tmp_path_factory.mktemp("wheel"))


def run(first: Path, *words: str, **environment: str) -> str:
    """What a Python that takes the program from ``first`` writes."""
    command = [sys.executable, *words]
    ran = subprocess.run(
        command, cwd=REPOSITORY, env={**preferring(first), **environment}, capture_output=True, text=True, check=False
    )
    assert 0 == ran.returncode, (ran.stdout + ran.stderr)[-4_000:]
    return ran.stdout


def test_every_module_on_the_list_is_compiled_and_its_source_lies_beside_it(installed: Path) -> None:
    """The wheel has both; Python takes the machine code."""
    modules = compiled_modules()
    program = "import importlib, sys; [print(importlib.import_module(name).__file__) for name in sys.argv[1:]]"
    found = run(installed, "-c", program, *modules)
    for module, file in zip(modules, found.splitlines(), strict=True):
        source = Path(module.replace(".", "/") + ".py")
        assert Path(file).suffix in (".so", ".pyd")
        assert Path(file).parent == (installed / source).parent
        assert (installed / source).read_bytes() == (REPOSITORY / source).read_bytes()


def test_the_program_says_that_it_is_compiled(installed: Path) -> None:
    """`huzhu --version` of each installation says which it is."""
    assert ", compiled " in run(installed, "-m", "cli.main", "--version")
    assert ", pure Python " in run(REPOSITORY, "-m", "cli.main", "--version")


def test_the_core_gives_the_same_bytes_compiled_and_pure(installed: Path) -> None:
    """Messages, rows, decisions and refusals with their hints, of random policies and events good, bad and spoilt."""
    words = ("-m", "tests.compiled.core_digests", str(CASES))
    pure, compiled = run(REPOSITORY, *words).splitlines(), run(installed, *words).splitlines()
    assert 2 * CASES + 2 == len(pure)
    assert [] == [(one, other) for one, other in zip(pure, compiled, strict=True) if one != other]


def test_the_tests_of_pure_logic_pass_over_the_compiled_core(installed: Path) -> None:
    """Those that need no server, with few examples; `make test-compiled` runs the others as well, and all examples."""
    folders = ("tests/unit", "tests/properties", "tests/oracle")
    words = ("-m", "pytest", "-p", "no:cacheprovider", "-m", "not prove", *folders)
    fewer = {"HUZHU_TEST_EXAMPLES": "10", "HUZHU_TEST_PERSON_YEARS": "100"}
    run(installed, *words, HUZHU_TEST_COMPILED="1", HUZHU_TEST_LONG="0", **fewer)
