"""However a file of facts is cut into ranges, and whichever process is the first to finish, the outcome is the same."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import pytest
import typer
from hypothesis import assume, given
from hypothesis import strategies as st
from rich.progress import Progress

from cli.facts.facts_command import Packing
from cli.offline import packed_file, scatter
from cli.offline.by_person import OneByOne, by_person
from cli.offline.one_book import in_one_book
from cli.offline.plan import OnAccounts, Plan, Worked, temporary_folder
from cli.offline.worker_processes import KILLED, Workers, workers
from cli.terminal.given_files import PARQUET
from handlers.claims.adjudicate import adjudicate
from handlers.claims.decidable import Decidable
from handlers.claims.explain import decision_of
from handlers.offline.columns.packing import Packed, pack_refused
from infra.population import generate
from schemas.decisions import to_json
from schemas.policy.model import Policies
from tests.oracle.cases import random_case
from tests.properties.bent_events import bent_events
from tests.properties.strategies import tried
from tests.support.builders import bill, coverage, discharge, encode, policies

A = TypeVar("A")
R = TypeVar("R")

STAY = [encode(discharge()), encode(bill()), encode(coverage("C1", "ordinary", programme="self_pay_assistance"))]
LONG = encode({**bill("S2", "E1"), "note": "x" * 3_000})


class Backwards(Workers):
    """Whatever was asked first is finished last."""

    def map(self, function: Callable[[A], R], items: Iterable[A]) -> Iterator[tuple[A, R]]:
        yield from reversed([(item, function(item)) for item in items])


class Deciding:
    """The decisions on some accounts."""

    def __init__(self, published: Policies) -> None:
        self.published = published

    def __call__(self, accounts: Iterator[Decidable]) -> list[dict[str, object]]:
        decided = (each for account in accounts for each in adjudicate(account, self.published))
        return [to_json(decision_of(each)) for each in decided]


def told(worked: Worked[list[dict[str, object]]]) -> tuple[object, ...]:
    """All that a command says: claims sorted by id, how many facts were taken, and the refused lines."""
    claims = [claim for result in worked.results for claim in result]
    return sorted(claims, key=lambda claim: str(claim["claim_id"])), worked.facts, worked.refused


def in_ranges(content: bytes, published: Policies, chunk_bytes: int, read_bytes: int, pool: Workers) -> None:
    """Holds ranges, and packed facts that are read from them, against one book."""
    with temporary_folder() as folder, patch.object(scatter, "READ_BYTES", read_bytes):
        file, packed = folder / "facts.jsonl", folder / "facts.parquet"
        file.write_bytes(content)
        work: OnAccounts[list[dict[str, object]]] = Deciding(published)
        expected = told(in_one_book(Plan(file, folder, 1), work))
        plan, bar = Plan(file, folder, 3, chunk_bytes), Progress(disable=True)
        assert expected == told(by_person(plan, OneByOne(work), pool, bar, grouped=True, invoices=True))
        worked = by_person(plan, Packing(folder), pool, bar, grouped=True, invoices=True)
        tables = [packed_file.table_of(part) for part in worked.results]
        packed_file.write(packed, [*tables, pack_refused(worked.refused)], worked.facts)
        assert expected == told(packed_file.by_row_group(packed_file.opened(packed), OneByOne(work), pool, bar))


LINES = st.lists(bent_events() | st.binary(max_size=9) | st.sampled_from([*STAY, LONG, b"", b"\r", b" "]), max_size=12)


@tried
@given(LINES, st.sampled_from((b"\n", b"\r\n")), st.booleans(), st.integers(150, 900), st.integers(50, 900))
def test_any_lines_in_any_ranges_are_as_one_book(
    lines: list[bytes], end: bytes, ends: bool, chunk_bytes: int, read_bytes: int
) -> None:
    """Blank lines, other line ends, none at the end, lines longer than a range, bytes that are no text."""
    content = end.join(lines) + (end if ends else b"")
    assume(not content.startswith(PARQUET))  # what begins so is taken for packed facts
    in_ranges(content, Policies(), chunk_bytes, read_bytes, Backwards(None))


def test_wherever_a_range_ends_each_line_counts_once() -> None:
    """At every place in a file, with every kind of line end, with and without one at the end."""
    for end in (b"\n", b"\r\n"):
        content = end.join([*STAY, b"{", STAY[1]])
        for size in range(len(STAY[0]) - 1, len(STAY[0]) + 4):
            in_ranges(content, Policies(), size, 2**20, Workers(None))
            in_ranges(content + end, Policies(), 2**20, size, Workers(None))


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\r\n", b" ", bytes(range(256)) * 40, b"\xff\xfe" + bytes(5000)])
def test_files_without_a_fact_are_as_one_book(content: bytes) -> None:
    """An empty file, blank lines, and a binary file."""
    for size in (700, 4096):
        in_ranges(content, Policies(), 2 * size, size, Workers(None))


def test_random_cities_in_two_processes_are_as_one_book() -> None:
    """Claim by claim, fact by fact, refusal by refusal: ranges, packed facts and one book."""
    with workers(2) as pool:
        for seed in range(3):
            case = random_case(seed)
            content = b"\n".join(line.rstrip(b"\n") for line in case.lines)
            in_ranges(content, policies(*case.policy_texts), len(content) // 5 + 1, 5_000, pool)


def test_the_order_of_results_is_that_of_the_file(tmp_path: Path) -> None:
    """Packed twice, forwards and backwards, the same facts give the same bytes."""
    file = tmp_path / "facts.jsonl"
    file.write_bytes(b"\n".join(generate(7, 150)))
    written = []
    for number, pool in enumerate((Workers(None), Backwards(None))):
        folder = tmp_path / str(number)
        folder.mkdir()
        worked = by_person(Plan(file, folder, 5, 20_000), Packing(folder), pool, Progress(disable=True), grouped=True)
        target = folder / "facts.parquet"
        packed_file.write(target, map(packed_file.table_of, worked.results), worked.facts)
        written.append((target.read_bytes(), worked.refused))
    assert written[0] == written[1]


class Dying:
    """Work at which its process is killed."""

    def __call__(self, packed: Packed) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_killed_ends_the_command_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In both languages, with an exit status of its own; nothing is reported as if it were all."""
    file = tmp_path / "facts.jsonl"
    file.write_bytes(b"\n".join(generate(7, 100)))
    with pytest.raises(typer.Exit) as ended, workers(2) as pool:
        by_person(Plan(file, tmp_path, 4, 10_000), Dying(), pool, Progress(disable=True), grouped=True)
    assert KILLED == ended.value.exit_code
    said = capsys.readouterr().err
    assert "计算进程被终止" in said
    assert "was killed" in said
