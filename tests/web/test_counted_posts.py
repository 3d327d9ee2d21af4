"""What the door judges is counted for monitors."""

from __future__ import annotations

from schemas.access.callers import ApiRole
from schemas.metrics import OTHER, Process
from schemas.refusals import RefusalCode
from tests.support.builders import bill, coverage, discharge
from tests.support.scraped import scrape, watched
from tests.web.door import Door


def test_posts_are_counted_with_what_was_refused_of_them(door: Door) -> None:
    """A good bill, one below zero, and a coverage, which no hospital may post: the code for that is the API's own."""
    ledger_url = door.engine.url.render_as_string(hide_password=False)
    with watched(ledger_url, Process.GATEWAY) as address, door.client(door.key(ApiRole.HOSPITAL, "H1")) as client:
        before = scrape(address)
        assert 202 == client.post("/v1/events", json=discharge(facility_id="H1")).status_code
        assert 207 == client.post("/v1/events", json=[bill(), bill("S2", copay=-1), coverage()]).status_code
        after = scrape(address)
    assert (0, 4) == (before.value("huzhu_posts_total"), after.value("huzhu_posts_total"))
    refused = {code: after.value("huzhu_posts_refused_total", code=code) for code in (*RefusalCode, OTHER)}
    assert {RefusalCode.NEGATIVE_AMOUNT: 1, OTHER: 1} == {code: count for code, count in refused.items() if count}
