"""From bytes in Kafka to payouts in Kafka, through `huzhu worker` and `huzhu relay` as separate processes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

import pytest

from tests.support.builders import SHARDS, Json, bill, coverage, discharge, encode, fact
from tests.support.posting import Post, insured, person_of, post, shard_of_key, stay, to_post
from tests.support.servers import Producer, await_true, listening_addresses
from tests.support.spine import Message, Spine

_names = count(1)


@pytest.fixture(scope="module")
def spine(kafka: str, postgres_url: str) -> Iterator[Spine]:
    """A worker and a relay that run, with the sample policy."""
    with Spine(kafka, postgres_url) as spine:
        spine.publish()
        spine.start("worker")
        spine.start("relay")
        yield spine


def test_a_stay_becomes_payouts(spine: Spine) -> None:
    """A discharge, a bill and two coverages come out as one decided claim and two payments, exact to the fen."""
    person = person_of(2, "P-paid")
    post(spine.bootstrap, map(to_post, [*stay(person, "E-paid", 5000, 1001), *insured(person)]))
    spine.await_idle()
    decided = spine.of_claim("claims.decisions", "E-paid")[-1]
    assert decided["event_type"] == "claim.decided"
    assert decided["status"] == "adjudicated"
    assert decided["personal_burden"] == "6001.00"
    assert {each["scheme_id"]: each["benefit"] for each in decided["benefits"]} == {
        "village_mutual_aid": "900.00",  # 30 % of what is over 2,000.00
        "self_pay_assistance": "600.60",  # 60 % of 1,001.00
    }
    assert decided["total_benefit"] == "1500.60"
    assert decided["patient_pays"] == "4500.40"
    instructed = spine.of_claim("payouts.instructions", "E-paid")
    assert {(each["scheme_id"], each["kind"], each["amount"], each["revision"]) for each in instructed} == {
        ("village_mutual_aid", "payment", "900.00", 1),
        ("self_pay_assistance", "payment", "600.60", 1),
    }
    assert len(instructed) == 2
    assert {each["policy_sha256"] for each in instructed} == {decided["policy_sha256"]}


def test_a_corrected_bill_is_recovered(spine: Spine) -> None:
    """A bill that is corrected to exactly the threshold takes back what it had paid, as revision 2."""
    person = person_of(0, "P-back")
    first, paid = stay(person, "E-back", 3000), insured(person)[:1]
    post(spine.bootstrap, map(to_post, [*first, *paid]))
    spine.await_idle()
    post(spine.bootstrap, [to_post(bill("S-E-back", "E-back", 2000, version=2, person_id=person))])
    spine.await_idle()
    assert [
        (each["kind"], each["amount"], each["revision"]) for each in spine.of_claim("payouts.instructions", "E-back")
    ] == [("payment", "300.00", 1), ("recovery", "300.00", 2)]


class Bad(NamedTuple):
    """A message that must be refused, and what is to be said of it."""

    name: str
    code: str
    pointers: list[str]
    message: Post


def _bad(name: str, code: str, pointers: list[str], event: Json | bytes | None, **other: Any) -> Bad:
    """A message for the person's own partition of the expenses, unless ``other`` (fields of Post) says otherwise."""
    person = person_of(len(name) % SHARDS, f"P-{name}")
    if isinstance(event, dict):
        message = to_post({**event, "person_id": person}, shard_of_key(person))
    else:
        message = Post("hospital.expenses", person.encode(), event, shard_of_key(person))
    return Bad(name, code, pointers, message._replace(**other))


def _of_size(size: int, name: str) -> bytes:
    """A good discharge of exactly so many bytes."""
    event = discharge(f"E-{name}", person_id=person_of(len(name) % SHARDS, f"P-{name}"))
    return encode({**event, "remark": "x" * (size - len(encode({**event, "remark": ""})))})


BILL = bill("S-refused", "E-refused", 3000)
DISCHARGES = "hospital.discharges"
MIB = 1024 * 1024
REFUSED = [
    _bad("cut-short", "MALFORMED_JSON", [], encode(BILL)[:-5]),
    _bad("not-utf8", "MALFORMED_JSON", [], encode({**BILL, "remark": "#"}).replace(b"#", "退费".encode("gbk"))),
    _bad("tombstone", "MALFORMED_JSON", [], None),
    _bad("empty", "MALFORMED_JSON", [], b""),
    _bad("any-bytes", "MALFORMED_JSON", [], bytes(range(256))),
    _bad("deep", "MALFORMED_JSON", [], b"[" * 100_000),
    _bad("not-a-number", "MALFORMED_JSON", [], encode({**BILL, "copay": float("nan")})),
    _bad("said-twice", "MALFORMED_JSON", [], encode(BILL)[:-1] + b', "copay": "9.00"}'),
    _bad("no-object", "SCHEMA_INVALID", [""], b"[1, 2]"),
    _bad("fields", "SCHEMA_INVALID", ["/version", "/copay"], {**BILL, "version": 0, "copay": "1.234"}),
    _bad("unknown", "UNKNOWN_EVENT_TYPE", ["/event_type"], encode({**BILL, "event_type": "settlement.refunded"})),
    _bad("wrong-topic", "UNKNOWN_EVENT_TYPE", ["/event_type"], coverage("C-wrong"), topic="hospital.expenses"),
    _bad("dollars", "UNSUPPORTED_CURRENCY", ["/currency"], {**BILL, "currency": "USD"}),
    _bad("one-byte-too-large", "TOO_LARGE", [], _of_size(MIB + 1, "one-byte-too-large"), topic=DISCHARGES),
    _bad("far-too-large", "TOO_LARGE", [], _of_size(3 * MIB, "far-too-large"), topic=DISCHARGES),
    _bad("wrong-key", "KEY_MISMATCH", ["/person_id"], BILL, key=b"P-somebody-else"),
    _bad("null-key", "KEY_MISMATCH", ["/person_id"], BILL, key=None),
    _bad("key-of-any-bytes", "KEY_MISMATCH", ["/person_id"], BILL, key=b"\xff\x00\xfe"),
    _bad("negative", "NEGATIVE_AMOUNT", ["/total_charge", "/copay"], {**BILL, "total_charge": "-1", "copay": "-1"}),
    _bad("unbalanced", "AMOUNTS_DO_NOT_BALANCE", ["/total_charge"], {**BILL, "total_charge": "3000.01"}),
    _bad("backwards", "DATES_OUT_OF_ORDER", ["/admitted_on", "/discharged_on"], discharge("E-b", "2024-02-29")),
    _bad("future", "FUTURE_DATED", ["/discharged_on"], discharge("E-f", "2025-01-02")),
    _bad("conflict", "VERSION_CONFLICT", ["/version"], bill("S-conflict", "E-conflict", 3001)),
    _bad("of-another", "PERSON_MISMATCH", ["/person_id", "/encounter_id"], discharge("E-of-another")),
]
BEFORE = {  # what was accepted before: the same version with another amount, the same encounter of another person
    "conflict": bill("S-conflict", "E-conflict", 3000),
    "of-another": discharge("E-of-another"),
}


def _surrounded(bad: Bad) -> list[Post]:
    """The bad message, what has to come before it, and a good one right after it in its partition."""
    partition = bad.message.partition
    assert partition is not None
    posts = [bad.message, to_post(_good(bad), partition)]
    if bad.name in BEFORE:
        key = bad.message.key or b""
        person = key.decode() if bad.code == "VERSION_CONFLICT" else person_of(partition, "P-first")
        posts.insert(0, to_post({**BEFORE[bad.name], "person_id": person}, partition))
    return posts


def _good(bad: Bad) -> Json:
    person, name = person_of(bad.message.partition or 0, f"P-after-{bad.name}"), f"E-after-{bad.name}"
    return discharge(name, person_id=person) if bad.message.topic == DISCHARGES else stay(person, name, 100)[1]


class Refusals(NamedTuple):
    """The positions of the bad messages, and everything that was published after they were processed."""

    offsets: dict[str, int]
    deadletters: list[Message]
    audit: list[Message]
    decided: set[str]


@pytest.fixture(scope="module")
def refusals(spine: Spine) -> Refusals:
    """All the bad messages posted, each between good ones."""
    posts = [(bad, message) for bad in REFUSED for message in _surrounded(bad)]
    offsets = post(spine.bootstrap, [message for _, message in posts])
    spine.await_idle()
    at = {bad.name: offset for (bad, message), offset in zip(posts, offsets, strict=True) if message is bad.message}
    decided = {each.value["claim_id"] for each in spine.committed("claims.decisions")}
    return Refusals(at, spine.committed("claims.deadletter"), spine.committed("audit.events"), decided)


def test_every_refusal_code_is_posted() -> None:
    """The bad messages have each of the twelve codes."""
    assert len({bad.code for bad in REFUSED}) == 12


@pytest.mark.parametrize("bad", REFUSED, ids=[bad.name for bad in REFUSED])
def test_a_bad_message_is_refused_and_kept(bad: Bad, spine: Spine, refusals: Refusals) -> None:
    """Its bytes, position, code, pointers and sentences are once each in dead letter, ledger and audit log."""
    message, offset = bad.message, refusals.offsets[bad.name]
    place = {"topic": message.topic, "partition": message.partition, "offset": offset}
    found = [each for each in refusals.deadletters if place.items() <= each.value.items()]
    (dead,) = found
    assert (dead.partition, dead.key) == (message.partition, message.key)
    assert dead.value["event_type"] == "event.refused"
    assert dead.value["code"] == bad.code
    assert dead.value["pointers"] == bad.pointers
    assert re.search("[\u4e00-\u9fff]", dead.value["zh"])
    assert re.fullmatch("[ -~]+", dead.value["en"])
    assert _decoded(dead.value["value_base64"]) == message.value
    assert _decoded(dead.value["key_base64"]) == message.key
    assert dead.value["value_sha256"] == hashlib.sha256(message.value or b"").hexdigest()

    (row,) = spine.rows(
        "SELECT * FROM events JOIN refusals USING (event_no)"
        ' WHERE topic = :topic AND partition = :partition AND "offset" = :offset',
        **place,
    )
    assert (row.disposition, row.code, row.pointers) == ("refused", bad.code, bad.pointers)
    assert (row.key, row.value) == (message.key, message.value)
    assert (row.zh, row.en) == (dead.value["zh"], dead.value["en"])

    where = {name: str(value) for name, value in place.items()}
    (audited,) = [each.value for each in refusals.audit if where.items() <= each.value["subject"].items()]
    assert audited["kind"] == "event.refused"
    assert audited["subject"]["code"] == bad.code


@pytest.mark.parametrize("bad", REFUSED, ids=[bad.name for bad in REFUSED])
def test_the_partition_goes_on_after_a_bad_message(bad: Bad, refusals: Refusals) -> None:
    """A good event right behind the bad one in the same partition is decided."""
    key = "encounter_id"
    assert _good(bad)[key] in refusals.decided


def _decoded(data: str | None) -> bytes | None:
    return None if data is None else base64.b64decode(data, validate=True)


def test_one_mebibyte_is_not_too_large(spine: Spine) -> None:
    """A discharge of exactly 1 MiB is taken."""
    person = person_of(len("just-fits") % SHARDS, "P-just-fits")
    post(spine.bootstrap, [Post(DISCHARGES, person.encode(), _of_size(MIB, "just-fits"))])
    spine.await_idle()
    (decided,) = spine.of_claim("claims.decisions", "E-just-fits")
    assert decided["status"] == "incomplete"


def test_aborted_transactions_are_passed_over(spine: Spine) -> None:
    """Of a transactional sender what it committed is taken once, what it aborted never, and nothing waits for it."""
    person = person_of(1, "P-transaction")
    aborted, kept = stay(person, "E-aborted", 9000), stay(person, "E-kept", 2500)
    size = 9 * 1024 * 1024
    options = {"transactional_id": "hospital", "acks": "all", "max_request_size": size}
    with Producer(bootstrap_servers=spine.bootstrap, **options) as producer:
        producer.init_transactions()
        for events, end in (
            (insured(person), producer.commit_transaction),
            (aborted, producer.abort_transaction),
            (kept, producer.commit_transaction),
            (aborted, producer.abort_transaction),
        ):
            producer.begin_transaction()
            for event in events:
                message = to_post(event)
                producer.send(message.topic, value=message.value, key=message.key)
            producer.flush()
            _await_taken(spine)  # while the transaction is open, so that whoever reads too much has the time to
            end()
    spine.await_idle()
    assert spine.of_claim("claims.decisions", "E-aborted") == []
    assert spine.of_claim("claims.decisions", "E-kept")[-1]["total_benefit"] == "150.00"
    assert len(spine.of_claim("payouts.instructions", "E-kept")) == 1
    taken = [json.loads(row.value) for row in spine.rows("SELECT value FROM events WHERE key = :k", k=person.encode())]
    assert sorted(each["event_id"] for each in taken) == sorted(each["event_id"] for each in [*insured(person), *kept])


def _await_taken(spine: Spine) -> None:
    """Waits until another person's stay, posted now to each partition, is decided."""
    number = next(_names)
    people = [person_of(shard, f"P-meanwhile-{number}") for shard in range(SHARDS)]
    post(spine.bootstrap, [to_post(fact("person.died", each, version=1, died_on="2024-12-31")) for each in people])
    wanted = "SELECT count(*) FROM facts WHERE kind = 'person' AND person_id = ANY(:people)"
    assert await_true(lambda: spine.rows(wanted, people=people)[0][0] == SHARDS), spine.log("worker")


def test_another_partitioner_makes_no_difference(spine: Spine) -> None:
    """A person's events on partitions that are not the key's, and twice on two of them, count once."""
    person = person_of(3, "P-elsewhere")
    events = [*stay(person, "E-elsewhere", 4000), *insured(person)]
    everywhere = [to_post(event, partition) for event in events for partition in (0, 2)]
    post(spine.bootstrap, everywhere)
    spine.await_idle()
    assert spine.of_claim("claims.decisions", "E-elsewhere")[-1]["total_benefit"] == "600.00"
    instructed = [each for each in spine.committed("payouts.instructions") if each.value["claim_id"] == "E-elsewhere"]
    assert [(each.partition, each.value["amount"]) for each in instructed] == [(3, "600.00")]
    count_of = "SELECT disposition, count(*) FROM events WHERE key = :key GROUP BY 1"
    counted = {row.disposition: row.count for row in spine.rows(count_of, key=person.encode())}
    assert counted == {"accepted": 4, "duplicate": 4}


def test_keys_and_partitions_follow_the_person(spine: Spine, refusals: Refusals) -> None:
    """What goes out about a person has the person's key and partition; an audit entry's partition is its shard."""
    for topic in ("claims.decisions", "payouts.instructions"):
        messages = spine.committed(topic)
        assert messages
        for message in messages:
            person = message.value["person_id"]
            assert (message.key, message.partition) == (person.encode(), shard_of_key(person))
    assert {each.partition for each in refusals.audit} == set(range(SHARDS))
    assert all((each.key, each.partition) == (None, each.value["shard"]) for each in refusals.audit)


def test_nothing_listens(spine: Spine) -> None:
    """Neither the worker nor the relay has opened a port."""
    spine.await_idle()
    assert {name: listening_addresses(pid) for name, pid in spine.pids.items()} == {"worker": set(), "relay": set()}
