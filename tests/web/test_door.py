"""What the door takes and what it turns away, alone on a real ledger."""

from __future__ import annotations

import json
import random
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPResponse
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, Engine

from infra.clock import utc_now
from infra.ledger import idempotency as answers_of_the_ledger
from infra.ledger.schema import connect
from schemas.access.callers import ApiRole, Caller
from schemas.topics import EVENT_BYTES_MAX
from tests.support.acts import create_key, rotate_key
from tests.support.builders import Json, bill, coverage, death, discharge, encode, in_days, report, void
from tests.support.ledgers import give, held, in_order, waiting_for_locks
from tests.support.length import times
from tests.support.servers import await_true
from tests.web.door import Door, open_door
from tests.web.site import code, ndjson
from web.api.admission import admit_all

JSON = {"Content-Type": "application/json"}
CLIENTS = 16


def hospital(door: Door, *facilities: str) -> httpx.Client:
    return door.client(door.key(ApiRole.HOSPITAL, *(facilities or ("H1",))))


def inbox_count(door: Door) -> int:
    return int(door.rows("SELECT count(*) FROM inbox")[0][0])


# One and the same, once and again ------------------------------------------------------------------------


def test_the_same_event_again_gets_the_same_answer_and_is_there_once(door: Door) -> None:
    """A retry, with another event_id and instant even, is acknowledged like the first and adds nothing."""
    with hospital(door) as client:
        first = client.post("/v1/events", json=bill())
        second = client.post("/v1/events", json=bill())
        third = client.post("/v1/events", json=bill(event_id="other", occurred_at="2024-12-31T13:00:00+08:00"))
    assert (202, first.content) == (second.status_code, second.content)
    assert 202 == third.status_code
    assert 1 == inbox_count(door)


def test_another_content_under_a_version_is_a_conflict(door: Door) -> None:
    """The code is the stream's; a higher version is welcome, and a lower one is stale but acknowledged."""
    with hospital(door) as client:
        assert 202 == client.post("/v1/events", json=bill(version=2)).status_code
        conflict = client.post("/v1/events", json=bill(version=2, copay=1))
        assert (409, "VERSION_CONFLICT") == (conflict.status_code, code(conflict))
        assert 202 == client.post("/v1/events", json=bill(version=3)).status_code
        assert [202, 202] == [client.post("/v1/events", json=bill(version=1)).status_code for _ in range(2)]
        other = client.post("/v1/events", json=bill(version=4, person_id="P2"))
        assert (409, "PERSON_MISMATCH") == (other.status_code, code(other))
    assert 3 == inbox_count(door)


def at_once(door: Door, requests: list[Callable[[httpx.Client], httpx.Response]]) -> list[httpx.Response]:
    token = door.key(ApiRole.HOSPITAL, "H1")

    def run(request: Callable[[httpx.Client], httpx.Response]) -> httpx.Response:
        with door.client(token) as client:
            return request(client)

    with ThreadPoolExecutor(CLIENTS) as threads:
        return list(threads.map(run, requests))


def test_sixteen_clients_with_one_event_leave_it_once(door: Door) -> None:
    """All sixteen get the same acknowledgement, round after round."""
    for number in range(4):
        event = bill(f"S{number}")
        answers = at_once(door, [lambda client, event=event: client.post("/v1/events", json=event)] * CLIENTS)  # type: ignore[misc]
        assert {202} == {each.status_code for each in answers}
        assert 1 == len({each.content for each in answers})
        assert number + 1 == inbox_count(door)


def test_of_sixteen_clients_with_conflicting_events_one_wins(door: Door) -> None:
    """One is acknowledged, fifteen get the conflict, and the stored event is the acknowledged one."""
    for number in range(4):
        events = [bill(f"S{number}", copay=copay) for copay in range(1, CLIENTS + 1)]
        answers = at_once(door, [lambda client, e=e: client.post("/v1/events", json=e) for e in events])  # type: ignore[misc]
        assert {202: 1, 409: CLIENTS - 1} == Counter(each.status_code for each in answers)
        (winner,) = [event for event, each in zip(events, answers, strict=True) if each.status_code == 202]
        (stored,) = door.rows(f"SELECT value FROM inbox WHERE subject_id = 'S{number}'")
        assert winner == json.loads(bytes(stored[0]))


def test_batches_that_name_the_same_ids_in_any_order_do_not_block_each_other(door: Door) -> None:
    """Sixteen clients post the same forty events, each in another order: all are acknowledged, each is stored once."""
    events = [bill(f"S{n}", f"E{n}", person_id=f"P{n}") for n in range(40)]
    orders = [random.Random(seed).sample(events, len(events)) for seed in range(CLIENTS)]
    answers = at_once(door, [lambda client, o=o: client.post("/v1/events", json=o) for o in orders])  # type: ignore[misc]
    assert {202} == {each.status_code for each in answers}
    assert 40 == inbox_count(door)


# Idempotency-Key -------------------------------------------------------------------------------------------


def test_an_idempotency_key_replays_the_answer(door: Door) -> None:
    """The same request is answered with the same bytes and says so; another request under the key is refused."""
    mixed = [bill(), bill("S2", copay=-1)]
    with hospital(door) as client:
        first = client.post("/v1/events", json=mixed, headers={"Idempotency-Key": "night-1"})
        again = client.post("/v1/events", json=mixed, headers={"Idempotency-Key": "night-1"})
        other = client.post("/v1/events", json=[bill()], headers={"Idempotency-Key": "night-1"})
        settled = client.post("/v1/settlements", json=bill(), headers={"Idempotency-Key": "night-1"})
    assert (207, 207) == (first.status_code, again.status_code)
    assert first.content == again.content
    assert ("true", None) == (again.headers.get("idempotent-replayed"), first.headers.get("idempotent-replayed"))
    assert [(422, "IDEMPOTENCY_KEY_REUSED")] * 2 == [(each.status_code, code(each)) for each in (other, settled)]


def test_a_settlement_may_be_posted_again_under_its_idempotency_key(door: Door) -> None:
    """It is acknowledged again and is there once."""
    with hospital(door) as client:
        for _ in range(3):
            answer = client.post("/v1/settlements", json=[discharge(), bill()], headers={"Idempotency-Key": "k"})
            assert (202, 2) == (answer.status_code, inbox_count(door))


def test_a_rotated_key_keeps_its_answers(door: Door) -> None:
    """A client that got its new key between a request and its retry gets the first answer, and not another's."""
    first, token = create_key(door.engine, ApiRole.HOSPITAL, ["H1"], "", "test", utc_now)
    _, successor = rotate_key(door.engine, first.key_id, timedelta(hours=1), "test", utc_now)
    headers = {"Idempotency-Key": "k"}
    with door.client(token) as before, door.client(successor) as after, hospital(door) as another:
        answer = before.post("/v1/events", json=[bill(), bill("S2", copay=-1)], headers=headers)
        again = after.post("/v1/events", json=[bill(), bill("S2", copay=-1)], headers=headers)
        other = another.post("/v1/events", json=bill("S3"), headers=headers)
    assert (207, answer.content, "true") == (again.status_code, again.content, again.headers["idempotent-replayed"])
    assert (202, None) == (other.status_code, other.headers.get("idempotent-replayed"))


def test_a_refused_request_may_be_corrected_under_its_idempotency_key(door: Door) -> None:
    """Only an acknowledgement is remembered; each caller has its own keys."""
    headers = {"Idempotency-Key": "k"}
    with hospital(door) as h1, hospital(door, "H2") as h2:
        assert 422 == h1.post("/v1/events", json=bill(copay=-1), headers=headers).status_code
        assert 202 == h1.post("/v1/events", json=bill(), headers=headers).status_code
        assert 202 == h2.post("/v1/events", json=bill("S2", "E2", facility_id="H2"), headers=headers).status_code


def test_sixteen_clients_under_one_idempotency_key_get_one_answer(door: Door) -> None:
    """With different events, one request is the first; the others are refused and leave nothing."""
    headers = {"Idempotency-Key": "once"}
    events = [bill(f"S{number}") for number in range(CLIENTS)]
    answers = at_once(door, [lambda client, e=e: client.post("/v1/events", json=e, headers=headers) for e in events])  # type: ignore[misc]
    assert {202: 1, 422: CLIENTS - 1} == Counter(each.status_code for each in answers)
    assert 1 == inbox_count(door)


@pytest.mark.parametrize("path", ["/v1/events", "/v1/settlements"])
def test_a_request_waits_for_another_under_its_idempotency_key(
    door: Door, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Until that one has its answer; nothing of the second is judged or stored before."""
    judged: list[int] = []

    def judge(connection: Connection, candidates: Sequence[Any], caller: Caller, shard_count: int) -> Any:
        judged.append(len(judged) + 1)
        if judged == [1]:
            second.append(threads.submit(send, "S2", "E2"))
            assert await_true(lambda: len(judged) > 1 or waiting_for_locks(door.engine) > 0)
        seen.append(len(judged))
        return admit_all(connection, candidates, caller, shard_count)

    def send(settlement_id: str, encounter_id: str) -> httpx.Response:
        body = bill(settlement_id, encounter_id)
        return client.post(path, json=body, params={"wait": "0s"}, headers={"Idempotency-Key": "k"})

    seen: list[int] = []
    second: list[Future[httpx.Response]] = []
    monkeypatch.setattr("web.api.posting.admit_all", judge)
    with hospital(door) as client, ThreadPoolExecutor(1) as threads:
        first = send("S1", "E1")
        answer = second[0].result()
    assert 1 == seen[0], "the second request was judged while the first was"
    assert (202, 422, "IDEMPOTENCY_KEY_REUSED") == (first.status_code, answer.status_code, code(answer))
    assert 1 == inbox_count(door)


def test_an_answer_is_forgotten_after_its_time(door: Door) -> None:
    """Then the key is as good as new; until then it is not."""
    headers = {"Idempotency-Key": "k"}
    with hospital(door) as client:
        assert 202 == client.post("/v1/events", json=bill(), headers=headers).status_code
        for age, gone, status in ((timedelta(days=7), 0, 422), (timedelta(0), 1, 202)):
            with door.engine.begin() as connection:
                assert gone == answers_of_the_ledger.forget(connection, age)
            assert status == client.post("/v1/events", json=bill("S2"), headers=headers).status_code


@pytest.mark.parametrize("wait", ["abc", "-1s", "2m", "1e3", "2 s", ""])
def test_a_wait_that_is_no_time_is_refused(door: Door, wait: str) -> None:
    """Before anything is stored."""
    with hospital(door) as client:
        answer = client.post("/v1/settlements", params={"wait": wait}, json=bill())
    assert (422, "REQUEST_INVALID", ["wait"]) == (answer.status_code, code(answer), answer.json()["pointers"])
    assert 0 == inbox_count(door)


# Batches and bodies ----------------------------------------------------------------------------------------


def test_an_event_from_the_future_is_refused_at_the_door(door: Door) -> None:
    """A sender's clock that is nearly two days ahead is told at once, alone, in a batch and for a settlement."""
    late, early = bill(occurred_at=in_days(1.99)), bill(occurred_at=in_days(0.99))
    with hospital(door) as client:
        for path, body in (("/v1/events", late), ("/v1/settlements", late), ("/v1/events", [late, discharge("E9")])):
            answer = client.post(path, json=body)
            told = answer.json()["items"][0]["problem"] if isinstance(body, list) else answer.json()
            assert ("FUTURE_DATED", ["/occurred_at"]) == (told["code"], told["pointers"])
            assert "occurred_at is 1 day 23 hours after the moment of intake" in told["en"]
        assert 202 == client.post("/v1/events", json=early).status_code
    assert 2 == inbox_count(door)


def test_in_a_batch_each_event_stands_for_itself(door: Door) -> None:
    """The good ones are stored, each bad one has its problem; as JSON and as lines."""
    events = [discharge(), bill(copay=-1), bill("S2"), {"event_type": "x"}]
    with hospital(door) as client:
        answer = client.post("/v1/events", json=events)
        lines = client.post("/v1/events", content=ndjson(events), headers={"Content-Type": "application/x-ndjson"})
    assert (207, answer.content) == (lines.status_code, lines.content)
    told = answer.json()
    assert (2, 2) == (told["acknowledged"], told["refused"])
    assert [202, 422, 202, 422] == [each["status"] for each in told["items"]]
    assert ["NEGATIVE_AMOUNT", "UNKNOWN_EVENT_TYPE"] == [each["problem"]["code"] for each in told["items"][1::2]]
    assert 2 == inbox_count(door)


def test_a_batch_of_a_thousand_is_taken_and_one_more_is_not(door: Door) -> None:
    """The limit is reported before anything is stored."""
    events = [bill(f"S{n}", f"E{n % 50}", person_id=f"P{n % 50}") for n in range(1001)]
    with hospital(door) as client:
        over = client.post("/v1/events", json=events)
        assert (413, "BATCH_TOO_LONG") == (over.status_code, code(over))
        assert 0 == inbox_count(door)
        assert 202 == client.post("/v1/events", json=events[:1000]).status_code
    assert 1000 == inbox_count(door)


def test_an_event_of_more_than_a_mebibyte_is_too_large(door: Door) -> None:
    """One byte over is refused with the stream's code, and so is a body beyond all measure."""
    frame = len(encode(bill(note="")))
    with hospital(door) as client:
        for size, status in ((1024 * 1024, 202), (1024 * 1024 + 1, 413)):
            body = encode(bill(note="x" * (size - frame)))
            assert size == len(body)
            assert status == client.post("/v1/events", content=body, headers=JSON).status_code
        huge = client.post("/v1/events", content=iter([b"[" + b" " * 2**20] + [b" " * 2**20] * 17), headers=JSON)
        assert (413, "TOO_LARGE") == (huge.status_code, code(huge))


@pytest.mark.parametrize("streamed", [False, True])
def test_a_body_may_be_as_long_as_the_limit(door: Door, streamed: bool) -> None:
    """To the byte, whether its length is declared or not."""
    quote = encode({"settlement": bill()})
    with hospital(door) as client:
        for size, status in ((4 * EVENT_BYTES_MAX, 200), (4 * EVENT_BYTES_MAX + 1, 413)):
            body = quote + b" " * (size - len(quote))
            answer = client.post("/v1/quotes", content=iter([body]) if streamed else body, headers=JSON)
            assert status == answer.status_code


def malformed(rng: random.Random) -> bytes:
    """A body that no reader could take for an event."""
    body = bytearray(encode(rng.choice([bill(), discharge(), void()])))
    kind = rng.randrange(8)
    if kind == 0:
        return bytes(body[: rng.randrange(len(body) - 1)])
    if kind == 1:
        return rng.randbytes(rng.randrange(200))
    if kind == 2:
        body[rng.randrange(len(body))] = rng.choice([0, 0xFF, 0xC0, 0x80])
        return bytes(body)
    if kind == 3:
        return b"[" * rng.randrange(1, 20_000) + bytes(body)
    if kind == 4:
        return b"[" + bytes(body) + b"," * rng.randrange(1, 3) + b"]"
    if kind == 5:
        event = json.loads(bytes(body))
        event[rng.choice(["event_id", "occurred_at", "person_id", "version", "event_type", "encounter_id"])] = (
            rng.choice([None, [], {}, -1, 1.5, "", "\x00", True, 10**30])
        )
        return encode(event)
    if kind == 6:
        return rng.choice(
            [b"NaN", b"null", b"1e9", b'"x"', b"{}", b"[]", b"[[]]", b"[{}]", b"\xef\xbb\xbf{}", b"", b"[1]"]
        )
    return bytes(body) + bytes(body)


@pytest.mark.long
def test_malformed_bodies_are_refused_and_leave_nothing(door: Door) -> None:
    """Each gets a problem of the sender's (4xx), never an error of ours and never an acknowledgement."""
    rng = random.Random(20240310)
    statuses: Counter[int] = Counter()
    types = ["application/json", "application/json", "application/x-ndjson"]
    with hospital(door) as client:
        for number in range(times(300, 2000)):
            path = ("/v1/events", "/v1/settlements", "/v1/quotes")[number % 3]
            content_type = "application/json" if path == "/v1/quotes" else rng.choice(types)
            body = malformed(rng)
            answer = client.post(path, content=body, headers={"Content-Type": content_type})
            assert 400 <= answer.status_code < 500, (path, body, answer.text)
            assert code(answer)
            statuses[answer.status_code] += 1
    assert 0 == inbox_count(door)
    assert {400, 422} <= statuses.keys()


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/json; charset=gbk", "json", ","]
)
def test_an_unknown_content_type_is_told(door: Door, content_type: str) -> None:
    """It is a 415 that names what is understood."""
    with hospital(door) as client:
        answer = client.post("/v1/events", content=encode(bill()), headers={"Content-Type": content_type})
    assert (415, "UNSUPPORTED_MEDIA_TYPE") == (answer.status_code, code(answer))


@pytest.mark.parametrize(
    "events",
    [[bill(), bill("S2")], [discharge()], [bill(), discharge("E2")], [bill(), discharge(person_id="P2")], []],
    ids=["two bills", "no bill", "another encounter", "another person", "none"],
)
def test_a_settlement_comes_alone_or_with_its_discharge_and_whole_or_not_at_all(door: Door, events: list[Json]) -> None:
    """Anything else is refused, and nothing of it is stored."""
    with hospital(door) as client:
        answer = client.post("/v1/settlements", json=events)
        assert 400 <= answer.status_code < 500
        assert code(answer)
        assert 0 == inbox_count(door)
        undecided = client.post("/v1/settlements?wait=50ms", json=[discharge(), bill()])
        assert (202, "/v1/claims/E1") == (undecided.status_code, undecided.headers["location"])
        claim = client.get(undecided.headers["location"])
    assert ("received", 2) == (claim.json()["state"], claim.json()["waiting_events"])


# Who ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic aDox", "Bearer huzhu_a_b", "Bearer huzhu_\xff_b"])
def test_without_a_live_key_nothing_is_said(door: Door, header: str) -> None:
    """401, with the way to do it; the same for every path of the API."""
    for method, path in (("POST", "/v1/events"), ("GET", "/v1/claims/E1"), ("GET", "/v1/instructions")):
        answer = httpx.request(method, door.address + path, headers={b"Authorization": header.encode("latin-1")})
        assert (401, "UNAUTHORIZED") == (answer.status_code, code(answer))
        assert "Bearer" in answer.headers["www-authenticate"]


def test_a_secret_that_is_wrong_in_its_last_letter_opens_nothing(door: Door) -> None:
    """The id is right and the secret is not."""
    token = door.key(ApiRole.HOSPITAL, "H1")
    with door.client(token[:-1] + ("A" if token[-1] != "A" else "B")) as client:
        assert 401 == client.get("/v1/claims/E1").status_code


@pytest.mark.parametrize(
    ("role", "scope", "event"),
    [
        (ApiRole.HOSPITAL, "H2", bill()),
        (ApiRole.HOSPITAL, "H2", discharge()),
        (ApiRole.HOSPITAL, "H1", void("S-unknown")),
        (ApiRole.HOSPITAL, "H1", coverage()),
        (ApiRole.HOSPITAL, "H1", death()),
        (ApiRole.HOSPITAL, "H1", report()),
        (ApiRole.REGISTRY, "", bill()),
        (ApiRole.REGISTRY, "", report()),
        (ApiRole.INSURER, "village_mutual_aid", coverage()),
        (ApiRole.INSURER, "village_mutual_aid", report("PO-unknown")),
        (ApiRole.LEAD, "insurer-a", coverage()),
        (ApiRole.LEAD, "insurer-a", bill()),
        (ApiRole.LEAD, "insurer-a", report("PO-unknown")),
    ],
    ids=lambda value: str(value.get("event_type")) if isinstance(value, dict) else str(value),
)
def test_a_key_posts_only_what_is_its_own(door: Door, role: ApiRole, scope: str, event: Json) -> None:
    """Another role's events, another facility's and unknown payouts are 403, and leave nothing."""
    with door.client(door.key(role, *([scope] if scope else []))) as client:
        answer = client.post("/v1/events", json=event)
    assert (403, "FORBIDDEN") == (answer.status_code, code(answer))
    assert 0 == inbox_count(door)


def test_a_facility_cannot_write_under_the_ids_of_another(door: Door) -> None:
    """Naming its own facility_id does not give it another's settlement or encounter."""
    own: Json = {"facility_id": "H2"}
    with hospital(door) as h1, hospital(door, "H2") as h2:
        assert 202 == h1.post("/v1/events", json=[discharge(), bill()]).status_code
        attempts = [bill(version=2, **own), discharge(version=2, **own), bill("S9", **own), void(), void(version=3)]
        assert [403] * 5 == [h2.post("/v1/events", json=each).status_code for each in attempts]
        assert 403 == h2.get("/v1/claims/E1").status_code
        assert 202 == h1.post("/v1/events", json=void()).status_code
        assert 404 == h2.get("/v1/claims/E-nobody").status_code


def test_a_stay_that_moves_to_another_facility_is_that_ones(door: Door) -> None:
    """The newest discharge decides; who may write for both facilities may hand it over."""
    with hospital(door) as h1, hospital(door, "H2") as h2, hospital(door, "H1", "H2") as both:
        assert 202 == h1.post("/v1/events", json=discharge()).status_code
        assert 403 == h2.post("/v1/events", json=discharge(version=2, facility_id="H2")).status_code
        assert 202 == both.post("/v1/events", json=discharge(version=2, facility_id="H2")).status_code
        assert 403 == h1.post("/v1/events", json=discharge(version=3)).status_code
        assert 403 == h1.post("/v1/events", json=bill()).status_code
        assert 202 == h2.post("/v1/events", json=bill(facility_id="H2")).status_code


def test_a_batch_knows_the_owners_of_its_own_events(door: Door) -> None:
    """A bill and its void in one request are both taken."""
    with hospital(door) as client:
        answer = client.post("/v1/events", json=[bill(), void()])
    assert (202, 2) == (answer.status_code, inbox_count(door))


def test_only_hospitals_see_claims(door: Door) -> None:
    """Also where an insurer's scheme has the name of a facility."""
    with hospital(door) as client:
        assert 202 == client.post("/v1/events", json=discharge()).status_code
        assert 200 == client.get("/v1/claims/E1").status_code
    with door.client(door.key(ApiRole.INSURER, "H1")) as insurer:
        assert 403 == insurer.get("/v1/claims/E1").status_code


def test_a_stay_belongs_to_the_person_of_its_bill_before_its_discharge_comes(door: Door) -> None:
    """Also while the bill still waits for Kafka."""
    with hospital(door) as client:
        assert 202 == client.post("/v1/events", json=bill()).status_code
        other = client.post("/v1/events", json=discharge(person_id="P2"))
    assert (409, "PERSON_MISMATCH", 1) == (other.status_code, code(other), inbox_count(door))


def test_what_the_ledger_has_is_not_sent_again(door: Door) -> None:
    """The same event is acknowledged, and neither stored nor forwarded."""
    held(door.engine)
    give(door.engine, in_order([discharge(), bill()]))
    with hospital(door) as client:
        for event in (discharge(), bill(event_id="again"), [discharge(), bill()]):
            assert 202 == client.post("/v1/events", json=event).status_code
    assert 0 == inbox_count(door)


def test_the_registry_posts_coverages_and_deaths(door: Door) -> None:
    """Only hospitals read claims, and only insurers read instructions."""
    with door.client(door.key(ApiRole.REGISTRY)) as registry, hospital(door) as h1:
        assert 202 == registry.post("/v1/events", json=[coverage(), death()]).status_code
        assert 403 == registry.get("/v1/claims/E1").status_code
        assert 403 == registry.post("/v1/quotes", json={"settlement": bill()}).status_code
        assert 403 == h1.get("/v1/instructions").status_code


# When it is too much, or the ledger is gone ----------------------------------------------------------------


def test_a_caller_that_posts_too_fast_is_told_when_to_come_back(ledger: Engine) -> None:
    """429 with Retry-After; another caller is served meanwhile, and so is health."""
    with (
        open_door(ledger, gateway_rate=0.5, gateway_burst=1000) as door,
        hospital(door) as h1,
        hospital(door, "H2") as h2,
    ):
        batch = [bill(f"S{n}") for n in range(990)]
        assert 202 == h1.post("/v1/events", json=batch).status_code
        answers = [h1.post("/v1/events", json=bill())]
        while 202 == answers[-1].status_code and len(answers) < 200:  # a slow machine earns some more on the way
            answers.append(h1.post("/v1/events", json=bill()))
        assert {202, 429} == {each.status_code for each in answers}
        assert "RATE_LIMITED" == code(answers[-1])
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
        assert 202 == h2.post("/v1/events", json=bill("S-h2", "E-h2", facility_id="H2")).status_code
        assert 200 == h1.get("/healthz").status_code


def test_without_the_ledger_nothing_is_acknowledged(ledger: Engine, postgres_url: str) -> None:
    """503 with Retry-After while the database cannot be reached, and service again afterwards."""
    with open_door(ledger) as door, hospital(door) as client:
        assert 202 == client.post("/v1/events", json=bill()).status_code
        name = ledger.url.database
        admin = connect(postgres_url).execution_options(isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.exec_driver_sql(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            )
            answers = [client.post("/v1/events", json=bill("S2")), client.get("/v1/claims/E1"), client.get("/readyz")]
            assert 200 == client.get("/healthz").status_code
            connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        admin.dispose()
        assert [(503, "UNAVAILABLE")] * 3 == [(each.status_code, code(each)) for each in answers]
        assert all(int(each.headers["retry-after"]) > 0 for each in answers)
        assert 202 == client.post("/v1/events", json=bill("S2")).status_code
    assert 2 == inbox_count(door)


def test_a_client_that_does_not_finish_its_head_is_hung_up_on(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that sends nothing and one that stops in the middle; one that finishes is served on the same connection."""
    port = int(door.address.rpartition(":")[2])
    monkeypatch.setattr("web.server.HEAD_SECONDS_MAX", 0.5)
    for begun in (b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(begun)
            assert b"" == client.recv(1000)
    monkeypatch.setattr("web.server.HEAD_SECONDS_MAX", 60)  # so that a busy machine serves the first
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        client.sendall(whole)
        answer = HTTPResponse(client)
        answer.begin()
        assert (200, {"status": "alive"}) == (answer.status, json.loads(answer.read()))
        monkeypatch.setattr("web.server.HEAD_SECONDS_MAX", 0.5)
        client.sendall(whole[:20])
        assert b"" == client.recv(1000)


def test_nothing_is_loaded_from_elsewhere_and_unknown_paths_are_problems(door: Door) -> None:
    """FastAPI's pages, which load scripts from the internet, are not there."""
    with door.client("") as client:
        for path in ("/redoc", "/docs/oauth2-redirect", "/v1", "/v1/claims"):
            assert (404, "NOT_FOUND") == ((answer := client.get(path)).status_code, code(answer))
        wrong = client.get("/v1/events")
        assert (405, "METHOD_NOT_ALLOWED", "POST") == (wrong.status_code, code(wrong), wrong.headers["allow"])


def test_a_mistake_of_ours_is_a_problem_and_the_log_quotes_nobody(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """500 with both languages; the log names the kind and the place, and nothing that was sent."""

    def broken(*_: object) -> None:
        raise RuntimeError("about P1: 110105194912310021")

    monkeypatch.setattr("web.api.routes.posting.post_events", broken)
    with hospital(door) as client:
        answer = client.post("/v1/events", json=bill())
    assert (500, "INTERNAL") == (answer.status_code, code(answer))
    assert "RuntimeError" in caplog.text
    assert "110105194912310021" not in caplog.text + answer.text
