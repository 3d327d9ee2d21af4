"""What holds for every answer of the API and the console: no route is left out, whoever adds it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from schemas.access.callers import ApiRole
from schemas.access.console_rights import ConsoleRole
from tests.support.builders import bill, discharge
from tests.web.desk import Desk
from tests.web.door import Door, open_door
from tests.web.pages import paths
from web.api.docs_page import FILES

SAME_FOR_EVERYBODY = {"/static/console.css", *(f"/docs/{name}" for name in FILES)}
"""Files of the package: whoever asks gets the same, so a browser may keep them."""
VALUES = {
    **{"claim_id": "E1", "token": "x", "number": "1", "sha256": "x", "name": "finance", "language": "zh"},
    **{"payout_id": "PO-1", "statement_id": "ST-1", "treaty_id": "self-pay", "pool_id": "V1", "alert_id": "AT-1"},
}


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and address that the application has, with values for what is variable."""
    for route in app.routes:
        assert isinstance(route, Route | APIRoute), route
        for method in route.methods or ():
            path = route.path
            for name, value in VALUES.items():
                path = path.replace(f"{{{name}:path}}", value).replace(f"{{{name}}}", value)
            assert "{" not in path, f"name a value for {path}"
            yield method, path


def check_not_stored(answer: httpx.Response) -> None:
    what = f"{answer.request.method} {answer.request.url.path}: {answer.status_code}"
    assert "no-store" == answer.headers.get("cache-control"), what


def test_nothing_that_the_api_answers_may_be_stored(door: Door) -> None:
    """Every method and address, with each role's key and without one, and whatever is wrong with the request."""
    tokens = [
        "",
        *(door.key(role, "H1") for role in (ApiRole.HOSPITAL, ApiRole.INSURER, ApiRole.LEAD)),
        door.key(ApiRole.REGISTRY),
    ]
    seen = set()
    for token in tokens:
        with door.client(token) as caller:
            for method, path in [*routes_of(door.app), ("GET", "/nowhere"), ("DELETE", "/v1/events")]:
                if path in SAME_FOR_EVERYBODY:
                    continue
                for body in (b"", json.dumps(bill()).encode(), b"{", b"[]"):
                    answer = caller.request(method, path, content=body)
                    check_not_stored(answer)
                    seen.add(answer.status_code)
                check_not_stored(caller.request(method, path, params={"limit": "x", "wait": "x"}))
    with door.client(tokens[1]) as hospital:
        check_not_stored(hospital.post("/v1/events", json=[bill("S2", "E2"), bill("S3", "E3", copay=-1)]))
        check_not_stored(hospital.get("/v1/claims/E2"))
    assert seen >= {200, 202, 400, 401, 403, 404, 405, 422}


def test_nothing_that_the_console_answers_may_be_stored(town: Desk) -> None:
    """Every method and address for a guest and for each role, pages with people on them, errors and forms."""
    visitors = [town.guest(), *(town.visitor(role.value) for role in ConsoleRole)]
    seen = set()
    for visitor in visitors:
        for method, path in [*routes_of(town.app), ("GET", "/nowhere"), ("DELETE", "/")]:
            if path in SAME_FOR_EVERYBODY or path == "/sign-out":
                continue
            answer = visitor.client.request(method, path)
            check_not_stored(answer)
            seen.add(answer.status_code)
        for _, path in paths(town).values():
            check_not_stored(visitor.get(path))
    assert seen >= {200, 303, 403, 404, 422}


def test_an_answer_that_nobody_foresaw_is_not_stored_either(door: Door) -> None:
    """A fault in a route of the API leaves as a problem, and that too is kept by nobody."""
    door.app.add_api_route("/fault", lambda: 1 / 0)
    with door.client("") as caller:
        answer = caller.get("/fault")
    assert 500 == answer.status_code
    check_not_stored(answer)


def same_but_for_the_body(caller: httpx.Client, path: str) -> None:
    got, head = caller.get(path), caller.head(path)
    moving = {"date", "content-length", "set-cookie"}
    alike = [{name: value for name, value in each.headers.items() if name not in moving} for each in (got, head)]
    assert (got.status_code, alike[0]) == (head.status_code, alike[1]), path
    assert b"" == head.content
    assert 204 == head.status_code or "content-length" in head.headers, path


def test_head_is_get_without_a_body_everywhere_in_the_api(door: Door) -> None:
    """The same status and headers on every address that can be read, and on those that cannot."""
    with door.client(door.key(ApiRole.HOSPITAL, "H1")) as hospital:
        assert 202 == hospital.post("/v1/events", json=[discharge("E1"), bill("S1", "E1")]).status_code
        for method, path in routes_of(door.app):
            if method == "GET":
                same_but_for_the_body(hospital, path)
        assert (405, "POST") == ((answer := hospital.head("/v1/events")).status_code, answer.headers["allow"])
        assert "GET, HEAD" == hospital.delete("/healthz").headers["allow"]
    with door.client("") as nobody:
        assert 401 == nobody.head("/v1/claims/E1").status_code


def test_head_is_get_without_a_body_everywhere_in_the_console(town: Desk) -> None:
    """For those who have signed in and for those who have not."""
    for visitor in (town.visitor("auditor"), town.guest()):
        for method, path in routes_of(town.app):
            if method == "GET":
                same_but_for_the_body(visitor.client, path)
    assert 200 == town.guest().client.head("/sign-in").status_code


def test_the_console_says_that_it_is_alive_to_everybody(desk: Desk) -> None:
    """A load balancer asks without a session and is not sent to sign in."""
    answer = desk.guest().get("/healthz")
    assert (200, {"status": "alive"}) == (answer.status_code, answer.json())
    assert "set-cookie" not in answer.headers


# Idempotency-Key -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bare", "quoted"),
    [("night-1", '"night-1"'), ('a"b\\c', '"a\\"b\\\\c"'), ('"', '"\\""'), ("x" * 200, f'"{"x" * 200}"')],
)
def test_a_key_in_quotes_is_the_key_without_them(door: Door, bare: str, quoted: str) -> None:
    """Whichever comes first, the other gets its answer, and a different request is refused under both."""
    for first, second, number in ((bare, quoted, 1), (quoted, bare, 2)):
        with door.client(door.key(ApiRole.HOSPITAL, "H1")) as caller:
            one = caller.post("/v1/events", json=bill(f"S{number}"), headers={"Idempotency-Key": first})
            two = caller.post("/v1/events", json=bill(f"S{number}"), headers={"Idempotency-Key": second})
            other = caller.post("/v1/events", json=bill("S9"), headers={"Idempotency-Key": second})
        assert (202, 202, 422) == (one.status_code, two.status_code, other.status_code)
        assert "idempotent-replayed" not in one.headers
        assert "true" == two.headers["idempotent-replayed"]
        assert "IDEMPOTENCY_KEY_REUSED" == other.json()["code"]


@pytest.mark.parametrize("key", ['""', "x" * 201, f'"{"x" * 201}"', "a b", '"a"b c"'])
def test_a_key_of_another_form_is_refused(door: Door, key: str) -> None:
    """And named, before anything is stored."""
    with door.client(door.key(ApiRole.HOSPITAL, "H1")) as caller:
        for path in ("/v1/events", "/v1/settlements"):
            answer = caller.post(path, json=bill(), headers={"Idempotency-Key": key})
            assert (422, ["idempotency-key"]) == (answer.status_code, [p.lower() for p in answer.json()["pointers"]])
    assert [] == door.rows("SELECT 1 FROM inbox")


# Link ------------------------------------------------------------------------------------------------------


def test_a_page_links_to_the_next_one_that_is_ready(town: Desk) -> None:
    """Whoever follows rel=next reads every instruction once, as with `after`, and the last page has no link."""
    schemes = [row[0] for row in town.rows("SELECT DISTINCT scheme_id FROM instructions ORDER BY scheme_id")]
    with open_door(town.engine) as door, door.client(door.key(ApiRole.INSURER, *schemes)) as insurer:
        page = insurer.get("/v1/instructions", params={"limit": 10})
        found = [each["payout_id"] for each in page.json()["instructions"]]
        while "next" in page.links:
            assert page.json()["more"]
            assert page.json()["next"] in page.links["next"]["url"]
            page = insurer.get(page.links["next"]["url"])
            found += [each["payout_id"] for each in page.json()["instructions"]]
        assert not page.json()["more"]
    assert len(found) > 50
    assert sorted(row[0] for row in town.rows("SELECT payout_id FROM instructions")) == sorted(found)
