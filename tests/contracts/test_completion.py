"""Shells complete the commands and options of `huzhu`."""

from __future__ import annotations

import pytest

from tests.support.processes import huzhu


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("huzhu led", ["ledger"]),
        ("huzhu ledger u", ["upgrade"]),
        ("huzhu settings --j", ["--json"]),
    ],
)
def test_bash_completes_a_line(line: str, completed: list[str]) -> None:
    """Commands, those of a group, and options."""
    words = line.split()
    done = huzhu(
        _HUZHU_COMPLETE="complete_bash",
        _TYPER_COMPLETE_ARGS=line,
        COMP_WORDS=line,
        COMP_CWORD=str(len(words) - 1),
    )
    assert (0, completed) == (done.returncode, done.stdout.split())


def test_what_a_shell_needs_is_printed() -> None:
    """For those who install it themselves, as packages do."""
    done = huzhu(_HUZHU_COMPLETE="source_bash")
    assert 0 == done.returncode
    assert "_HUZHU_COMPLETE=complete_bash" in done.stdout
