"""A claim that waits to be decided with its household says so: over the API, in the command and in the console."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from acts.recompute_groups import recompute_groups
from handlers.words.household_sentences import WAITS, WAITS_AGAIN
from schemas.access.callers import ApiRole
from tests.support.acts import publish
from tests.support.builders import RECORDED_AT, SHARDS, bill
from tests.support.household import FAMILY, HOUSEHOLD_ID, MOTHER, POLICY, SON
from tests.support.ledgers import give, in_order
from tests.support.processes import huzhu, squeezed
from tests.web.desk import open_desk
from tests.web.door import Door, open_door
from tests.web.words import words


@pytest.fixture
def waiting(ledger: Engine) -> Engine:
    """The events of a household are in the ledger; whoever took them in has ended before its group was decided."""
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    give(ledger, in_order(FAMILY))
    return ledger


def decide(ledger: Engine) -> None:
    assert 1 == recompute_groups(ledger, range(SHARDS), SHARDS, lambda: RECORDED_AT)


def bill_again(ledger: Engine) -> None:
    """Another version of the mother's bill, not decided yet."""
    give(ledger, in_order([bill("S-mother", "E-mother", 3000, version=2, person_id=MOTHER)], first=1))


def seen(door: Door, claim_id: str, language: str = "zh") -> dict[str, object]:
    with door.client(door.key(ApiRole.HOSPITAL, "H1"), **{"Accept-Language": language}) as hospital:
        answer = hospital.get(f"/v1/claims/{claim_id}")
    assert 200 == answer.status_code, answer.text
    document: dict[str, object] = answer.json()
    return document


def test_over_the_api(waiting: Engine) -> None:
    """Received until the first decision, and counted; then decided, with a sentence while another one waits."""
    with open_door(waiting) as door:
        view = seen(door, "E-son")
        assert ("received", 2, WAITS.zh, None) == tuple(
            view[name] for name in ("state", "waiting_events", "summary", "decision")
        )
        with door.client(door.key(ApiRole.HOSPITAL, "H2")) as stranger:
            assert 403 == stranger.get("/v1/claims/E-son").status_code
        decide(waiting)
        view = seen(door, "E-son", "en")
        assert ("adjudicated", 0, False) == (
            view["state"],
            view["waiting_events"],
            WAITS_AGAIN.en in str(view["summary"]),
        )
        bill_again(waiting)
        for claim_id, events in (("E-son", 0), ("E-mother", 1)):
            view = seen(door, claim_id, "en")
            assert (events, True) == (view["waiting_events"], str(view["summary"]).startswith(WAITS_AGAIN.en))
        assert MOTHER not in json.dumps(seen(door, "E-son"))


def test_in_the_command(waiting: Engine, ledger_url: str) -> None:
    """Status 2 and a sentence until the first decision; then the result of before, with a sentence."""
    told = huzhu("explain", "E-son", HUZHU_DATABASE_URL=ledger_url)
    assert (2, "", WAITS.zh) == (told.returncode, told.stdout, told.stderr.strip())
    decide(waiting)
    assert squeezed(WAITS_AGAIN.zh) not in squeezed(huzhu("explain", "E-son", HUZHU_DATABASE_URL=ledger_url).stdout)
    bill_again(waiting)
    told = huzhu("explain", "E-son", HUZHU_DATABASE_URL=ledger_url)
    assert (0, True) == (told.returncode, squeezed(WAITS_AGAIN.zh) in squeezed(told.stdout))
    document = json.loads(huzhu("explain", "E-son", "--json", HUZHU_DATABASE_URL=ledger_url).stdout)
    assert (True, "300.00") == (document["group_waits"], document["claim"]["total_benefit"])


def test_in_the_console(waiting: Engine, tmp_path: Path) -> None:
    """In the reader's language, before the first decision and after it."""
    with open_desk(waiting, tmp_path) as desk:
        for language, said in (("zh", WAITS.zh), ("en", WAITS.en)):
            answer = desk.visitor("finance", language).get("/claims/E-son")
            assert (404, True) == (answer.status_code, said in words(answer.text))
        decide(waiting)
        bill_again(waiting)
        for language, said in (("zh", WAITS_AGAIN.zh), ("en", WAITS_AGAIN.en)):
            answer = desk.visitor("finance", language).get("/claims/E-son")
            assert (200, True) == (answer.status_code, said in words(answer.text))
            assert SON not in answer.text
            page = desk.visitor("finance", language).get(f"/households/{desk.keys.token(HOUSEHOLD_ID, 'household')}")
            assert (200, True) == (page.status_code, said in words(page.text))
