"""`huzhu demo`, the whole system as one command: right to the fen, whatever dies, and nothing left behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from signal import Signals
from typing import NamedTuple

import httpx
import psutil
import psycopg
import pytest

from schemas.money import parse_yuan
from tests.support.builders import Json
from tests.support.paths import SYNTHEA, WUXI
from tests.support.schemas_in_force import faults, validators
from tests.support.servers import all_gone, await_true

FILES = ("decisions.jsonl", "payouts.jsonl", "statements.jsonl", "audit.jsonl", "deadletter.jsonl")
RUN_S_MAX = 240.0
STOP_S_MAX = 30.0


class Demo:
    """A `huzhu demo` that runs, and every process that was seen under it."""

    def __init__(self, out: Path, *more: str, facts: Path | None = SYNTHEA) -> None:
        given: list[str | Path] = [] if facts is None else ["--facts", facts]
        argv: list[str | Path] = [sys.executable, "-m", "cli.main", "demo", *given, "--out", out, *more]
        environment = {**os.environ, "HUZHU_SESSION_TIMEOUT": "6", "HUZHU_BATCH_EVENTS": "10"}
        self.log = out.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(argv, env=environment, stdout=log, stderr=subprocess.STDOUT)
        self.family: set[psutil.Process] = {psutil.Process(self.process.pid)}

    def look(self) -> bool:
        """Whether it still runs; notes its children and theirs."""
        if self.process.poll() is None:
            try:
                self.family |= set(psutil.Process(self.process.pid).children(recursive=True))
            except psutil.NoSuchProcess:
                return False
            return True
        return False

    def wait(self, within_s: float = RUN_S_MAX) -> int:
        """Its exit status."""
        ended = await_true(lambda: not self.look(), within_s)
        assert ended, self.said()
        return self.process.wait()

    def await_middle(self) -> psutil.Process:
        """Waits until the worker has processed some of the facts but less than half; returns the worker."""
        assert await_true(lambda: self.look() and self._worker() is not None, RUN_S_MAX), self.said()
        worker = self._worker()
        assert worker is not None
        url = worker.environ()["HUZHU_DATABASE_URL"].replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as ledger:

            def taken() -> int:
                row = ledger.execute("SELECT count(*) FROM facts").fetchone()
                return row[0] if row else 0

            assert await_true(lambda: taken() > 100, RUN_S_MAX), self.said()
            assert taken() < facts_posted() / 2
        return worker

    def _worker(self) -> psutil.Process | None:
        for member in self.family:
            try:
                if member.cmdline()[-2:] == ["cli.main", "worker"]:
                    return member
            except psutil.NoSuchProcess:
                continue
        return None

    def said(self) -> str:
        return self.log.read_text("utf-8")

    def assert_gone(self) -> None:
        """No server, worker, relay or guard is left, at the latest after a few seconds."""
        names = {member.pid for member in self.family}
        assert len(names) > 5, "the family was never seen"
        assert await_true(lambda: all_gone(list(self.family)))


class Files(NamedTuple):
    """What a demo left in its folder: each line of each file as JSON."""

    decisions: list[Json]
    payouts: list[Json]
    statements: list[Json]
    audit: list[Json]
    deadletter: list[Json]

    @property
    def instructions(self) -> Counter[tuple[str, str, str]]:
        return Counter((each["payout_id"], each["amount"], each["kind"]) for each in self.payouts)


def files_in(folder: Path) -> Files:
    """All its files."""
    return Files(*([json.loads(line) for line in (folder / name).open("rb")] for name in FILES))


def facts_posted() -> int:
    with SYNTHEA.open("rb") as file:
        return sum(1 for _ in file)


class Run(NamedTuple):
    """A demo that was left alone."""

    out: Path
    demo: Demo
    status: int
    files: Files


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A demo on the Synthea facts that nobody disturbs."""
    out = tmp_path_factory.mktemp("demo") / "out"
    demo = Demo(out)
    status = demo.wait()
    return Run(out, demo, status, files_in(out))


def test_the_demo_ends_well_and_leaves_only_files(undisturbed: Run) -> None:
    """Exit status 0, files of JSON lines named at the end, and no process."""
    assert undisturbed.status == 0, undisturbed.demo.said()
    undisturbed.demo.assert_gone()
    assert undisturbed.demo.said().split()[-len(FILES) :] == [str(undisturbed.out / name) for name in FILES]
    assert undisturbed.files.deadletter == []
    kinds = Counter(each["kind"] for each in undisturbed.files.audit)
    assert kinds["event.accepted"] == facts_posted() + len(undisturbed.files.payouts)  # each is reported
    assert kinds["claim.decided"] == len(undisturbed.files.decisions)
    assert kinds["payout.instructed"] == len(undisturbed.files.payouts)


def test_the_demo_decides_as_adjudicate_does(undisturbed: Run) -> None:
    """Each claim's last decision has every field as `huzhu adjudicate` prints it for the same files."""
    argv: list[str | Path] = [sys.executable, "-m", "cli.main", "adjudicate", "--policy", WUXI, SYNTHEA]
    offline = subprocess.run(argv, capture_output=True, check=True, timeout=RUN_S_MAX)
    wanted: dict[str, Json] = {each["claim_id"]: each for each in map(json.loads, offline.stdout.splitlines())}
    last = {each["claim_id"]: each for each in undisturbed.files.decisions}
    assert last.keys() == wanted.keys()
    assert len(wanted) == 388
    for claim_id, decision in wanted.items():
        assert {name: last[claim_id][name] for name in decision} == decision
    net = sum(_signed(each) for each in undisturbed.files.payouts)
    assert net == sum(parse_yuan(each["total_benefit"]) for each in wanted.values())
    assert net > 0


def _signed(payout: Json) -> int:
    return {"payment": 1, "recovery": -1}[payout["kind"]] * parse_yuan(payout["amount"])


def test_every_message_is_as_its_schema_says(undisturbed: Run) -> None:
    """All that the demo read back from the outbound topics keeps the published contract."""
    known = validators()
    messages = [message for name in FILES for message in map(json.loads, (undisturbed.out / name).open("rb"))]
    assert messages
    assert [] == [fault for message in messages for fault in faults(known, message)]


def test_the_demo_ends_its_month(undisturbed: Run) -> None:
    """Each insurer of both treaties has a statement of all that its treaty paid; the closed books balance."""
    issued = [each for each in undisturbed.files.statements if each["event_type"] == "statement.issued"]
    paid: Counter[str] = Counter()
    for payout in undisturbed.files.payouts:
        paid[payout.get("treaty_id", "")] += _signed(payout)
    for treaty_id in ("self-pay-sample-2024", "village-sample-2024"):
        own = [each for each in issued if each["treaty_id"] == treaty_id]
        assert len(own) == 3
        assert {parse_yuan(each["net"]) for each in own} == {paid[treaty_id]}
        assert sum(parse_yuan(each[name]) for each in own for name in ("part", "part_of_cession")) == paid[treaty_id]
    said = undisturbed.demo.said()
    (totals,) = [line for line in said.splitlines() if "total 合计" in line and line.rstrip(" │").endswith(" 0.00")]
    assert Counter(re.findall(r"[0-9,]+\.[0-9]{2}", totals)).most_common(1)[0][1] == 2
    assert "Who owes whom 谁欠谁" in said


def test_payout_ids_are_unique(undisturbed: Run) -> None:
    """No instruction is in the file twice."""
    assert set(Counter(each["payout_id"] for each in undisturbed.files.payouts).values()) == {1}


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A demo with a population of its own."""
    out = tmp_path_factory.mktemp("populated") / "out"
    demo = Demo(out, "--persons", "1", facts=None)
    status = demo.wait()
    assert 0 == status, demo.said()
    return Run(out, demo, status, files_in(out))


def payments(run: Run, name: str, value: str) -> list[tuple[str, str]]:
    """The kind and amount of each payout that says this of itself."""
    return sorted((each["kind"], each["amount"]) for each in run.files.payouts if each.get(name) == value)


def test_two_of_a_household_share_a_cap(populated: Run) -> None:
    """The demo shows what is left for the second one; no payment has to be taken back."""
    said = populated.demo.said()
    assert "the first gets 3,500.00, the second 500.00 yuan" in said
    assert "您一家这个年度已经补了 3,500.00 元,还能补 500.00 元" in said
    shared = [each for each in populated.files.payouts if each["person_id"].startswith("demo-member")]
    assert ["3500.00", "500.00"] == sorted(each["amount"] for each in shared)
    assert {"payment"} == {each["kind"] for each in shared}
    populated.demo.assert_gone()


def test_a_village_waits_for_money(populated: Run) -> None:
    """Who comes second reads that they wait, and is paid when money arrives; the third is not; the pool pays both."""
    said = populated.demo.said()
    assert "本村互助金暂时不足,这笔补助已排队,第 1 位,资金到账后自动发放,您不用再申请。" in said
    assert "then 1,000.00 yuan arrive: the second is paid, and 900.00 yuan of the third wait for more" in said
    assert [("payment", "1200.00"), ("payment", "1800.00")] == payments(populated, "pool_id", "demo-village")
    known = validators()
    assert [] == [fault for each in populated.files.decisions for fault in faults(known, each)]


def test_the_policy_finds_who_does_not_ask(populated: Run) -> None:
    """Two people give aid to who pays much and release a bill that is in two claims; an accident needs no bill."""
    said = populated.demo.said()
    assert "This person had 1 stay in the 12 months up to 2026-01-19" in said
    assert "demo-wang countersigns: 5,000.00 yuan are paid" in said
    assert "so 1,500.00 yuan were kept back" in said
    assert [("payment", "5000.00")] == payments(populated, "scheme_id", "temporary_aid")
    assert [("payment", "1000.00")] == payments(populated, "scheme_id", "accident_relief")
    held = [each for each in populated.files.decisions if each.get("held")]
    assert {"E-demo-bill-1", "E-demo-bill-2"} == {each["claim_id"] for each in held}
    kinds = Counter(each["kind"] for each in populated.files.audit)
    assert 1 == kinds["aid.countersigned"] == kinds["hold.released"] == kinds["watches.published"]
    assert any("temporary_aid" in line and "5,000.00" in line for line in said.splitlines())


@pytest.mark.prove
def test_a_killed_worker_changes_no_instruction(undisturbed: Run) -> None:
    """A second run into the same folder, its worker killed with -9 midway, gives the same instructions, once each."""
    demo = Demo(undisturbed.out)
    demo.await_middle().kill()
    assert demo.wait() == 0, demo.said()
    assert "the worker ended with status -9; restarting it" in demo.said()
    demo.assert_gone()
    again = files_in(undisturbed.out)
    assert again.instructions == undisturbed.files.instructions
    assert {each["claim_id"]: each["benefits"] for each in again.decisions} == {
        each["claim_id"]: each["benefits"] for each in undisturbed.files.decisions
    }


@pytest.mark.parametrize("number", [Signals.SIGINT, pytest.param(Signals.SIGTERM, marks=pytest.mark.prove)])
def test_an_interrupted_demo_leaves_nothing(number: Signals, tmp_path: Path) -> None:
    """Ctrl-C or SIGTERM midway ends everything soon, with a status that is not 0 and without a traceback."""
    demo = Demo(tmp_path / "out")
    demo.await_middle()
    demo.look()
    demo.process.send_signal(number)
    assert demo.wait(STOP_S_MAX) != 0
    demo.assert_gone()
    assert "Traceback" not in demo.said()
    for log in (tmp_path / "out").glob("*.log"):
        assert "Traceback" not in log.read_text("utf-8")


def test_a_demo_that_is_kept_serves_the_console_until_ctrl_c(tmp_path: Path) -> None:
    """The address that it prints answers at once; Ctrl-C ends everything, with status 0."""
    demo = Demo(tmp_path / "out", "--keep")
    assert await_true(lambda: demo.look() and "Ctrl-C" in demo.said(), RUN_S_MAX), demo.said()
    address = re.search(r"http://127\.0\.0\.1:[0-9]+", demo.said())
    assert address is not None
    answer = httpx.get(f"{address[0]}/sign-in", trust_env=False)
    assert (200, True) == (answer.status_code, "demo-auditor" in demo.said())
    demo.look()
    demo.process.send_signal(Signals.SIGINT)
    assert demo.wait(STOP_S_MAX) == 0
    demo.assert_gone()
    assert "Traceback" not in demo.said()
