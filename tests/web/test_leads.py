"""What an insurer that leads treaties may read and report over the API: its own payouts alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import httpx
import pytest
from sqlalchemy import Engine, insert, text

from infra.ledger import clearing_tables
from schemas.access.callers import ApiRole
from tests.support.acts import publish, publish_treaty_text
from tests.support.builders import POLICY, SHARDS, answer, bill, coverage, discharge, report
from tests.support.ledgers import give, held, in_order, ticking
from tests.support.treaties import VILLAGE, treaty_text
from tests.web.door import Door, open_door
from tests.web.site import code


@pytest.fixture
def door(ledger: Engine) -> Iterator[Door]:
    """Three stays, whose payouts the fund, one insurer and another pay."""
    clock = ticking()
    publish(ledger, POLICY, "test", SHARDS, clock)
    publish_treaty_text(ledger, treaty_text("y24", "insurer-a", "2024-01-01", "2025-01-01"), "li.na", SHARDS, clock)
    publish_treaty_text(ledger, treaty_text("y25", "insurer-b", "2025-01-01", "2026-01-01"), "li.na", SHARDS, clock)
    held(ledger)
    give(ledger, in_order([coverage()]), clock)
    days = {"E1": "2023-05-01", "E2": "2024-05-01", "E3": "2025-01-01"}
    events = [
        each
        for name, day in days.items()
        for each in (discharge(name, admitted_on=day, discharged_on=day), bill(f"S-{name}", name))
    ]
    give(ledger, in_order([coverage(), *events])[1:], clock)
    with open_door(ledger) as door:
        yield door


def payouts(door: Door) -> dict[str, str]:
    """The id of each payer's payout."""
    return {row.payer: row.payout_id for row in door.rows("SELECT payer, payout_id FROM instructions")}


def read(client: httpx.Client) -> set[str]:
    return {each["payout_id"] for each in client.get("/v1/instructions").json()["instructions"]}


def test_a_lead_reads_its_own_instructions_alone(door: Door) -> None:
    """And a key for schemes what the public fund pays of them."""
    of = payouts(door)
    assert {"fund", "insurer-a", "insurer-b"} == of.keys()
    for role, scope, payers in (
        (ApiRole.LEAD, ("insurer-a",), {"insurer-a"}),
        (ApiRole.LEAD, ("insurer-a", "insurer-b"), {"insurer-a", "insurer-b"}),
        (ApiRole.LEAD, ("fund",), set()),
        (ApiRole.LEAD, (VILLAGE,), set()),
        (ApiRole.INSURER, (VILLAGE,), {"fund"}),
        (ApiRole.INSURER, ("insurer-a",), set()),
    ):
        with door.client(door.key(role, *scope)) as client:
            assert {of[payer] for payer in payers} == read(client)


def test_a_lead_reports_on_its_own_payouts_alone(door: Door) -> None:
    """Another insurer's and the fund's are as unknown to it as those that do not exist; and the other way round."""
    of = payouts(door)
    for role, scope, own in (
        (ApiRole.LEAD, "insurer-a", "insurer-a"),
        (ApiRole.LEAD, "fund", None),
        (ApiRole.INSURER, VILLAGE, "fund"),
        (ApiRole.INSURER, "insurer-b", None),
    ):
        with door.client(door.key(role, scope)) as client:
            for payer, payout_id in of.items():
                response = client.post("/v1/events", json=report(payout_id))
                if payer == own:
                    assert 202 == response.status_code, response.text
                else:
                    assert (403, "FORBIDDEN") == (response.status_code, code(response))


def test_a_lead_reads_no_claims(door: Door) -> None:
    """It pays; what the family was told is not its business."""
    with door.client(door.key(ApiRole.LEAD, "insurer-a")) as client:
        assert 403 == client.get("/v1/claims/E2").status_code


def test_an_insurer_answers_its_own_statements_alone(door: Door) -> None:
    """Over the API an answer to another's statement, or to one that was not issued, is refused; nothing is kept."""
    with door.engine.begin() as connection:
        number = connection.scalar(text("SELECT min(event_no) FROM events WHERE disposition = 'treaty'"))
        for name, treaty, insurer in (("ST-a", "y24", "insurer-a"), ("ST-b", "y25", "insurer-b")):
            issued = {"statement_id": name, "treaty_id": treaty, "month": date(2025, 1, 1), "insurer": insurer}
            row = {**issued, "number": 1, "value": b"{}", "event_no": number}
            connection.execute(insert(clearing_tables.statements), [row])
    dispute = answer("ST-a", lines=[1], reasons=["not our insured"])
    with door.client(door.key(ApiRole.LEAD, "insurer-a")) as client:
        for event in (answer("ST-b"), answer("ST-b", "insurer-b"), answer("ST-c"), answer("ST-a", "insurer-b")):
            refused = client.post("/v1/events", json=event)
            assert (403, "FORBIDDEN") == (refused.status_code, code(refused)), event
        done = client.post("/v1/events", json=dispute)
        assert (202, "statement", "ST-a", 1) == (done.status_code, *(done.json()[k] for k in ("kind", "id", "version")))
        assert 202 == client.post("/v1/events", json=dispute).status_code
        other = client.post("/v1/events", json=answer("ST-a"))
        assert (409, "VERSION_CONFLICT") == (other.status_code, code(other))
    with door.client(door.key(ApiRole.INSURER, VILLAGE)) as client:
        assert 403 == client.post("/v1/events", json=answer("ST-a")).status_code
    kept = door.rows("SELECT topic, person_id, kind, subject_id FROM inbox")
    assert [("insurance.answers", "insurer-a", "statement", "ST-a")] == kept
