"""What test files share is in `tests/support`."""

from __future__ import annotations

import ast

from tests.support.paths import REPOSITORY


def test_nothing_is_imported_from_a_test_module() -> None:
    """A test file may be renamed or split without another one noticing."""
    imports = [
        (str(file.relative_to(REPOSITORY)), node.module)
        for file in (REPOSITORY / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
    ]
    assert [] == [each for each in imports if each[1].rpartition(".")[2].startswith("test_")]
