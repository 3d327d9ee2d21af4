"""A few processes that share a long computation and end with the process that started them."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Annotated, TypeVar

import typer
from rich.progress import Progress

from cli.terminal.output import fail

A = TypeVar("A")
R = TypeVar("R")

KILLED = 70
"""Exit status when a process of the computation was killed."""

ORPHAN_CHECK_S = 1.0


JobsOption = Annotated[
    int | None, typer.Option("--jobs", min=1, help="How many processes share the work. Default: one for each core.")
]


def cores() -> int:
    """The number of processors available to this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """Applies a function to many items, in any order, in this process or in others."""

    def __init__(self, pool: ProcessPoolExecutor | None) -> None:
        self._pool = pool

    def map(self, function: Callable[[A], R], items: Iterable[A]) -> Iterator[tuple[A, R]]:
        """Each item with its result, in order of completion."""
        if self._pool is None:
            yield from ((item, function(item)) for item in items)
            return
        futures = {self._pool.submit(function, item): item for item in items}
        try:
            for future in as_completed(futures):
                yield futures.pop(future), future.result()
        except BrokenProcessPool:
            fail(
                "一个计算进程被终止,可能是内存不足:请重试,或用 --jobs 减少进程数\n"
                "a process of this computation was killed, perhaps as memory ran out: try again, or with fewer --jobs",
                KILLED,
            )


def in_order(function: Callable[[A], R], items: Iterable[A], pool: Workers, bar: Progress, doing: str) -> list[R]:
    """The result for each item in the order of the items, while a bar shows how many are done."""
    listed = list(items)
    task = bar.add_task(doing, total=len(listed))
    results = {}
    for item, result in pool.map(function, listed):
        results[item] = result
        bar.advance(task)
    return [results[item] for item in listed]


@contextmanager
def workers(processes: int) -> Iterator[Workers]:
    """Starts processes; with 1 the work is done here. Enter before starting any thread (a progress bar has one)."""
    if processes <= 1:
        yield Workers(None)
        return
    # A forked process has all modules in memory already, but forking is only safe on Linux.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(os.getpid(),)) as pool:
        pool.submit(int).result()  # starts them all
        try:
            yield Workers(pool)
        except BaseException:
            # What runs is waited for: it may be writing into a folder that is removed next.
            pool.shutdown(cancel_futures=True)
            raise


def _begin(parent: int) -> None:
    """Leaves Ctrl-C to the parent, and ends when the parent ends for whatever reason.

    The results have no reference cycles, and searching for them would take an eighth of the time.
    """
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHAN_CHECK_S)
    os._exit(KILLED)
