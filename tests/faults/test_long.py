"""The long form, for `make faults`: 30,000 settlements of 4,000 persons under many rounds of all faults."""

from __future__ import annotations

import os

import pytest

from tests.faults import kcat
from tests.faults.chaos import KINDS
from tests.faults.oracle import Verdict
from tests.faults.run import run, say, seed

PERSONS, SETTLEMENTS = 4_000, 30_000
LONG = os.environ.get("HUZHU_FAULTS") == "long"
ROUNDS = int(os.environ.get("HUZHU_FAULTS_ROUNDS") or 5)


@pytest.mark.skipif(not LONG, reason="the long form runs with HUZHU_FAULTS=long (make faults)")
def test_a_long_run_violates_nothing() -> None:
    """Round after round of every fault under the full load: the verdict is ok, no fault is missing."""
    if kcat.missing():
        pytest.skip(kcat.missing())
    report = run(seed(), ROUNDS, PERSONS, SETTLEMENTS)
    say(str(report))
    assert report.judgement.verdict is Verdict.OK, report
    assert report.unsound_exits == {}, report
    assert KINDS.keys() - {"disk of the ledger full"} <= report.fired.keys(), report
