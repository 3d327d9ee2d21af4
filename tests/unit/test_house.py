"""What the import contracts of pyproject.toml cannot say about the house."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from tests.support.paths import REPOSITORY

ROOMS = ("schemas", "handlers", "infra", "acts", "stream", "web", "cli")
HANDLES = {"Connection", "Engine", "create_engine", "make_url"}


def sources() -> list[Path]:
    return [file for room in ROOMS for file in sorted((REPOSITORY / room).rglob("*.py"))]


def test_no_sql_is_written_outside_the_ledger() -> None:
    """Other rooms hand connections around and catch their errors; they import nothing with which a query is made."""
    ledger = REPOSITORY / "infra" / "ledger"
    strangers = []
    for file in sources():
        if ledger in file.parents:
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in ("sqlalchemy", "sqlalchemy.dialects.postgresql"):
                strangers += [f"{file.relative_to(REPOSITORY)}: {n.name}" for n in node.names if n.name not in HANDLES]
    assert [] == strangers


def test_no_two_modules_share_a_file_name() -> None:
    """So that a name says which file is meant."""
    names = Counter(file.name for file in sources() if file.name != "__init__.py")
    assert {} == {name: count for name, count in names.items() if count > 1 and name != "__main__.py"}


def test_one_module_each_needs_the_extras_for_metrics_and_traces_and_none_loads_it_at_its_start() -> None:
    """Without `huzhu[metrics]` and `huzhu[traces]` everything else works: OpenTelemetry's SDK is in these places."""
    places, extra = (
        {"infra.metrics.prometheus_page", "infra.sent_spans"},
        ("opentelemetry.sdk", "opentelemetry.exporter", "prometheus_client"),
    )
    needs, loads = set[str](), set[str]()
    for file in sources():
        module = ast.parse(file.read_text("utf-8"))
        name = ".".join(file.relative_to(REPOSITORY).with_suffix("").parts)
        for node in ast.walk(module):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if any(each.startswith(extra) for each in modules):
                needs.add(name)
            if places & {*modules} and node in module.body:
                loads.add(name)
    assert (places, set()) == (needs, loads)
