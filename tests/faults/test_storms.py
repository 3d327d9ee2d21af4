"""After any storm it comes to rest: six storms here; in the long form thirty, and thirty more on a busy machine."""

from __future__ import annotations

import os

import pytest

from tests.faults import kcat, storm
from tests.faults.run import say, seed

LONG = os.environ.get("HUZHU_FAULTS") == "long"
BUSY = 13
"""So many processes that only compute make a load of 15 on the two cores of the machine of CI."""

SERIES = [(10, 0)] * 3 + [(10, BUSY)] * 3 if LONG else [(6, 0)]
"""How many storms on one set of servers, and how many busy processes beside them."""

pytestmark = pytest.mark.prove


@pytest.mark.parametrize(("storms", "beside"), SERIES)
def test_it_comes_to_rest_after_every_storm(storms: int, beside: int) -> None:
    """With both servers back, everything is taken in and sent without help, to the fen, and nothing twice."""
    if kcat.missing():
        pytest.skip(kcat.missing())
    report = storm.run(seed(), storms, beside)
    say(str(report))
    assert report.restless == [], report
    assert report.waited, "no pool ran short: this proves nothing of them"
    assert report.unsound_exits == {}, report
