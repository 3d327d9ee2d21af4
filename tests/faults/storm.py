"""Storms: faults at short intervals on one broker, PostgreSQL, two workers and two relays; then: does it come to rest?

python -m tests.faults.storm --seed 1 --storms 6 --beside 8

A storm kills and stops processes while they start, takes servers away together, and leaves transactions hanging, while
an office replays, reissues and publishes a policy, and an insurer reports. After its last fault, with both servers
answering, everything must be taken in and sent within a stated time, and be exact.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg

from infra.settings import Settings
from tests.faults import kcat, storm_faults
from tests.faults.cluster import Cluster
from tests.faults.events import postings
from tests.faults.evidence import CURSORS, INBOUND, OUTBOUND, UNDECIDED, UNSENT, group_steps, pool_steps, waited
from tests.faults.load import Load
from tests.faults.office import Office, policy_of
from tests.faults.oracle import Judgement, Verdict, examine
from tests.faults.run import ACKNOWLEDGED_S_MAX, SOUND_EXITS, heal, reports, say
from tests.faults.waiting import pause
from tests.support.outbox import keep_as_released

SHARDS = 4
SETTINGS = Settings(
    shards=SHARDS, session_timeout=6, idle_check=5, ledger_lease=7, batch_events=50, relay_batch=50, retry_wait=0.2
)
NAMES = ("worker-1", "worker-2", "relay-1", "relay-2")
FORMS = (0, 2, 1)
"""In the first storm the outbox is written by the batch, in the next half of it as release 1.0 did, then all of it."""

EVENTS_A_STORM = 300
STORM_S = 25.0
REST_S_MAX = 60.0
"""The stated time to rest on a quiet machine; on a busy one it is so much longer as starting a process takes longer."""

GIVEN_UP_S = 240.0
REST_POLL_S = 0.25


@dataclass
class Storm:
    """One storm and what came after it."""

    number: int
    rest_s: float | None = None
    judgement: Judgement = field(default_factory=lambda: Judgement(Verdict.UNKNOWN))
    left: str = ""


@dataclass
class Report:
    """What a series of storms showed."""

    seed: int
    beside: int
    storms: list[Storm] = field(default_factory=list)
    fired: Counter[str] = field(default_factory=Counter)
    exits: Counter[tuple[str, int]] = field(default_factory=Counter)
    waited: set[str] = field(default_factory=set)
    """The claims of which something waits in a pool's queue, or that had waited for a pool and were paid."""

    @property
    def restless(self) -> list[Storm]:
        """Storms that did not come to rest, or not exact."""
        return [each for each in self.storms if each.rest_s is None or each.judgement.verdict is not Verdict.OK]

    @property
    def unsound_exits(self) -> dict[tuple[str, int], int]:
        return {end: count for end, count in self.exits.items() if end[1] not in SOUND_EXITS}

    def __str__(self) -> str:
        took = [each.rest_s for each in self.storms if each.rest_s is not None]
        times = f"median {statistics.median(took):.1f} s, longest {max(took):.1f} s" if took else "never"
        return "\n".join(
            [
                f"seed {self.seed}, {self.beside} busy processes beside: {len(self.storms) - len(self.restless)} of "
                f"{len(self.storms)} storms came to rest, exact; time to rest: {times}",
                *(f"  {count:4} {kind}" for kind, count in sorted(self.fired.items())),
                *(f"  {count:4} {name} ended with {code}" for (name, code), count in sorted(self.exits.items())),
                *(f"  storm {each.number}: {each.left} {each.judgement.findings}" for each in self.restless),
            ]
        )


def run(seed: int, storms: int, beside: int = 0) -> Report:
    """A series of storms on servers of its own, with so many busy processes beside them."""
    report = Report(seed, beside)
    with Cluster(nodes=1, settings=SETTINGS, small_disk=False) as cluster, _busy(beside):
        say(f"cluster up, logs in {cluster.supervisor.folder}")
        cluster.supervisor.start("relay-2")
        report.exits = cluster.supervisor.exits
        planned = postings(seed, 200 * storms, EVENTS_A_STORM * storms, SHARDS)
        journals: list[Path] = []
        for number in range(storms):
            part = planned[len(planned) * number // storms : len(planned) * (number + 1) // storms]
            journals.append(cluster.folder / f"journal-{number}.jsonl")
            keep_as_released(cluster.postgres.url, FORMS[number % len(FORMS)])
            storm = Storm(number)
            report.storms.append(storm)
            rng = Random(f"{seed}:{number}:storm")
            office = Office(cluster, policy_of(number), Random(f"{seed}:{number}:office"), report.fired)
            with Load(cluster.kafka.bootstrap, journals[-1], len(part) / STORM_S) as load, office:
                load.release(part)
                _blow(cluster, load, rng, report.fired)
                load.hurry()
                load.finish(ACKNOWLEDGED_S_MAX)
            began = time.monotonic()
            heal(cluster)
            if not _await_rest(cluster, storm, began):
                keep(cluster, f"{seed}-{number}")
                break
            try:
                storm.judgement = examine(cluster.kafka.bootstrap, cluster.postgres.url, journals, SHARDS)
            except (psycopg.Error, kcat.Unreadable) as error:
                storm.judgement = Judgement(Verdict.UNKNOWN, (f"{type(error).__name__}: {error}",))
            evidence = storm.judgement.evidence
            still, paid = waited(evidence)
            report.waited |= still | paid
            say(
                f"storm {number}: rest after {storm.rest_s:.1f} s, {storm.judgement.verdict}, {group_steps(evidence)} "
                f"group steps, {pool_steps(evidence)} of pools; {len(still)} claims wait, {len(paid)} have waited"
            )
            if storm.judgement.verdict is not Verdict.OK:
                say("\n".join(storm.judgement.findings))
                keep(cluster, f"{seed}-{number}")
        if report.unsound_exits:
            keep(cluster, f"{seed}-exits")
    return report


def _blow(cluster: Cluster, load: Load, rng: Random, fired: Counter[str]) -> None:
    """Faults at short intervals, each ended before the storm ends; in between an insurer reports."""
    end = time.monotonic() + STORM_S
    while time.monotonic() < end:
        kind = rng.choice(list(storm_faults.KINDS))
        say(f"  {kind}")
        fired[kind] += storm_faults.KINDS[kind](cluster, rng) is not False
        load.release(reports(cluster, rng))
        pause(rng.choice((0.0, 0.3, 1.0, 2.0)))
    storm_faults.calm(cluster)


def _await_rest(cluster: Cluster, storm: Storm, began: float) -> bool:
    said = began
    while left := left_over(cluster):
        now = time.monotonic()
        if now - began > GIVEN_UP_S:
            storm.left = left
            say(f"storm {storm.number} does not come to rest: {left}")
            return False
        if now - said > 15:
            said = now
            say(f"    {now - began:.0f} s: {left}")
        pause(REST_POLL_S)
    storm.rest_s = time.monotonic() - began
    return True


def left_over(cluster: Cluster) -> str:
    """What is not taken in, not decided, not sent, or hidden behind an open transaction; empty at rest."""
    names = (*INBOUND, *OUTBOUND, CURSORS)
    try:
        ends = kcat.ends(cluster.kafka.bootstrap, names, SHARDS, "read_uncommitted")
        stable = kcat.ends(cluster.kafka.bootstrap, names, SHARDS, "read_committed")
        with cluster.sql() as connection:
            reached = {(t, p): n for t, p, n in connection.execute("SELECT * FROM offsets").fetchall()}
            unsent: dict[int, int] = dict(connection.execute(UNSENT).fetchall())
            undecided: int = sum(count for (count,) in connection.execute(UNDECIDED).fetchall())
    except (psycopg.Error, kcat.Unreadable, OSError) as error:
        return f"servers do not answer: {type(error).__name__}"
    behind = {place: end - reached.get(place, 0) for place, end in ends.items() if place[0] in INBOUND}
    behind = {place: count for place, count in behind.items() if count}
    hidden = {place: end - stable[place] for place, end in ends.items() if end != stable[place]}
    found = {"lag": behind, "undecided": undecided, "unsent": unsent, "hidden": hidden}
    parts = [f"{what} {each}" for what, each in found.items() if each]
    return "; ".join(parts)


@contextlib.contextmanager
def _busy(count: int) -> Iterator[None]:
    """So many processes that do nothing but compute."""
    spins = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for each in spins:
            each.kill()
            each.wait()


def keep(cluster: Cluster, name: str) -> None:
    place = Path(f"/tmp/huzhu-storm-failed-{name}")
    subprocess.run(["cp", "-rT", str(cluster.supervisor.folder), str(place)], check=False)
    for node in cluster.kafka.nodes:
        subprocess.run(["cp", str(node.log), str(place / f"{node.name}.log")], check=False)
    say(f"the logs are kept in {place}")


def main() -> int:
    """The command line; 0 when every storm came to rest, exact."""
    options = argparse.ArgumentParser(description="Storms, and whether the system comes to rest after them.")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--storms", type=int, default=6)
    options.add_argument("--beside", type=int, default=0, help="busy processes beside it")
    chosen = options.parse_args()
    report = run(chosen.seed, chosen.storms, chosen.beside)
    say(str(report))
    return 1 if report.restless or report.unsound_exits else 0


if __name__ == "__main__":
    sys.exit(main())
