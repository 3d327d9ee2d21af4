"""Every error of the API tells a Chinese reader as much as an English one, in the language that was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from schemas.access.callers import ApiRole
from tests.support.builders import bill, coverage, discharge, report, void
from tests.support.languages import difference, hint_of
from tests.web.door import Door
from web.api.problems import CODES

JSON = {"Content-Type": "application/json"}


def problems_in(answer: httpx.Response) -> Iterator[dict[str, str]]:
    """The problem that is the answer, or those inside a batch's."""
    document = answer.json()
    if answer.headers["content-type"] == "application/problem+json":
        yield document
    yield from (item["problem"] for item in document.get("items", ()) if "problem" in item)


def errors_of(door: Door) -> list[httpx.Response]:
    """An answer for every way to be wrong that a test can take."""
    hospital, other = door.client(door.key(ApiRole.HOSPITAL, "H1")), door.client(door.key(ApiRole.HOSPITAL, "H2"))
    insurer, registry = door.client(door.key(ApiRole.INSURER, "s")), door.client(door.key(ApiRole.REGISTRY))
    with hospital, other, insurer, registry, door.client("") as nobody:
        assert 202 == hospital.post("/v1/events", json=[discharge(), bill()]).status_code
        pairs = [bill("S8", "E8"), bill("S9", "E9")]
        return [
            nobody.get("/v1/claims/E1"),
            nobody.get("/nowhere"),
            nobody.delete("/v1/events"),
            hospital.get("/v1/claims/unknown"),
            other.get("/v1/claims/E1"),
            insurer.get("/v1/claims/E1"),
            insurer.get("/v1/instructions", params={"after": "x"}),
            insurer.get("/v1/instructions", params={"limit": "5000"}),
            insurer.get("/v1/instructions", params={"limit": "many"}),
            insurer.post("/v1/events", json=report()),
            hospital.get("/v1/instructions"),
            hospital.post("/v1/events", json=coverage()),
            hospital.post("/v1/events", json=void("S7", "E7")),
            other.post("/v1/events", json=bill(version=2)),
            other.post("/v1/events", json=bill("S5", "E1", facility_id="H2")),
            hospital.post("/v1/events", json=bill(copay=9)),
            hospital.post("/v1/events", json=bill(version=2, person_id="P2")),
            hospital.post("/v1/events", json=bill(facility_id="H3")),
            hospital.post("/v1/events", json=[]),
            hospital.post("/v1/events", json=pairs * 501),
            hospital.post("/v1/events", json=[bill("S2", copay=-1), {**discharge("E3"), "care_type": "x"}]),
            hospital.post("/v1/events", json=[bill("S3", "E3"), {**bill("S4", "E4"), "total_charge": "99.99"}]),
            hospital.post("/v1/events", content=b'[{"a": }]', headers=JSON),
            hospital.post("/v1/events", content=b'[{"a": 1}', headers=JSON),
            hospital.post("/v1/events", content=b"{", headers=JSON),
            hospital.post("/v1/events", content=b"x", headers={"Content-Type": "text/plain"}),
            hospital.post("/v1/events", content=b"x" * (16 * 2**20 + 1), headers=JSON),
            hospital.post("/v1/events", json=bill("S6"), headers={"Idempotency-Key": '""'}),
            hospital.post("/v1/settlements", json=pairs),
            hospital.post("/v1/settlements", json=[bill(), discharge("E4")]),
            hospital.post("/v1/settlements", params={"wait": "soon"}, json=bill()),
            hospital.post("/v1/quotes", json={}),
            hospital.post("/v1/quotes", content=b"[", headers=JSON),
            hospital.post("/v1/quotes", json={"settlement": bill("S6"), "coverages": [coverage()] * 51}),
            hospital.post("/v1/quotes", json={"settlement": bill("S6"), "discharge": discharge("E5")}),
            registry.post("/v1/quotes", json={"settlement": bill("S6")}),
        ]


@pytest.mark.parametrize(("asked", "wanted"), [("", "zh"), ("zh-CN", "zh"), ("en", "en")])
def test_every_error_says_the_same_in_both_languages(door: Door, asked: str, wanted: str) -> None:
    """Hints too, and those inside the items of a batch; ``detail`` is in the reader's language, Chinese by default."""
    whole_client = door.client

    def client(token: str, **headers: str) -> httpx.Client:
        return whole_client(token, **headers, **({"Accept-Language": asked} if asked else {}))

    door.client = client  # type: ignore[method-assign]
    answers = errors_of(door)
    assert all(answer.status_code == 207 or answer.status_code >= 400 for answer in answers)
    seen = set()
    for answer in answers:
        for problem in problems_in(answer):
            assert problem[wanted] == problem["detail"], answer.text
            assert "" == difference(problem["zh"], problem["en"]), problem
            seen.add(problem["code"])
    assert {207} < {answer.status_code for answer in answers}
    assert set(CODES) - seen == {"REQUEST_TIMEOUT", "IDEMPOTENCY_KEY_REUSED", "RATE_LIMITED", "INTERNAL", "UNAVAILABLE"}


def test_hints_name_what_is_allowed_and_where(door: Door) -> None:
    """The values of a field, the place in the JSON, whose facility, how a bill's sums differ: in Chinese."""
    hints = {hint_of(problem["zh"]) for answer in errors_of(door) for problem in problems_in(answer)}
    for hint in (
        "应为 'inpatient' 或 'outpatient_special'",
        "第 1 行第 8 列",
        "facility_id 不是此密钥的机构",
        "批内没有报文",
        "不能大于 1000",
        "医院的密钥不能报送 coverage.recorded",
        "总费用 99.99 元,其余各项合计 3000.00 元,前者少 2900.01 元",
    ):
        assert hint in hints, (hint, sorted(hints))


def test_a_batch_that_is_repeated_keeps_its_words(door: Door) -> None:
    """An answer under an Idempotency-Key is repeated byte for byte, in the language of the first request."""
    mixed = json.dumps([bill(), bill("S2", copay=-1)]).encode()
    key = {"Idempotency-Key": "night", **JSON}
    with door.client(door.key(ApiRole.HOSPITAL, "H1")) as caller:
        first = caller.post("/v1/events", content=mixed, headers=key)
        again = caller.post("/v1/events", content=mixed, headers={**key, "Accept-Language": "en"})
    assert first.content == again.content
    assert [each["zh"] for each in problems_in(first)] == [each["detail"] for each in problems_in(first)]
