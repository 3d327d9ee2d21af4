"""Works on the accounts of a file, however it is read, and prints what comes of it as one sorted text.

Each part of the work writes its lines, sorted, to a temporary file (`cli.offline.plan.sorted_part`); a line begins with
what it is sorted by, and ends with what is printed.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cli.offline.one_book import in_one_book
from cli.offline.plan import OnAccounts, Worked, plan_for, temporary_folder
from cli.offline.worker_processes import workers
from cli.terminal.given_files import is_packed
from cli.terminal.output import progress

KEY_END = b"\t"
"""Ends each part of what a line is sorted by: it sorts before any character of an id."""


T = TypeVar("T")


@contextmanager
def worked_on(
    facts: Path,
    work_in: Callable[[Path], OnAccounts[T]],
    as_of: datetime | None,
    jobs: int,
    *,
    grouped: bool,
    invoices: bool = False,
) -> Iterator[Worked[T]]:
    """The results of work that may write to a temporary folder.

    With ``grouped`` it gets whole groups, and with ``invoices`` together who name the same invoice.
    """
    if is_packed(facts):
        from cli.offline import packed_file  # Arrow and numpy take long to import
        from cli.offline.by_person import OneByOne

        packed = packed_file.opened(facts, as_of)
        with temporary_folder() as folder, workers(min(jobs, packed.groups)) as pool:
            with progress() as bar:
                worked = packed_file.by_row_group(packed, OneByOne(work_in(folder)), pool, bar)
            yield worked
        return
    with plan_for(facts, jobs, as_of) as plan:
        work = work_in(plan.folder)
        if plan.short:
            yield in_one_book(plan, work)
            return
        from cli.offline.by_person import OneByOne, by_person

        with workers(plan.processes) as pool:
            with progress() as bar:
                worked = by_person(plan, OneByOne(work), pool, bar, grouped=grouped, invoices=invoices)
            yield worked


def print_merged(parts: Iterable[Path]) -> None:
    """Prints the lines of all parts in order, without what they are sorted by."""
    with ExitStack() as stack:
        for line in heapq.merge(*(stack.enter_context(part.open("rb")) for part in parts)):
            sys.stdout.write(line.rpartition(KEY_END)[2].decode("utf-8"))
    sys.stdout.flush()
