"""What workers wait for in the ledger, by how many they are: `python -m tests.bench.waits --workers 1 2 4`.

And how much each event adds to PostgreSQL's log. Samples of `pg_stat_activity` while a backlog is taken in: in which
share of a worker's samples its session computed in PostgreSQL, waited for something there, or was idle, so that the
worker itself was at work or waited for a processor.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import psycopg

from stream.inbound.post import post
from tests.bench import contestants as who
from tests.bench.machine import load
from tests.bench.messages import backlog, expected, settlements_in
from tests.bench.race import race
from tests.bench.stage import Stage, stage

EVERY_SECONDS = 0.01
SESSIONS = """
    SELECT split_part(application_name, ' ', 2), state, coalesce(wait_event_type || ' ' || wait_event, 'computing')
    FROM pg_stat_activity WHERE application_name LIKE 'huzhu %' AND datname LIKE 'bench_%'
"""


class Samples(threading.Thread):
    """Looks at the sessions of workers and relay until it is told to end."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        self._url = stage.postgres.replace("+psycopg", "")
        self._ended = threading.Event()
        self.found: Counter[tuple[str, str]] = Counter()

    def run(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._ended.wait(EVERY_SECONDS):
                for kind, state, wait in connection.execute(SESSIONS):
                    self.found[kind, wait if state == "active" else state] += 1

    def end(self) -> None:
        self._ended.set()
        self.join()

    def shares(self, kind: str) -> list[tuple[str, float]]:
        """What the sessions of one kind of process were doing, most frequent first."""
        found = Counter({what: seen for (whose, what), seen in self.found.items() if whose == kind})
        return [(what, seen / found.total()) for what, seen in found.most_common()]


def measure(workers: Sequence[int], persons: int, runs: int) -> None:
    """Each number of workers in turn, ``runs`` times; says a table of each."""
    messages = backlog(persons)
    owed, bills = expected(messages), settlements_in(messages)
    (huzhu,) = who.chosen([who.HUZHU])
    with stage() as made:
        post(made.bootstrap, messages)
        for run in range(runs):
            for number in workers:
                samples = Samples(made)
                samples.start()
                entry = replace(huzhu, workers=number)
                before = _written(made)
                lap = race(made, entry, f"waits-{run}-{number}", owed, len(messages), "bench_template")
                samples.end()
                log, commits = (after - then for after, then in zip(_written(made), before, strict=True))
                spent = ", ".join(
                    f"{name} {seconds / len(messages) * 1e6:.0f}" for name, seconds in {**lap.own, **lap.beside}.items()
                )
                _say(f"{number} workers: {bills / lap.seconds:.0f} settlements/s, {lap.verdict}; load {load():.1f}")
                _say(f"  processor time (us an event): {spent}")
                _say(f"  {log / len(messages):.0f} bytes of the log and {commits / len(messages):.3f} commits an event")
                for what, share in samples.shares("worker"):
                    _say(f"  {share:6.1%} {what}")


def _written(stage: Stage) -> tuple[int, int]:
    """Bytes of PostgreSQL's log so far, and commits of all its sessions."""
    with psycopg.connect(stage.postgres.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute(
            "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn, sum(xact_commit)::bigint FROM pg_stat_database"
        ).fetchone()
    assert row is not None, "an aggregate has one row"
    return int(row[0]), int(row[1])


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.waits", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--persons", type=int, default=6000)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    measure(options.workers, options.persons, options.runs)


if __name__ == "__main__":
    main()
