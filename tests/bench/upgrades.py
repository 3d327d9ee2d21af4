"""How long an upgrade holds up a worker on a large ledger, from a schema before constraints of large tables changed.

    python -m tests.bench.upgrades                   # 1,000,000 claims: ten minutes, 15 GB of disk
    python -m tests.bench.upgrades --claims 20000    # a small one, to see that it works

The program of then makes the ledger and takes in batches of 50 events, one after the other, while the program of now
upgrades it. A batch that begins in the upgrade waits for it as a worker's would.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from infra.ledger.schema import connect, known_schemas, schema_of
from infra.ledger.upgrading import upgrade
from infra.servers.resolve import resolve_postgres
from stream.retry import Retry
from tests.bench.multiplied import multiply
from tests.support.earlier_program import earlier_program

COMMIT, SCHEMA = "4c538f8", "0022"
"""The program before 0023 to 0025, each of which changes a CHECK that all audit entries or events have to pass."""

QUIET_SECONDS = 20.0

WORKER = """
import sys, time
from itertools import count, islice
from infra.population import generate
from tests.bench.fill import FAR, fill
from tests.web.town import filled_ledger

say = lambda line: print(line, flush=True)
with filled_ledger(sys.argv[1], 400) as engine:
    say(engine.url.render_as_string(hide_password=False))
    sys.stdin.readline()
    more = generate(99, 20_000)
    for number in count(1):
        batch = list(islice(more, 50))
        began = time.time()
        fill(engine, batch, FAR + number * 1_000_000)
        say(f"{began} {time.time() - began}")
"""


class Batch(NamedTuple):
    """When the worker began it, in seconds since 1970, and how long it took."""

    began: float
    took: float

    def meets(self, began: float, ended: float) -> bool:
        return self.began < ended and began < self.began + self.took


class Worker:
    """The program of then at work; it ends with the block."""

    def __init__(self, tree: dict[str, str], server: str) -> None:
        argv = ["env", *(f"{name}={value}" for name, value in tree.items()), sys.executable, "-c", WORKER]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([*argv, server], stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdout is not None
        self.ledger = self._process.stdout.readline().strip()
        self.batches: list[Batch] = []
        self._reader = threading.Thread(target=self._read, daemon=True)

    def go(self) -> None:
        """The ledger is large enough: it takes in batches from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            began, took = map(float, line.split())
            self.batches.append(Batch(began, took))

    def end(self) -> bool:
        """Ends it; whether it had gone on until now."""
        went_on = self._process.poll() is None
        self._process.kill()
        self._process.wait()
        self._reader.join()
        return went_on


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.upgrades", description=__doc__)
    parser.add_argument("--claims", type=int, default=1_000_000)
    claims = parser.parse_args().claims
    with resolve_postgres() as part, tempfile.TemporaryDirectory() as folder:
        program = earlier_program(Path(folder), COMMIT)
        _template(part.url, program.environment())
        worker = Worker(program.environment(), part.url)
        engine = connect(worker.ledger)
        multiply(engine, claims, _say)
        worker.go()
        time.sleep(QUIET_SECONDS)
        began = time.time()
        Retry(20, 0.2)(lambda: upgrade(engine), "upgrade the ledger")
        ended = time.time()
        assert schema_of(engine) == known_schemas()[-1]
        engine.dispose()
        time.sleep(QUIET_SECONDS)
        went_on = worker.end()
    if not went_on:
        raise SystemExit("the worker of then did not go on over the upgrade")
    _say(f"{claims:,} claims, schema {SCHEMA} to {known_schemas()[-1]}: {ended - began:.1f} s")
    for name, chosen in (
        ("before", [each for each in worker.batches if each.began + each.took < began]),
        ("meanwhile", [each for each in worker.batches if each.meets(began, ended)]),
        ("afterwards", [each for each in worker.batches if each.began > ended]),
    ):
        took = [each.took for each in chosen]
        _say(f"batches {name}: {len(took)}, median {median(took):.3f} s, longest {max(took):.3f} s" if took else name)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _template(url: str, tree: dict[str, str]) -> None:
    """An empty database with the schema of then, made by the program of then."""
    make = f"from tests.support.databases import make_template; make_template({url!r})"
    argv = ["env", *(f"{name}={value}" for name, value in tree.items()), sys.executable, "-c", make]
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    main()
