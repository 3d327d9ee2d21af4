"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from handlers.words.claim_sentences import STATUS_NAMES
from handlers.words.payout_sentences import STATES
from tests.support.paths import REPOSITORY

ROOMS = ("acts", "cli", "handlers", "infra", "schemas", "stream", "web")


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the product, by its path."""
    for room in ROOMS:
        for path in sorted((REPOSITORY / room).rglob("*.py")):
            yield str(path.relative_to(REPOSITORY)), ast.parse(path.read_text("utf-8"))


def test_a_class_name_means_one_thing() -> None:
    """No two public classes of the product have one name."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path, module in modules():
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path)
    assert len(places) > 100
    assert {} == {name: paths for name, paths in places.items() if len(paths) > 1}


def test_a_state_is_called_the_same_everywhere() -> None:
    """The names of claims' statuses and payouts' states stand in one table each; no other module writes them."""
    names = {saying.zh for saying in [*STATUS_NAMES.values(), *STATES.values()]}
    writers = {
        path
        for path, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and node.value in names
    }
    read_from_statements = "infra/files/statement_files.py"
    assert {"handlers/words/claim_sentences.py", "handlers/words/payout_sentences.py", read_from_statements} == writers


def test_one_module_reads_the_clock() -> None:
    """Whatever needs the time now gets it from `infra.clock`, so that tests can give another."""
    readers = {
        path
        for path, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today")
        if isinstance(node.value, ast.Name) and node.value.id in ("datetime", "date")
    }
    assert {str(Path("infra", "clock.py"))} == readers
