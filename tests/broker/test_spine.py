"""From bytes in Kafka to payouts in Kafka, through `huzhu worker` and `huzhu relay` as processes of their own."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import Any, NamedTuple, Self

import pytest
from kafka import TopicPartition
from kafka.partitioner.default import murmur2
from sqlalchemy import Engine, create_engine, make_url, text

from acts.publish_policy import publish
from infra.kafka import topic_setup
from infra.ledger.schema import bind, connect
from infra.servers.local.guard_client import Guarded, tail
from schemas.topics import INBOUND
from tests.broker.servers import Consumer, Producer, await_true, listening_addresses
from tests.builders import Json, bill, coverage, discharge, fact
from tests.conftest import SHARDS

SAMPLE_POLICY = Path(__file__).parents[2] / "infra" / "samples" / "wuxi-sample.toml"
IDLE_S_MAX = 90.0
STOP_S_MAX = 30.0
MESSAGE_BYTES_MAX = 8 * 1024 * 1024

_names = count(1)


class Message(NamedTuple):
    """One message of an outbound topic."""

    partition: int
    key: bytes | None
    value: Json


class Spine:
    """Workers and relays as processes on one Kafka and a ledger of their own; `with` leaves none of them behind."""

    def __init__(self, bootstrap: str, postgres_url: str) -> None:
        self.bootstrap = bootstrap
        name = f"huzhu_spine_{next(_names)}"
        admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE huzhu_template"))
        admin.dispose()
        self.url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
        self.folder = Path(tempfile.mkdtemp(prefix="huzhu-spine-"))
        self.pids: dict[str, int] = {}
        self._guarded = Guarded(self.folder, temporary=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._guarded.close()
        self.engine.dispose()

    @cached_property
    def engine(self) -> Engine:
        """The ledger, bound to this Kafka."""
        engine = connect(self.url)
        bind(engine, SHARDS, topic_setup.cluster_id(self.bootstrap))
        return engine

    def start(self, command: str, name: str | None = None, **settings: object) -> int:
        """Starts `huzhu COMMAND` under a name (the command's unless given); its pid. Settings are HUZHU_* variables."""
        known = {"kafka_bootstrap": self.bootstrap, "database_url": self.url, "shards": SHARDS, "idle_check": 2}
        variables = [f"HUZHU_{key.upper()}={value}" for key, value in {**known, **settings}.items()]
        argv = ["env", *variables, sys.executable, "-m", "cli.main", command]
        self.pids[name or command] = self._guarded.start(name or command, argv, self._log(name or command))
        return self.pids[name or command]

    def send(self, name: str, number: Signals) -> None:
        self._guarded.send(name, number)

    def wait(self, name: str, within_s: float = STOP_S_MAX) -> int:
        """The exit status of a process that ends within the time; negative is the signal that it died of."""
        status = self._guarded.wait(name, within_s)
        assert status is not None, f"{name} did not end within {within_s} s\n{self.log(name)}"
        return status

    def kill(self, name: str) -> None:
        """As `kill -9` does."""
        self.send(name, Signals.SIGKILL)
        assert self.wait(name) == -Signals.SIGKILL

    def stop(self, name: str) -> float:
        """Ends a process with SIGTERM, which it must obey with exit status 0; the seconds that this took."""
        began = time.monotonic()
        self.send(name, Signals.SIGTERM)
        assert self.wait(name) == 0, self.log(name)
        return time.monotonic() - began

    def runs(self, name: str) -> bool:
        return self._guarded.exit_code(name) is None

    def log(self, name: str) -> str:
        """The end of what a process has said."""
        return tail(self._log(name))

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def publish(self, policy: Path = SAMPLE_POLICY) -> None:
        """Publishes a policy file."""
        publish(self.engine, policy.read_text("utf-8"), "test", SHARDS, lambda: datetime.now(UTC))

    def rows(self, sql: str, **values: object) -> list[Any]:
        """What the ledger answers."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql), values))

    def left(self) -> int:
        """How many offsets are posted and not yet in the ledger."""
        return self._left_of(self._ends())

    def await_left(self, wanted: Callable[[int], bool], within_s: float = IDLE_S_MAX) -> None:
        """Waits until the number of offsets that are posted now and not yet in the ledger is as wanted."""
        ends = self._ends()
        assert await_true(lambda: wanted(self._left_of(ends)), within_s), self.logs()

    def await_idle(self, within_s: float = IDLE_S_MAX) -> None:
        """Waits until everything that is posted now is decided and everything decided is sent."""
        unsent = "SELECT (SELECT sum(outbox_seq) FROM shards) - (SELECT sum(relayed_seq) FROM relays)"
        self.await_left(lambda left: left == 0, within_s)
        assert await_true(lambda: self.rows(unsent)[0][0] == 0, within_s), self.logs()

    def _ends(self) -> dict[tuple[str, int], int]:
        places = [TopicPartition(topic.name, partition) for topic in INBOUND for partition in range(SHARDS)]
        consumer = Consumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed")
        ends = consumer.end_offsets(places)
        consumer.close()
        return {(place.topic, place.partition): end for place, end in ends.items()}

    def _left_of(self, ends: dict[tuple[str, int], int]) -> int:
        reached = {(row.topic, row.partition): row.next_offset for row in self.rows("SELECT * FROM offsets")}
        return sum(max(0, end - reached.get(place, 0)) for place, end in ends.items())

    def logs(self) -> str:
        """The end of what each process has said."""
        return "\n".join(f"{log.name}\n{tail(log)}" for log in sorted(self.folder.glob("*.log")))

    def committed(self, topic: str) -> list[Message]:
        """Every message of an outbound topic that a read_committed consumer sees, each partition in order."""
        consumer = Consumer(
            bootstrap_servers=self.bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=MESSAGE_BYTES_MAX,
        )
        messages: list[Message] = []
        places = [TopicPartition(topic, partition) for partition in range(SHARDS)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        deadline = time.monotonic() + 60.0
        while any(consumer.position(place) < ends[place] for place in places):
            assert time.monotonic() < deadline, f"{topic} is not read to its end"
            for records in consumer.poll(timeout_ms=1000).values():
                messages += [Message(each.partition, each.key, json.loads(each.value)) for each in records]
        consumer.close()
        return messages

    def of_claim(self, topic: str, claim_id: str) -> list[Json]:
        """The values of the messages about one claim, in order."""
        return [each.value for each in self.committed(topic) if each.value["claim_id"] == claim_id]


def shard_of_key(person_id: str) -> int:
    """The partition that Kafka's default partitioner gives a key."""
    return int((murmur2(person_id.encode()) & 0x7FFFFFFF) % SHARDS)


def person_of(shard: int, name: str) -> str:
    """A person's id, begun with a name, whose key belongs to a shard."""
    return next(each for number in count() if shard_of_key(each := f"{name}-{number}") == shard)


def encode(event: Json) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


class Post(NamedTuple):
    """One message to be posted; without a partition Kafka's default partitioner chooses."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


TOPIC = {
    "encounter.discharged": "hospital.discharges",
    "settlement.posted": "hospital.expenses",
    "coverage.recorded": "registry.coverages",
    "person.died": "registry.persons",
}


def to_post(event: Json, partition: int | None = None) -> Post:
    """An event as its sender should post it."""
    return Post(TOPIC[event["event_type"]], event["person_id"].encode(), encode(event), partition)


def post(bootstrap: str, posts: Iterable[Post], **options: object) -> list[int]:
    """Posts messages one after the other with a kafka-python producer; their offsets."""
    size = 9 * 1024 * 1024
    with Producer(bootstrap_servers=bootstrap, acks="all", max_request_size=size, **options) as producer:
        sent = [producer.send(p.topic, value=p.value, key=p.key, partition=p.partition) for p in posts]
        return [each.get(timeout=60).offset for each in sent]


@pytest.fixture(scope="module")
def spine(kafka: str, postgres_url: str) -> Iterator[Spine]:
    """A worker and a relay that run, with the sample policy."""
    with Spine(kafka, postgres_url) as spine:
        spine.publish()
        spine.start("worker")
        spine.start("relay")
        yield spine


def stay(person_id: str, encounter_id: str, copay: int, out_of_catalogue: int = 0) -> list[Json]:
    """A discharge and its final bill, in whole yuan."""
    return [
        discharge(encounter_id, person_id=person_id),
        bill(f"S-{encounter_id}", encounter_id, copay, out_of_catalogue=out_of_catalogue, person_id=person_id),
    ]


def insured(person_id: str) -> list[Json]:
    """The two coverages of the sample policy."""
    return [coverage(f"C-{person_id}-{category}", category, person_id=person_id) for category in ("member", "ordinary")]


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
    """Where the bad messages came to stand, and everything that was published when they had been taken in."""

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
    """Its bytes, place, code, pointers and sentences stand in the dead letter, the ledger and the audit, once each."""
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
