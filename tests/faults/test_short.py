"""The short form: every kind of fault once, on three brokers, under load, and the oracle has the last word."""

from __future__ import annotations

import pytest

from tests.faults import damage, kcat
from tests.faults.chaos import KINDS
from tests.faults.evidence import Evidence, group_steps, waited
from tests.faults.oracle import CHECKS, Verdict, judge
from tests.faults.run import Report, run, say, seed

PERSONS, SETTLEMENTS = 400, 3_000
pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def report() -> Report:
    """One run of all faults."""
    if kcat.missing():
        pytest.skip(kcat.missing())
    report = run(seed(), rounds=1, persons=PERSONS, settlements=SETTLEMENTS)
    say(str(report))
    return report


@pytest.fixture(scope="module")
def evidence(report: Report) -> Evidence:
    """What the run left behind."""
    assert report.judgement.evidence is not None, report
    return report.judgement.evidence


def test_the_oracle_finds_nothing(report: Report) -> None:
    """Whatever was killed, paused, cut or filled: the verdict is ok."""
    assert report.judgement.verdict is Verdict.OK, report


def test_every_kind_of_fault_happened(report: Report) -> None:
    """A run in which a fault could not be made is no proof; only the full disk may be missing, without mounts."""
    assert report.missed.keys() <= {"disk of the ledger full"}, report
    assert KINDS.keys() == (report.fired + report.missed).keys(), report


def test_processes_end_only_as_documented(report: Report) -> None:
    """A worker or relay that ends by itself ends with status 75, for its supervisor, and never with a traceback."""
    assert report.unsound_exits == {}, report


def test_households_were_decided_together(evidence: Evidence) -> None:
    """A run in which nobody shared a household's money, or no household reached its cap, proves nothing of them."""
    assert group_steps(evidence)
    households = {row.unit for row in evidence.books.paid if row.unit.startswith("household ")}
    assert households
    reasons = {line.get("reason") for claim in evidence.due for line in claim["benefits"]}
    assert "CAP_REACHED" in reasons


def test_pools_ran_short_and_were_filled_again(evidence: Evidence) -> None:
    """A run in which nobody is left in a pool's queue, or nobody who waited was paid in the end, proves nothing."""
    still, paid = waited(evidence)
    assert still
    assert paid


@pytest.mark.parametrize("planted", damage.ALL, ids=lambda planted: planted.__name__)
def test_the_oracle_sees(planted: damage.Damage, evidence: Evidence) -> None:
    """Each damage done to what a sound run left behind is found by the check that is there for it."""
    damaged, check = planted(evidence)
    assert list(CHECKS[check](damaged)), f"{check}: saw nothing"


def test_what_cannot_be_read_is_unknown(evidence: Evidence) -> None:
    """A message that is no JSON, and an event that was never answered for, make the verdict unknown."""
    assert Verdict.UNKNOWN is judge(damage.unreadable_instruction(evidence)).verdict
    assert Verdict.UNKNOWN is judge(damage.unanswered_event(evidence)).verdict
