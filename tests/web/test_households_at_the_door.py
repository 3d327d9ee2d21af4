"""Members of a household at the door: who waits gets the decision of all, and a quote counts what all posted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine, event, select

from acts.recompute_groups import recompute_groups
from infra.ledger import inbox
from infra.ledger.gateway_tables import inbox as inbox_table
from schemas.access.callers import ApiRole
from schemas.records import Delivery
from tests.support.acts import publish
from tests.support.builders import POLICY as BY_PERSON
from tests.support.builders import RECORDED_AT, SHARDS, Json, bill, discharge, membership, membership_void, policy_text
from tests.support.household import HOUSEHOLD, HOUSEHOLD_ID, MOTHER, POLICY, SON, member, stay
from tests.support.ledgers import give, held, in_order
from tests.support.servers import await_true
from tests.web.door import Door
from tests.web.site import code

MEMBERS = [*member(MOTHER, "mother"), *member(SON, "son")]
HERS, HIS = stay(MOTHER, "mother", "2024-03-10", 3400, "C50.9"), stay(SON, "son", "2024-04-10", 3000, "F20.0")
WAIT = "/v1/settlements?wait=30s"


@pytest.fixture
def home(door: Door) -> Door:
    """A door to a ledger whose policy counts by household, with no event yet."""
    publish(door.engine, POLICY, "test", SHARDS, lambda: RECORDED_AT)
    held(door.engine)
    return door


def hospital(door: Door) -> httpx.Client:
    return door.client(door.key(ApiRole.HOSPITAL, "H1"))


def registry(door: Door) -> httpx.Client:
    return door.client(door.key(ApiRole.REGISTRY))


def decide(ledger: Engine) -> int:
    return recompute_groups(ledger, range(SHARDS), SHARDS, lambda: RECORDED_AT)


def known(door: Door, *events: Json) -> None:
    """The ledger has these events, and has decided them."""
    give(door.engine, in_order(events))
    decide(door.engine)


def acknowledged(door: Door) -> int:
    """How many events wait for Kafka."""
    return len(door.rows("SELECT 1 FROM inbox WHERE sent_at IS NULL"))


def carry(door: Door) -> list[int]:
    """Takes the inbox over Kafka to the ledger, whose worker ends before it decides a group; returns the numbers."""
    ends = Counter[tuple[str, int]]()
    for topic, partition, end in door.rows("SELECT topic, partition, next_offset FROM offsets"):
        ends[topic, partition] = end
    deliveries, numbers = [], []
    with door.engine.begin() as connection:
        for row in connection.execute(select(inbox_table).order_by(inbox_table.c.inbox_no)):
            place = row.topic, row.shard
            deliveries.append(Delivery(*place, ends[place], row.person_id.encode(), bytes(row.value)))
            inbox.mark_sent(connection, [(row.inbox_no, ends[place])])
            ends[place] += 1
            numbers.append(row.inbox_no)
    for each in deliveries:
        give(door.engine, [each])
    return numbers


def decided(door: Door, numbers: list[int]) -> list[str]:
    """What became of events of the inbox, those that wait left out."""
    with door.engine.connect() as connection:
        return [fate.disposition for fate in inbox.fates(connection, numbers)]


def forgotten(door: Door) -> int:
    """How many events the inbox deletes, however new they are."""
    with door.engine.begin() as connection:
        return inbox.forget_taken_in(connection, timedelta(0))


def said(answer: httpx.Response) -> tuple[int, str, str]:
    decision = answer.json()["decision"]
    return answer.status_code, decision["status"], decision["total_benefit"]


def test_who_waits_for_a_decision_gets_that_of_the_whole_household(home: Door) -> None:
    """The ledger has the bill; until all claims are decided, the post is not answered and the event not forgotten."""
    known(home, *MEMBERS, *HERS, HIS[0])
    with hospital(home) as client, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.post, WAIT, json=HIS[1])
        assert await_true(lambda: acknowledged(home) == 1)
        numbers = carry(home)
        assert ([], 0, False) == (decided(home, numbers), forgotten(home), waiting.done())
        assert 1 == decide(home.engine)
        assert (200, "adjudicated", "300.00") == said(waiting.result())
    assert (["accepted"], 1) == (decided(home, numbers), forgotten(home))


def test_a_bill_that_the_ledger_has_already_waits_for_the_household_too(home: Door) -> None:
    """It came over Kafka, and is posted again: 202 without waiting, and with it the decision of all."""
    known(home, *MEMBERS, *HERS)
    give(home.engine, in_order(HIS))
    with hospital(home) as client, ThreadPoolExecutor(1) as pool:
        assert 202 == client.post("/v1/settlements", json=HIS[1]).status_code
        waiting = pool.submit(client.post, WAIT, json=HIS[1])
        assert 1 == decide(home.engine)
        assert (200, "adjudicated", "300.00") == said(waiting.result())
        assert (200, "adjudicated", "300.00") == said(client.post("/v1/settlements", json=HIS[1]))


def quoted(door: Door) -> httpx.Response:
    with hospital(door) as client:
        return client.post("/v1/quotes", json={"discharge": HIS[0], "settlement": HIS[1]})


def test_a_quote_is_what_posting_leads_to_and_names_nobody_else(home: Door) -> None:
    """All that the household has posted waits for Kafka: memberships, and the stay of a member on another shard."""
    with registry(home) as posting:
        assert 202 == posting.post("/v1/events", json=MEMBERS).status_code
    with hospital(home) as client:
        assert 202 == client.post("/v1/events", json=HERS).status_code
        quote = quoted(home)
        assert (200, "adjudicated", "300.00") == said(quote)
        for name in (MOTHER, "E-mother", "S-mother", "C-mother", "M-mother", "M-son", HOUSEHOLD_ID, "C50"):
            assert name not in quote.text
        assert 202 == client.post("/v1/events", json=HIS).status_code
        carry(home)
        decide(home.engine)
        claim = client.get("/v1/claims/E-son").json()["decision"]
    expected = quote.json()["decision"]
    assert expected == {name: claim[name] for name in expected}


LATER = [*HERS, membership("M-mother", HOUSEHOLD_ID, person_id=MOTHER, version=2, valid_to="2024-04-01")]


@pytest.mark.parametrize(
    ("in_ledger", "in_inbox", "benefit"),
    [
        ([*MEMBERS, *HERS], [], "300.00"),
        (MEMBERS, HERS, "300.00"),
        (MEMBERS[2:], [*MEMBERS[:2], *HERS], "300.00"),
        (MEMBERS[:2] + HERS, MEMBERS[2:], "300.00"),
        (MEMBERS, LATER, "300.00"),
        ([*MEMBERS, *HERS], [membership_void("M-mother", person_id=MOTHER)], "500.00"),
        ([*MEMBERS, *HERS], [membership("M-son", "HH-2", person_id=SON, version=2)], "500.00"),
        ([*MEMBERS, *HERS], [membership("M-son", HOUSEHOLD_ID, person_id=SON, version=2, unit="single")], "500.00"),
    ],
)
def test_a_quote_counts_what_every_member_posted(
    home: Door, in_ledger: list[Json], in_inbox: list[Json], benefit: str
) -> None:
    """Wherever it is by now, in the ledger or in the inbox: who joins, leaves, or is in hospital."""
    known(home, *in_ledger)
    with hospital(home) as client, registry(home) as posting:
        for each in in_inbox:
            sender = client if each["event_type"] in ("encounter.discharged", "settlement.posted") else posting
            assert 202 == sender.post("/v1/events", json=each).status_code
    assert (200, "adjudicated", benefit) == said(quoted(home))


@contextmanager
def before(engine: Engine, act: Callable[[str], None]) -> Iterator[None]:
    """Lets something see every statement before it is executed."""

    def seen(_: object, __: object, statement: str, *___: object) -> None:
        act(" ".join(statement.split()))

    event.listen(engine, "before_cursor_execute", seen)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", seen)


def test_a_quote_sees_one_moment_of_all_members(home: Door) -> None:
    """A member's stay that is taken in while the quote looks for the members is not in it."""
    known(home, *MEMBERS)
    acts = [lambda: give(home.engine, in_order(HERS))]

    def once(statement: str) -> None:
        if acts and "FROM memberships" in statement and "UNION" in statement:
            acts.pop()()

    with before(home.served, once):
        assert (200, "adjudicated", "500.00") == said(quoted(home))
    assert [] == acts
    assert (200, "adjudicated", "300.00") == said(quoted(home))


def statements(door: Door) -> int:
    found: list[str] = []
    with hospital(door) as client, before(door.engine, found.append):
        assert 200 == client.post("/v1/quotes", json={"discharge": HIS[0], "settlement": HIS[1]}).status_code
    return len(found)


def test_a_person_in_no_household_costs_no_statement_more(door: Door) -> None:
    """Whether some scheme counts by household or none does, whoever else is in one; nor does a single one (单人户)."""
    held(door.engine)
    single = membership("M-son", HOUSEHOLD_ID, person_id=SON, unit="single")
    give(door.engine, in_order([*MEMBERS[:3], *HERS]))
    publish(door.engine, BY_PERSON, "test", SHARDS, lambda: RECORDED_AT)
    without = statements(door)
    earlier = policy_text("earlier", "2019-01-01", "2020-01-01", HOUSEHOLD)
    publish(door.engine, earlier, "test", SHARDS, lambda: RECORDED_AT)
    assert without == statements(door)
    with registry(door) as posting:
        assert 202 == posting.post("/v1/events", json=single).status_code
    assert without == statements(door)


def test_a_registry_posts_households_and_nobody_else_does(door: Door) -> None:
    """A membership and its voiding under an id of its own; each refusal has its code; other roles post neither."""
    recorded = membership("M1", person_id="P1", role="户主")
    with registry(door) as posting:
        answer = posting.post("/v1/events", json=recorded)
        receipt = {"kind": "membership", "id": "M1", "version": 1, "status": "acknowledged"}
        assert (202, receipt) == (answer.status_code, {name: answer.json()[name] for name in receipt})
        assert 202 == posting.post("/v1/events", json=recorded).status_code
        refused = [
            (409, "VERSION_CONFLICT", membership("M1", "HH2", person_id="P1")),
            (409, "PERSON_MISMATCH", membership("M1", person_id="P2", version=2)),
            (409, "PERSON_MISMATCH", membership_void("M1", person_id="P2")),
            (422, "SCHEMA_INVALID", membership("M2", unit="family")),
            (422, "DATES_OUT_OF_ORDER", membership("M2", valid_to="2020-01-01")),
        ]
        for status, reason, wrong in refused:
            answer = posting.post("/v1/events", json=wrong)
            assert (status, reason) == (answer.status_code, code(answer))
        assert 202 == posting.post("/v1/events", json=membership_void("M1", person_id="P1")).status_code
        assert 403 == posting.post("/v1/events", json=discharge()).status_code
        assert 403 == posting.post("/v1/events", json=bill()).status_code
    assert [("HH1",), (None,)] == [tuple(row) for row in door.rows("SELECT household_id FROM inbox ORDER BY inbox_no")]
    others = (ApiRole.HOSPITAL, "H1"), (ApiRole.INSURER, "village_mutual_aid"), (ApiRole.LEAD, "insurer-a")
    for role, scope in others:
        with door.client(door.key(role, scope)) as other:
            for each in (membership("M3"), membership_void("M1")):
                answer = other.post("/v1/events", json=each)
                assert (403, "FORBIDDEN") == (answer.status_code, code(answer))
