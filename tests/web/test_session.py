"""A cashier's session: a discharge and a settlement go in over HTTP, and the explained decision comes back."""

from __future__ import annotations

import json

from tests.support.builders import Json, bill, coverage, discharge
from tests.support.servers import await_true
from tests.web.site import Site


def test_from_a_post_to_an_explained_decision(site: Site) -> None:
    """What is posted goes through the inbox, Kafka and the worker, and the claim explains itself in both languages."""
    with site.client(site.registry) as registry:
        assert registry.post("/v1/events", json=coverage("C-A", person_id="A")).status_code == 202
    with site.client(site.h1) as hospital:
        sent = hospital.post("/v1/events", json=discharge("E-A", person_id="A"))
        assert sent.status_code == 202, sent.text
        decided = hospital.post("/v1/settlements?wait=20s", json=bill("S-A", "E-A", 7000, person_id="A"))
        assert decided.status_code == 200, decided.text + site.logs()
        assert decided.json()["decision"]["personal_burden"] == "7000.00"
        assert await_true(lambda: hospital.get("/v1/claims/E-A").json()["decision"]["benefits"] != [])
        zh = hospital.get("/v1/claims/E-A")
        en = hospital.get("/v1/claims/E-A", headers={"Accept-Language": "en"})
    assert zh.headers["content-language"] == "zh"
    claim: Json = en.json()
    assert claim["state"] == "adjudicated"
    assert claim["decision"] == zh.json()["decision"]
    assert claim["decision"]["total_benefit"] != "0.00"
    assert [each["amount"] for each in claim["instructions"]] != []
    assert claim["summary"].isascii()
    assert not zh.json()["summary"].isascii()


def test_the_bytes_in_kafka_are_the_bytes_that_were_sent(site: Site) -> None:
    """White space, order, unknown fields and number literals of a single event and of a batch's items survive."""
    one = b'{ "note": "\\u4e2d 1.50",' + json.dumps(bill("S-B1", "E-B", person_id="B")).encode()[1:]
    two = b'{"x" : [1, 2.50],\n  ' + json.dumps(bill("S-B2", "E-B", person_id="B")).encode()[1:]
    with site.client(site.h1) as hospital:
        json_type = {"Content-Type": "application/json"}
        assert hospital.post("/v1/events", content=b"\n " + one, headers=json_type).status_code == 202
        batch = b"[" + two + b" ,\n" + json.dumps(discharge("E-B", person_id="B")).encode() + b"]"
        assert hospital.post("/v1/events", content=batch, headers=json_type).status_code == 202
    taken = "SELECT value FROM events WHERE disposition = 'accepted'"
    assert await_true(lambda: {one, two} <= {bytes(row[0]) for row in site.rows(taken)}), site.logs()
