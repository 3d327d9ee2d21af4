"""Plants one bug after the other in a copy of the repository and sees whether the tests named for it fail.

    python tests/planted/plant.py [--tested] [NAME ...]

With ``--tested`` the tests have just passed, as in `make prove` after `make test`: without a bug only the first of each
file is tried, to see that they can run here. Exits 1 when a bug is missed, or when its text no longer stands in the
code, so that the list cannot go stale.
docs/planted-bugs.md is the list for people.
"""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from infra.servers.resolve import DATABASE_URL, resolve_postgres
from tests.planted import (
    bugs_around_the_core,
    bugs_of_aid,
    bugs_of_alerts,
    bugs_of_answers,
    bugs_of_archives,
    bugs_of_books,
    bugs_of_charts,
    bugs_of_days,
    bugs_of_deployment,
    bugs_of_direct_messages,
    bugs_of_finding,
    bugs_of_forgetting,
    bugs_of_funeral_lists,
    bugs_of_grace,
    bugs_of_groups,
    bugs_of_keeping,
    bugs_of_kept_watches,
    bugs_of_lists,
    bugs_of_long_years,
    bugs_of_looks,
    bugs_of_metrics,
    bugs_of_occasions,
    bugs_of_payees,
    bugs_of_payers,
    bugs_of_pool_books,
    bugs_of_pool_pages,
    bugs_of_pool_policies,
    bugs_of_pool_steps,
    bugs_of_pools,
    bugs_of_prefix,
    bugs_of_recoveries,
    bugs_of_registering,
    bugs_of_remembering,
    bugs_of_servers,
    bugs_of_settings,
    bugs_of_shared_invoices,
    bugs_of_signing_in,
    bugs_of_statements,
    bugs_of_status,
    bugs_of_the_columns,
    bugs_of_the_core,
    bugs_of_the_outbox,
    bugs_of_traces,
    bugs_of_treaties,
    bugs_of_twice,
    bugs_of_units,
    bugs_of_upgrades,
    bugs_of_usual_events,
    bugs_of_watches,
    bugs_of_work,
)
from tests.planted.bug import Bug

REPOSITORY = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "mutants", "*.egg-info", "huzhu-demo")
ENVIRONMENT = {
    "HUZHU_TEST_LONG": "1",
    "HUZHU_TEST_PERSON_YEARS": "1000",
    "HUZHU_TEST_EXAMPLES": "100",
    "HUZHU_TEST_SHRINK": "0",
}

SHORT = {"HUZHU_TEST_LONG": "0"}

LONGER = {"HUZHU_TEST_EXAMPLES": "1000"}
"""Random tests that miss a bug try so many examples before it counts as missed: which ones are drawn changes with any
constant in the code, and a bug that few of them meet is met by chance in fewer."""

PLANTED = {"PYTHONDONTWRITEBYTECODE": "1"}
"""While a bug is planted no bytecode is kept: the next bug may stand in the same file."""

TESTED = "--tested"

AT_ONCE = os.cpu_count() or 1
"""So many bugs are tried at a time, each in a copy of its own."""

SERVED = ("tests/ledger/", "tests/web/")
"""Where tests need PostgreSQL."""

_LISTS = (
    bugs_of_aid,
    bugs_of_alerts,
    bugs_of_answers,
    bugs_of_archives,
    bugs_of_the_core,
    bugs_of_the_columns,
    bugs_around_the_core,
    bugs_of_direct_messages,
    bugs_of_finding,
    bugs_of_forgetting,
    bugs_of_funeral_lists,
    bugs_of_grace,
    bugs_of_groups,
    bugs_of_keeping,
    bugs_of_kept_watches,
    bugs_of_payees,
    bugs_of_treaties,
    bugs_of_payers,
    bugs_of_pool_pages,
    bugs_of_pool_policies,
    bugs_of_pool_steps,
    bugs_of_pools,
    bugs_of_prefix,
    bugs_of_recoveries,
    bugs_of_registering,
    bugs_of_days,
    bugs_of_deployment,
    bugs_of_books,
    bugs_of_charts,
    bugs_of_pool_books,
    bugs_of_usual_events,
    bugs_of_statements,
    bugs_of_status,
    bugs_of_remembering,
    bugs_of_servers,
    bugs_of_settings,
    bugs_of_shared_invoices,
    bugs_of_lists,
    bugs_of_long_years,
    bugs_of_looks,
    bugs_of_metrics,
    bugs_of_traces,
    bugs_of_the_outbox,
    bugs_of_twice,
    bugs_of_units,
    bugs_of_signing_in,
    bugs_of_upgrades,
    bugs_of_watches,
    bugs_of_work,
    bugs_of_occasions,
)
BUGS = tuple(bug for each in _LISTS for bug in each.BUGS)


class Copy(NamedTuple):
    """A copy of the working tree, the PostgreSQL that its tests share if any of them needs one, and what runs them."""

    folder: Path
    postgres_url: str | None
    forked: subprocess.Popen[str]


def copy_repository(folder: Path, servers: ExitStack, bugs: Sequence[Bug]) -> Copy:
    """A copy without environments, caches and history, compiled once for all its tests."""
    copy = shutil.copytree(REPOSITORY, folder / "huzhu", ignore=NOT_COPIED)
    compileall.compile_dir(copy, quiet=2)
    served = any(test.startswith(SERVED) for bug in bugs for test in bug.tests)
    postgres_url = servers.enter_context(resolve_postgres()).url if served else None
    command = [sys.executable, "-m", "tests.planted.forked"]
    own = {**os.environ, "PYTHONPATH": str(copy)}
    pipe = subprocess.PIPE
    forked = servers.enter_context(subprocess.Popen(command, cwd=copy, env=own, stdin=pipe, stdout=pipe, text=True))
    return Copy(copy, postgres_url, forked)


def run_tests(copy: Copy, tests: Sequence[str], more: Mapping[str, str]) -> tuple[int, str]:
    """The exit status of pytest in the copy, under ``more`` environment variables, and what it said."""
    environment = {**os.environ, **ENVIRONMENT, **more, "PYTHONPATH": str(copy.folder)}
    if copy.postgres_url is not None:
        environment[DATABASE_URL] = copy.postgres_url
    arguments = ["-rf", "--tb=line", "-p", "no:cacheprovider", "-W", "ignore", *tests]
    said = copy.folder.parent / "said"
    said.unlink(missing_ok=True)
    order = json.dumps({"arguments": arguments, "environment": environment, "said": str(said)})
    assert copy.forked.stdin is not None
    assert copy.forked.stdout is not None
    copy.forked.stdin.write(order + "\n")
    copy.forked.stdin.flush()
    return int(copy.forked.stdout.readline()), said.read_text("utf-8")


def sound(copies: Sequence[Copy], bugs: Sequence[Bug], tested: bool) -> str:
    """What the bugs' tests say when one of them fails without any bug; nothing if they pass. Each copy runs a part.

    Of those that were ``tested`` before, the first of each file is enough, in its short form.
    """
    tests = sorted({test for bug in bugs for test in bug.tests})
    if tested:
        tests = [next(group) for _, group in groupby(tests, lambda test: test.partition("::")[0])]
    files = sorted({test.partition("::")[0] for test in tests})
    parts = [[test for test in tests if test.partition("::")[0] in files[n :: len(copies)]] for n in range(len(copies))]
    with ThreadPoolExecutor(len(copies)) as threads:
        ran = threads.map(
            lambda part: run_tests(part[0], part[1], SHORT if tested else {}) if part[1] else (0, ""),
            zip(copies, parts, strict=True),
        )
        return "\n".join(said for status, said in ran if status != 0)


def plant(copy: Copy, bug: Bug) -> list[str]:
    """The tests that missed the bug; empty when every one of them caught it."""
    file = copy.folder / bug.file
    text, made = file.read_text("utf-8"), file.stat()
    if text.count(bug.old) != 1:
        return [f"{bug.file} holds the text to change {text.count(bug.old)} times: correct the list"]
    file.write_text(text.replace(bug.old, bug.new), "utf-8")
    os.utime(file, (0, 0))  # so that its bytecode is not taken for that of the sound file
    try:
        _, said = run_tests(copy, bug.tests, PLANTED)
        missed = [test for test in bug.tests if f"FAILED {test}" not in said]
        if missed:
            _, said = run_tests(copy, missed, PLANTED | LONGER)
            missed = [test for test in missed if f"FAILED {test}" not in said]
    finally:
        file.write_text(text, "utf-8")
        os.utime(file, ns=(made.st_atime_ns, made.st_mtime_ns))
    return missed


def main(given: Sequence[str]) -> int:
    names = [each for each in given if each != TESTED]
    chosen = [bug for bug in BUGS if not names or bug.name in names]
    unknown = set(names) - {bug.name for bug in chosen}
    if unknown:
        sys.stderr.write(f"no bug is called {', '.join(sorted(unknown))}\n")
        return 2
    os.environ.pop(DATABASE_URL, None)  # each copy has a PostgreSQL of its own
    with tempfile.TemporaryDirectory(prefix="huzhu-planted-") as folder, ExitStack() as servers:
        made = [copy_repository(Path(folder, str(number)), servers, chosen) for number in range(AT_ONCE)]
        said = sound(made, chosen, TESTED in given)
        if said:
            sys.stderr.write(f"the tests fail without any bug:\n{said}\n")
            return 1
        copies: SimpleQueue[Copy] = SimpleQueue()
        for copy in made:
            copies.put(copy)

        def planted(bug: Bug) -> tuple[Bug, list[str], float]:
            mine, started = copies.get(), time.monotonic()
            try:
                return bug, plant(mine, bug), time.monotonic() - started
            finally:
                copies.put(mine)

        missed: list[str] = []
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for bug, slipped, seconds in threads.map(planted, chosen):
                missed += [bug.name] if slipped else []
                verdict = (
                    f"MISSED by {'; '.join(slipped)}" if slipped else f"caught by {len(bug.tests)} of {len(bug.tests)}"
                )
                sys.stdout.write(f"{bug.breaks!s:<12} {bug.name:<44} {verdict}  ({seconds:.0f} s)\n")
                sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - len(missed)} of {len(chosen)} planted bugs were caught\n")
    if missed:
        sys.stdout.write(f"MISSED: {', '.join(missed)}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
