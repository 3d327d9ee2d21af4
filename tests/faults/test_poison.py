"""Poison: what was refused is put right and sent again, twice, by a named operator, and pays exactly once."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from json import loads

import pytest

from infra.ledger.schema import connect
from infra.settings import Settings
from tests.faults import kcat
from tests.faults.cluster import SHARDS, Cluster
from tests.faults.load import Load
from tests.faults.oracle import Judgement, Verdict, examine
from tests.faults.poison import CLAIMS, CODES, DUE_FEN, Case, cases
from tests.faults.run import await_rest, heal
from tests.support.acts import replay
from tests.support.paths import REPOSITORY

OPERATOR, SECOND, REASON = "li.na", "wang.wei", "retyped from the paper bill"
BY_COMMAND = 2
"""So many events are replayed with the command itself; the others through the function that it calls."""


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One broker, two workers and a relay, with the policy in force."""
    if kcat.missing():
        pytest.skip(kcat.missing())
    with Cluster(nodes=1, settings=Settings(shards=SHARDS, session_timeout=6, idle_check=5), small_disk=False) as it:
        heal(it)
        yield it


@pytest.fixture(scope="module")
def refused(cluster: Cluster) -> dict[str, tuple[Case, int]]:
    """The cases by claim, each with the number under which the ledger has its refused event."""
    every = list(cases(seed=1))
    journal = cluster.folder / "journal.jsonl"
    for stage in ([each for case in every for each in case.before], [case.refused for case in every]):
        with Load(cluster.kafka.bootstrap, journal.with_suffix(f".{len(stage)}"), float("inf")) as load:
            load.release(stage)
            load.finish(120.0)
        await_rest(cluster)
    with cluster.sql() as connection:
        rows = connection.execute("SELECT event_no, code, value FROM refusals JOIN events USING (event_no)").fetchall()
    waiting = {(case.code, case.refused.value): case for case in every if case.refused.value is not None}
    tombstones = iter([case for case in every if case.refused.value is None])
    found: dict[str, tuple[Case, int]] = {}
    for number, code, value in rows:
        case = waiting[code, value] if value is not None else next(tombstones)
        found[case.claim_id] = (case, number)
    assert len(found) == len(rows) == CLAIMS
    return found


@pytest.fixture(scope="module")
def replayed_twice(
    cluster: Cluster, refused: dict[str, tuple[Case, int]], tmp_path_factory: pytest.TempPathFactory
) -> list[Counter[str]]:
    """What became of the messages of the first and of the second replay."""
    engine = connect(cluster.postgres.url)
    by_hand = _by_hand(refused)
    fates = []
    for again in (False, True):
        known = _fates(cluster)
        for claim_id, (case, number) in refused.items():
            if claim_id in by_hand:
                file = tmp_path_factory.mktemp("corrected") / "event.json"
                file.write_bytes(case.corrected)
                said = huzhu(
                    cluster, "replay", str(number), "--file", str(file), "--operator", OPERATOR, "--reason", REASON
                )
                if again:
                    assert said.returncode == 2, said.stderr
                    assert b"sent again already" in said.stderr
                    continue
                assert said.returncode == 0, said.stderr
                (proposal,) = loads(huzhu(cluster, "proposals", "--json").stdout)["proposals"]
                said = huzhu(cluster, "approve", str(proposal["proposal"]), "--operator", SECOND)
                assert said.returncode == 0, said.stderr
            else:
                as_it_was = case.code == "KEY_MISMATCH"  # the replay gives it the right key
                corrected = None if as_it_was else case.corrected
                replay(engine, [number], OPERATOR, REASON, SHARDS, lambda: datetime.now(UTC), corrected)
        await_rest(cluster)
        fates.append(_fates(cluster) - known)
    engine.dispose()
    return fates


@pytest.fixture(scope="module")
def judgement(cluster: Cluster, replayed_twice: list[Counter[str]]) -> Judgement:
    """The oracle's verdict when all is at rest."""
    del replayed_twice
    journals = sorted(cluster.folder.glob("journal.*"))
    return examine(cluster.kafka.bootstrap, cluster.postgres.url, journals, SHARDS)


def test_every_code_is_among_the_refused(cluster: Cluster, refused: dict[str, tuple[Case, int]]) -> None:
    """All are refused, and every code of the contract occurs."""
    assert CLAIMS == len(refused)
    with cluster.sql() as connection:
        found = {code for (code,) in connection.execute("SELECT DISTINCT code FROM refusals").fetchall()}
    assert set(CODES) - {"TOMBSTONE"} == found


def test_list_and_show_give_code_and_bytes(cluster: Cluster, refused: dict[str, tuple[Case, int]]) -> None:
    """`deadletter list` counts the refused by code, and `show` gives the bytes of one as they were sent."""
    listed = huzhu(cluster, "list", "--code", "UNSUPPORTED_CURRENCY", "--limit", "1000")
    assert listed.returncode == 0, listed.stderr
    case, number = next(each for each in refused.values() if each[0].code == "UNSUPPORTED_CURRENCY")
    assert re.search(rf"\b{number}\b", listed.stdout.decode())
    shown = huzhu(cluster, "show", str(number))
    assert case.refused.value == shown.stdout
    assert b"UNSUPPORTED_CURRENCY" in shown.stderr


def test_a_replay_counts_once(replayed_twice: list[Counter[str]]) -> None:
    """Put right, each is accepted the first time; sent a second time it is a duplicate, and the commands refuse to."""
    first = Counter(accepted=CLAIMS, replay=CLAIMS, console=BY_COMMAND)  # a proposal is an act too
    again = CLAIMS - BY_COMMAND
    assert [first, Counter(duplicate=again, replay=again)] == replayed_twice


def test_each_claim_is_paid_exactly_once(judgement: Judgement) -> None:
    """After both replays every claim has what it is owed, in one instruction or in one and its difference."""
    assert Verdict.OK is judgement.verdict, judgement.findings
    assert judgement.evidence is not None
    paid: Counter[str] = Counter()
    orders: Counter[str] = Counter()
    for message in judgement.evidence.topics["payouts.instructions"]:
        order = loads(message.value or b"")
        paid[order["claim_id"]] += int(order["amount"].replace(".", "")) * (1 if order["kind"] == "payment" else -1)
        orders[order["claim_id"]] += 1
    every = list(cases(seed=1))
    assert {case.claim_id: DUE_FEN for case in every} == paid
    assert {case.claim_id: 2 if case.code == "VERSION_CONFLICT" else 1 for case in every} == orders


def test_each_replay_is_an_audited_act(judgement: Judgement, refused: dict[str, tuple[Case, int]]) -> None:
    """Every replay left one audit entry that names the operator, the reason and the refused event."""
    assert judgement.evidence is not None
    entries = [loads(each.value) for each in judgement.evidence.books.audit if each.kind == "event.replayed"]
    assert {f"operator:{OPERATOR}", f"operator:{SECOND}"} == {entry["actor"] for entry in entries}
    told = {f"operator:{OPERATOR}": REASON}
    told[f"operator:{SECOND}"] = f"{REASON} (proposed by {OPERATOR}, approved by {SECOND})"
    assert all(told[entry["actor"]] == entry["subject"]["reason"] for entry in entries)
    by_hand = _by_hand(refused)
    times = {str(number): 1 if claim_id in by_hand else 2 for claim_id, (_, number) in refused.items()}
    assert Counter(times) == Counter(entry["subject"]["refused_no"] for entry in entries)


@pytest.mark.parametrize(
    ("number", "operator", "reason", "named"),
    [("999999", "li.na", "why", "999999"), ("1", " ", "why", "--operator"), ("1", "li.na", "", "--reason")],
)
def test_an_unnamed_or_unknown_replay_is_refused(
    cluster: Cluster, number: str, operator: str, reason: str, named: str
) -> None:
    """An unknown number, no operator or no reason: one sentence, exit status 2, and nothing is ordered."""
    before = _fates(cluster)["replay"]
    said = huzhu(cluster, "replay", number, "--operator", operator, "--reason", reason)
    assert said.returncode == 2
    message = " ".join(said.stderr.decode().split())
    assert named in message
    assert "Traceback" not in message
    assert before == _fates(cluster)["replay"]


def _by_hand(refused: dict[str, tuple[Case, int]]) -> list[str]:
    """The claims whose events two people send again with the commands."""
    return list(refused)[:: CLAIMS // BY_COMMAND]


def huzhu(cluster: Cluster, *words: str) -> subprocess.CompletedProcess[bytes]:
    """`huzhu deadletter ...` on the cluster."""
    command = [sys.executable, "-m", "cli.main", "deadletter", *words]
    return subprocess.run(
        command, capture_output=True, env=cluster.environment(), cwd=REPOSITORY, timeout=60, check=False
    )


def _fates(cluster: Cluster) -> Counter[str]:
    with cluster.sql() as connection:
        rows = connection.execute("SELECT disposition, count(*) FROM events GROUP BY disposition").fetchall()
    return Counter(dict(rows))
