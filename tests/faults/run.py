"""One fault run: load and faults together, then rest, then the oracle's verdict; and a report of it all.

python -m tests.faults.run --seed 1 --rounds 2 --persons 4000 --settlements 30000
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom

import psycopg

from infra.servers.local.errors import PartFailed
from tests.faults import kcat
from tests.faults.chaos import Chaos
from tests.faults.cluster import SHARDS, Cluster
from tests.faults.events import Posting, address, postings, reported
from tests.faults.evidence import INBOUND, UNDECIDED, UNSENT
from tests.faults.households import by_household
from tests.faults.load import Load, post_in_transaction
from tests.faults.oracle import Judgement, Verdict, examine
from tests.faults.poison import cases
from tests.faults.pools import by_pool
from tests.faults.waiting import await_true, pause
from tests.support.outbox import keep_as_released
from tests.support.paths import WUXI
from tests.support.treaties import treaty_text

STALLED_S_MAX = 180.0
REST_POLL_S = 0.5
ACKNOWLEDGED_S_MAX = 600.0
PUBLISH_S_MAX = 180.0
STEP_S = 6.0
"""About how long a fault lasts: the load of one step is spread over this."""

PUBLISH_AT = 0.25
"""The policy is published when so much of the load was released: claims before it wait, then all are decided."""

TRANSACTION_EVERY = 3
"""After so many faults a sender posts a claim in a Kafka transaction; every other one is taken back."""

SOUND_EXITS = {0, 75, -9, -15}
"""Ended on request, for trouble of the infrastructure, or killed. Anything else is a defect of the program."""


def seed() -> int:
    """HUZHU_FAULTS_SEED, or a new one, which a failure prints."""
    return int(os.environ.get("HUZHU_FAULTS_SEED") or SystemRandom().randrange(10**6))


@dataclass
class Report:
    """What one run did and showed."""

    seed: int
    judgement: Judgement
    fired: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    exits: Counter[tuple[str, int]] = field(default_factory=Counter)
    posted: int = 0
    acknowledged: int = 0
    seconds: float = 0.0

    @property
    def unsound_exits(self) -> dict[tuple[str, int], int]:
        """Ends of processes that the program should not have had."""
        return {end: count for end, count in self.exits.items() if end[1] not in SOUND_EXITS}

    def __str__(self) -> str:
        judged = self.judgement
        lines = [
            f"seed {self.seed}: {judged.verdict}, {self.fired.total()} faults in {self.seconds:.0f} s, "
            f"{self.posted} posted, {self.acknowledged} acknowledged",
            *(f"  {count:4} {kind}" for kind, count in sorted(self.fired.items())),
            *(f"  {count:4} NOT MADE: {kind}" for kind, count in sorted(self.missed.items())),
            *(f"  {count:4} {name} ended with {code}" for (name, code), count in sorted(self.exits.items())),
            *(f"  VIOLATION {each}" for each in judged.findings),
        ]
        if judged.evidence is not None:
            books = judged.evidence.books
            fates = Counter(each.disposition for each in books.events)
            said = ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()))
            lines.append(f"  ledger: {said}; {len(books.claims)} claims, {len(books.instructions)} instructions")
        return "\n".join(lines)


def run(seed: int, rounds: int, persons: int, settlements: int) -> Report:
    """A whole run on servers of its own, which are gone afterwards. The same seed gives the same load and schedule."""
    absent = kcat.missing()
    if absent:
        return Report(seed, Judgement(Verdict.UNKNOWN, (absent,)))
    planned = postings(seed, persons, settlements, SHARDS)
    say(f"seed {seed}: {len(planned)} events, {rounds} rounds of faults (again: HUZHU_FAULTS_SEED={seed})")
    began = time.monotonic()
    with Cluster() as cluster:
        say(f"cluster up after {time.monotonic() - began:.1f} s, logs in {cluster.supervisor.folder}")
        keep_as_released(cluster.postgres.url, 2)
        chaos = Chaos(cluster, seed)
        report = Report(seed, Judgement(Verdict.UNKNOWN), chaos.fired, chaos.missed, cluster.supervisor.exits)
        try:
            _run_on(cluster, chaos, rounds, planned, report)
        except (TimeoutError, PartFailed, psycopg.Error, kcat.Unreadable) as error:
            report.judgement = Judgement(Verdict.UNKNOWN, (f"{type(error).__name__}: {error}",))
        report.seconds = time.monotonic() - began
        if report.judgement.verdict is not Verdict.OK or report.unsound_exits:
            _keep_logs(cluster, seed)
    return report


def _run_on(cluster: Cluster, chaos: Chaos, rounds: int, planned: list[Posting], report: Report) -> None:
    rng = Random(f"{report.seed}:run")
    kinds = list(chaos.schedule(rounds))
    journals = [cluster.folder / "journal.jsonl"]
    claims = cases(report.seed)
    with Load(cluster.kafka.bootstrap, journals[0], len(planned) / len(kinds) / STEP_S) as load:
        published, month_ends = False, {len(kinds) // 2, len(kinds) - 1}
        for step, kind in enumerate(kinds):
            load.release(planned[len(planned) * step // len(kinds) : len(planned) * (step + 1) // len(kinds)])
            chaos.fire(kind)
            say(chaos.diary[-1])
            if not published and step >= PUBLISH_AT * len(kinds):
                published = _publish(cluster)
            load.release(reports(cluster, rng))
            if published and step in month_ends and not _end_month(cluster):
                month_ends.add(step + 1)  # whatever was broken: again after the next fault
            if step % TRANSACTION_EVERY == 0:
                journals.append(cluster.folder / f"journal-{step}.jsonl")
                commit = step // TRANSACTION_EVERY % 2 == 0
                claim = next(claims)
                events = [*claim.before, address(claim.corrected)]
                post_in_transaction(cluster.kafka.bootstrap, journals[-1], events, commit=commit)
        load.hurry()
        heal(cluster)
        load.finish(ACKNOWLEDGED_S_MAX)
    report.posted, report.acknowledged = load.posted, load.acknowledged
    await_rest(cluster)
    report.judgement = examine(cluster.kafka.bootstrap, cluster.postgres.url, journals, SHARDS)


def heal(cluster: Cluster) -> None:
    """Nothing is broken any more; the policy and the treaty are in force."""
    cluster.postgres_proxy.heal()
    for proxy in cluster.broker_proxies.values():
        proxy.heal()
    cluster.await_in_sync()
    if not await_true(lambda: _publish(cluster), 2 * PUBLISH_S_MAX):
        raise TimeoutError("the policy or the treaty could not be published")


def _publish(cluster: Cluster) -> bool:
    """As an operator does it; publishing twice is harmless. The treaty covers a scheme of the policy on every day."""
    policy, treaty = cluster.folder / "policy.toml", cluster.folder / "treaty.toml"
    policy.write_text(by_pool(by_household(WUXI.read_text("utf-8"))), "utf-8")
    treaty.write_text(treaty_text(first="2000-01-01", end="2100-01-01"))
    return all(_published(cluster, *each) for each in (("policy", policy), ("treaty", treaty)))


def _end_month(cluster: Cluster) -> bool:
    """The office issues the statements of a month and closes its books, as if it had ended."""
    command = [sys.executable, "-m", "tests.support.month_ends", str(cluster.settings.shards)]
    return _done(cluster, command)


def _published(cluster: Cluster, what: str, file: Path) -> bool:
    command = [sys.executable, "-m", "cli.main", what, "publish", str(file), "--operator", "faults", "--yes"]
    return _done(cluster, command)


def _done(cluster: Cluster, command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command, capture_output=True, env=cluster.environment(), check=False, timeout=PUBLISH_S_MAX
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def reports(cluster: Cluster, rng: Random) -> list[Posting]:
    """What an insurer answers to a few of the instructions so far."""
    try:
        with cluster.sql() as connection:
            sample = "SELECT payout_id, person_id FROM instructions ORDER BY md5(payout_id || %s) LIMIT 5"
            return [reported(rng, *row) for row in connection.execute(sample, [str(rng.random())]).fetchall()]
    except psycopg.Error:
        return []


def await_rest(cluster: Cluster, stalled_s: float = STALLED_S_MAX) -> None:
    """Until the ledger has every inbound message, nobody and no pool waits for a step, and every message is sent.

    Raises TimeoutError when nothing has moved for so long: how long it takes in all is the machine's affair.
    """
    began = moved = time.monotonic()
    best = sys.maxsize
    while left := _left(cluster):
        if left < best:
            best, moved = left, time.monotonic()
        if time.monotonic() - moved > stalled_s:
            raise TimeoutError(f"{best} messages are left to take in or to send, and none moved for {stalled_s:.0f} s")
        pause(REST_POLL_S)
    say(f"at rest after {time.monotonic() - began:.1f} s")


def _left(cluster: Cluster) -> int:
    """Messages not taken in or sent, persons not decided and pools not served yet; many when no server answers."""
    try:
        ends = kcat.ends(cluster.kafka.bootstrap, INBOUND, cluster.settings.shards, "read_uncommitted")
        with cluster.sql() as connection:
            reached = {(t, p): n for t, p, n in connection.execute("SELECT * FROM offsets").fetchall()}
            unsent: int = sum(count for _, count in connection.execute(UNSENT).fetchall())
            undecided: int = sum(count for (count,) in connection.execute(UNDECIDED).fetchall())
    except (psycopg.Error, kcat.Unreadable):
        return sys.maxsize
    behind: int = sum(end - reached.get(place, 0) for place, end in ends.items())
    return unsent + behind + undecided


def _keep_logs(cluster: Cluster, seed: int) -> None:
    place = Path(f"/tmp/huzhu-faults-failed-{seed}")
    subprocess.run(["cp", "-rT", str(cluster.supervisor.folder), str(place)], check=False)
    subprocess.run(["cp", str(cluster.folder / "journal.jsonl"), str(place)], check=False)
    say(f"the logs are kept in {place}")


def say(text: str) -> None:
    """A line on standard output, at once: the one in pytest's capture or the terminal's."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """The command line; 0 when the verdict is ok."""
    options = argparse.ArgumentParser(description="Load and faults on real servers, judged by the oracle.")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--persons", type=int, default=400)
    options.add_argument("--settlements", type=int, default=3000)
    chosen = options.parse_args()
    report = run(chosen.seed, chosen.rounds, chosen.persons, chosen.settlements)
    say(str(report))
    return 0 if report.judgement.verdict is Verdict.OK and not report.unsound_exits else 1


if __name__ == "__main__":
    sys.exit(main())
