"""National settlement lists over HTTP: the same records as in a file, under the same mapping."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Engine

from schemas.access.callers import ApiRole
from tests.support.national_lists import listed, mappings
from tests.web.door import Door, open_door

NATIONAL = {"Content-Type": "application/vnd.huzhu.national+json"}
FACILITY = "H32020600001"


def post(door: Door, records: Any, path: str = "/v1/events", facility: str = FACILITY) -> Any:
    with door.client(door.key(ApiRole.HOSPITAL, facility), **NATIONAL) as client:
        return client.post(path, content=json.dumps(records))


@pytest.mark.parametrize("path", ["/v1/events", "/v1/settlements"])
def test_a_record_is_acknowledged_as_its_discharge_and_its_bill(ledger: Engine, path: str) -> None:
    with open_door(ledger, mappings()) as door:
        answer = post(door, listed(), path)
        assert answer.status_code == 202, answer.text
        kinds = [row.kind for row in door.rows("SELECT kind FROM inbox ORDER BY inbox_no")]
        assert kinds == ["encounter", "settlement"]
        again = post(door, listed(), path)
        assert again.status_code == 202
        assert len(door.rows("SELECT 1 FROM inbox")) == 2


def test_a_refused_record_says_which_of_its_fields_is_wrong(ledger: Engine) -> None:
    with open_door(ledger, mappings()) as door:
        wrong = listed(setl_id="S2", mdtrt_id="E2", psn_ownpay="1.00")
        answer = post(door, [listed(), wrong])
        assert answer.status_code == 207
        refused = [item["problem"] for item in answer.json()["items"] if "problem" in item]
        assert [each["code"] for each in refused] == ["AMOUNTS_DO_NOT_BALANCE"]
        assert refused[0]["pointers"]
        assert refused[0]["zh"]
        assert len(door.rows("SELECT 1 FROM inbox")) == 2


def test_a_list_of_another_facility_is_forbidden(ledger: Engine) -> None:
    with open_door(ledger, mappings()) as door:
        answer = post(door, listed(), "/v1/settlements", "H-other")
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
        assert door.rows("SELECT 1 FROM inbox") == []


@pytest.mark.parametrize("body", ["", "[1]", "null", '{"setl_id": {}}', "[]", '[{"setl_id": 1e999}]'])
def test_what_is_no_list_is_refused_without_a_fault(ledger: Engine, body: str) -> None:
    with open_door(ledger, mappings()) as door:
        with door.client(door.key(ApiRole.HOSPITAL, FACILITY), **NATIONAL) as client:
            answer = client.post("/v1/events", content=body)
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_without_a_mapping_the_media_type_is_unknown(door: Door) -> None:
    assert post(door, listed()).status_code == 415
