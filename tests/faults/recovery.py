"""How long recovery takes, measured on one broker with one worker.

python -m tests.faults.recovery kills    # kill -9 of the only worker, to the next committed batch
python -m tests.faults.recovery backlog  # from a cold start to idle, with 100,000 events waiting
"""

from __future__ import annotations

import argparse
import statistics
import time
from random import Random

from infra.settings import Settings
from tests.faults.cluster import SHARDS, Cluster
from tests.faults.events import Posting, postings, reported
from tests.faults.load import Load
from tests.faults.oracle import Verdict, examine
from tests.faults.run import await_rest, heal, say
from tests.faults.waiting import await_true, pause

KILLS = 7
BACKLOG_EVENTS = 100_000
COMMIT_S_MAX = 120.0


def kills(session_timeout: float) -> list[float]:
    """Seconds from each kill -9 of the only worker to the next batch that is committed, while events keep coming."""
    settings = Settings(shards=SHARDS, session_timeout=session_timeout)
    took: list[float] = []
    with Cluster(nodes=1, settings=settings, small_disk=False) as cluster:
        cluster.supervisor.dismiss("worker-2")
        rng = Random(1)
        with Load(cluster.kafka.bootstrap, cluster.folder / "journal.jsonl", per_second=50.0) as load:
            load.release([_small_event(rng, number) for number in range(20_000)])
            for number in range(KILLS):
                _await_a_batch(cluster, _last(cluster))
                pause(2.0)  # the group has settled
                before, began = _last(cluster), time.monotonic()
                cluster.supervisor.kill("worker-1")
                before = max(before, _last(cluster))  # what was committed in the last moment before the kill
                _await_a_batch(cluster, before)
                took.append(time.monotonic() - began)
                say(f"kill {number + 1}: {took[-1]:.1f} s")
    return took


def backlog(events: int, seed: int) -> tuple[int, float]:
    """How many events waited, and the seconds from the start of worker and relay until all is decided and sent."""
    planned: list[Posting] = []
    while len(planned) < events:
        planned += postings(seed + len(planned), 4_000, 30_000, SHARDS)
    with Cluster(nodes=1, settings=Settings(shards=SHARDS), small_disk=False) as cluster:
        heal(cluster)
        for name in ("worker-1", "worker-2", "relay-1"):
            cluster.supervisor.dismiss(name)
        journal = cluster.folder / "journal.jsonl"
        with Load(cluster.kafka.bootstrap, journal, float("inf")) as load:
            load.release(planned[:events])
            load.finish(600.0)
        say(f"{load.acknowledged} events wait")
        began = time.monotonic()
        for name in ("worker-1", "relay-1"):
            cluster.supervisor.start(name)
        await_rest(cluster)
        took = time.monotonic() - began
        say(f"idle after {took:.1f} s: {load.acknowledged / took:.0f} events/s; now the oracle")
        judgement = examine(cluster.kafka.bootstrap, cluster.postgres.url, [journal], SHARDS)
        if judgement.verdict is not Verdict.OK:
            raise AssertionError(f"{judgement.verdict}: {judgement.findings}")
        return load.acknowledged, took


def _small_event(rng: Random, number: int) -> Posting:
    return reported(rng, f"PO-unknown-{number}", f"P-{number % 97}")


def _last(cluster: Cluster) -> int:
    with cluster.sql() as connection:
        row = connection.execute("SELECT coalesce(max(event_no), 0) FROM events").fetchone()
    return int(row[0]) if row else 0


def _await_a_batch(cluster: Cluster, known: int) -> None:
    if not await_true(lambda: _last(cluster) > known, COMMIT_S_MAX, poll_s=0.02):
        raise TimeoutError(f"no batch was committed within {COMMIT_S_MAX:.0f} s")


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description="Measure recovery.")
    options.add_argument("what", choices=("kills", "backlog"))
    options.add_argument("--session-timeout", type=float, default=10.0)
    options.add_argument("--events", type=int, default=BACKLOG_EVENTS)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    if chosen.what == "kills":
        took = kills(chosen.session_timeout)
        median = statistics.median(took)
        say(f"{len(took)} kills: median {median:.1f} s, least {min(took):.1f} s, most {max(took):.1f} s")
    else:
        events, seconds = backlog(chosen.events, chosen.seed)
        say(f"{events} events: idle after {seconds:.1f} s")


if __name__ == "__main__":
    main()
