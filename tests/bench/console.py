"""Part f: how fast the console's pages are on a large ledger. `python -m tests.bench.console` exports everything too.

A small town is taken in as usual; then one decided claim of it is multiplied by SQL, with its events, facts, decision,
instruction and audit entries. Milliseconds at the browser's side.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from sqlalchemy import create_engine, make_url, text

from infra.ledger.schema import connect
from infra.ledger.upgrading import upgrade
from infra.servers.resolve import resolve_postgres
from tests.bench.figures import Figure
from tests.bench.machine import load
from tests.bench.multiplied import multiply
from tests.web.desk import Desk, Visitor, open_desk
from tests.web.town import filled_ledger

PART = "f. console"


def measure(claims: int, say: Callable[[str], None], kinds: Sequence[str] = ("parquet",)) -> list[Figure]:
    """Every page for nineteen different claims, then an export of all claims in each of some formats."""
    with _desk(claims, say) as (desk, part):
        figures = list(_pages(desk, part, claims))
        for kind in kinds:
            figures += _export(desk.visitor("finance"), kind, claims)
        return figures


@contextmanager
def _desk(claims: int, say: Callable[[str], None]) -> Iterator[tuple[Desk, str]]:
    """The console over a ledger with so many claims, and the part of ids that they begin with."""
    with resolve_postgres() as part, tempfile.TemporaryDirectory() as folder:
        admin = create_engine(part.url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE huzhu_template"))
        admin.dispose()
        template = connect(make_url(part.url).set(database="huzhu_template").render_as_string(hide_password=False))
        upgrade(template)
        template.dispose()
        with filled_ledger(part.url, 400) as engine:
            copies = multiply(engine, claims, say)
            with open_desk(engine, Path(folder)) as desk:
                began = time.perf_counter()
                desk.catch_up()
                say(f"digest: {time.perf_counter() - began:.1f} s")
                yield desk, copies


def _pages(desk: Desk, part: str, claims: int) -> Iterator[Figure]:
    visitor = desk.visitor("auditor")
    numbers = [f"{part}{number * claims // 20 + 1:06x}" for number in range(19)]
    link = f"/persons/{desk.keys.token(f'P-{numbers[3]}', 'person')}"
    claim_ids = [f"E-{number}-001" for number in numbers]
    pages: dict[str, Callable[[int], httpx.Response]] = {
        "overview": lambda at: visitor.get("/"),
        "claim, a different one each time": lambda at: visitor.get(f"/claims/{claim_ids[at]}"),
        "person": lambda at: visitor.get(link),
        "search, both requests": lambda at: visitor.search(claim_ids[at]),
        "refused events": lambda at: visitor.get("/refused"),
        "policies": lambda at: visitor.get("/policies"),
    }
    for name, page in pages.items():
        took = []
        for at in range(len(numbers)):
            began = time.perf_counter()
            answer = page(at)
            took.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"{name}: status {answer.status_code}")
        note = f"{claims:,} claims; the first {took[0]:.0f} ms"
        yield Figure(PART, name, "page", "ms", "less", tuple(took[1:]), (load(),), note)


def _export(visitor: Visitor, kind: str, claims: int) -> Iterator[Figure]:
    visitor.client.timeout = httpx.Timeout(1800)
    began = time.perf_counter()
    answer = visitor.post("/exports", seen="/exports", what="claims", format=kind)
    took, resident = time.perf_counter() - began, psutil.Process().memory_info().rss
    note = f"{answer.headers['x-rows']} rows; memory of browser and server {resident >> 20} MiB"
    yield Figure(PART, f"export of {claims:,} claims", kind, "s", "less", (took,), (load(),), note)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.console", description=__doc__)
    parser.add_argument("--claims", type=int, default=1_000_000)
    figures = measure(parser.parse_args().claims, _say, ("parquet", "csv", "xlsx"))
    for each in figures:
        _say(f"| {each.subject} | {each.measure} | {each.median:.1f} {each.unit} | {each.note} |")


if __name__ == "__main__":
    main()
