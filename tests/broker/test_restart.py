"""Whatever is killed, paused, stopped or started twice: every event counts once and every instruction goes out once."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from signal import Signals

import pytest
from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from sqlalchemy import Engine, create_engine, text

from handlers.offline.book import Book
from infra.population import generate
from infra.servers.local.kafka_server import LocalKafka
from schemas.decisions import to_json
from schemas.money import parse_yuan
from schemas.policy.policy_file import read_policies
from schemas.refusals import Refusal, RefusalCode
from schemas.topics import INBOUND, TOPICS
from stream.inbound.post import post
from stream.outbound.cursors import LEDGER_REFUSED
from tests.support import processes
from tests.support.builders import SHARDS, Json
from tests.support.outbox import waiting_messages
from tests.support.paths import WUXI
from tests.support.processes import decoded
from tests.support.servers import Admin, Consumer, await_true
from tests.support.spine import STOP_S_MAX, Message, Spine

SESSION_S = 6  # the least that Kafka allows
TROUBLE = 75
UNUSABLE = 2
QUICK = {"session_timeout": SESSION_S, "ledger_lease": 3}
IN_SMALL_STEPS = {**QUICK, "batch_events": 20, "relay_batch": 50}
PATIENT = {**IN_SMALL_STEPS, "session_timeout": 15, "ledger_lease": 60}


class Run:
    """A spine, and what an offline book makes of everything that was posted to it."""

    def __init__(self, spine: Spine) -> None:
        self.spine = spine
        self.book = Book()
        self.outcomes: Counter[str] = Counter()

    def post(self, events: Iterable[bytes]) -> None:
        """Posts events and returns when Kafka has them."""
        posted = list(events)
        for event in posted:
            outcome = self.book.take(event)
            self.outcomes[outcome.code if isinstance(outcome, Refusal) else outcome] += 1
        post(self.spine.bootstrap, posted)

    def post_and_await_middle(self, events: list[bytes]) -> None:
        """Posts events and returns when the worker has processed some of them."""
        self.post(events)
        self.spine.await_left(lambda left: left < len(events) * 3 / 4)

    def ensure(self, *names: str, **settings: object) -> None:
        """Starts those of the processes that do not run; the command is the name up to a dash."""
        for name in names:
            if name not in self.spine.pids or not self.spine.runs(name):
                self.spine.start(name.partition("-")[0], name, **settings)

    def await_members(self, number: int) -> list[list[tuple[str, int]]]:
        """Waits until so many workers are in a group that has come to rest; the partitions of each."""
        admin = AdminClient({"bootstrap.servers": self.spine.bootstrap})
        found: list[list[tuple[str, int]]] = []

        def at_rest() -> bool:
            (described,) = admin.describe_consumer_groups(["huzhu-worker"], request_timeout=5).values()
            try:
                group = described.result()
            except KafkaException:  # nobody has asked for the group yet
                return False
            found[:] = [[(p.topic, p.partition) for p in each.assignment.topic_partitions] for each in group.members]
            return group.state is ConsumerGroupState.STABLE and len(found) == number

        assert await_true(at_rest, 60.0), f"{found}\n{self.spine.logs()}"
        return found

    def assert_whole(self) -> None:
        """Everything that was posted is decided as offline, and everything decided is instructed, exactly once."""
        self.spine.await_idle()
        _assert_offsets_at_ends(self.spine)
        decisions = [each.value for each in self.spine.committed("claims.decisions")]
        last = {each["claim_id"]: each for each in decisions}
        policies = read_policies([WUXI])
        wanted: dict[str, Json] = {decision.claim_id: to_json(decision) for decision in self.book.decide(policies)}
        assert last.keys() == wanted.keys()
        for claim_id, decision in wanted.items():
            assert {name: last[claim_id][name] for name in decision} == decision
        _assert_numbered(((each["claim_id"],), each["revision"]) for each in decisions)

        payouts = [each.value for each in self.spine.committed("payouts.instructions")]
        assert [key for key, times in Counter(each["payout_id"] for each in payouts).items() if times > 1] == []
        _assert_numbered(((each["claim_id"], each["scheme_id"]), each["revision"]) for each in payouts)
        net: Counter[tuple[str, str]] = Counter()
        for each in payouts:
            sign = {"payment": 1, "recovery": -1}[each["kind"]]
            net[each["claim_id"], each["scheme_id"]] += sign * parse_yuan(each["amount"])
        due = {
            (claim_id, benefit["scheme_id"]): parse_yuan(benefit["benefit"])
            for claim_id, decision in wanted.items()
            for benefit in decision["benefits"]
        }
        assert {key: amount for key, amount in net.items() if amount} == {
            key: amount for key, amount in due.items() if amount
        }

        refused = Counter(each.value["code"] for each in self.spine.committed("claims.deadletter"))
        assert refused == {code: n for code, n in self.outcomes.items() if code in set(RefusalCode)}
        taken = _assert_chained(self.spine.committed("audit.events"))
        assert taken["event.refused"] == refused.total()
        for disposition in ("accepted", "duplicate", "stale"):
            assert taken[f"event.{disposition}"] == self.outcomes[disposition]
        assert taken["claim.decided"] == len(decisions)
        assert taken["payout.instructed"] == len(payouts)
        assert waiting_messages(self.spine.engine) == []


def _assert_offsets_at_ends(spine: Spine) -> None:
    consumer = Consumer(bootstrap_servers=spine.bootstrap)
    places = [TopicPartition(topic.name, partition) for topic in INBOUND for partition in range(SHARDS)]
    ends = {(place.topic, place.partition): end for place, end in consumer.end_offsets(places).items() if end}
    consumer.close()
    assert {(row.topic, row.partition): row.next_offset for row in spine.rows("SELECT * FROM offsets")} == ends


def _assert_numbered(numbered: Iterable[tuple[tuple[str, ...], int]]) -> None:
    """Under each key the numbers are 1, 2, 3... in this order."""
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for key, number in numbered:
        found[key].append(number)
    assert {key: list(range(1, len(numbers) + 1)) for key, numbers in found.items()} == found


def _assert_chained(audit: list[Message]) -> Counter[str]:
    """Each shard's entries have all numbers in order and every hash follows from the one before; entries by kind."""
    ends = dict.fromkeys(range(SHARDS), (0, "0" * 64))
    for partition, _, entry in audit:
        seq, prev_hash = ends[partition]
        assert (entry["shard"], entry["seq"], entry["prev_hash"]) == (partition, seq + 1, prev_hash)
        content = {name: value for name, value in entry.items() if name != "hash"}
        spelled = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert entry["hash"] == hashlib.sha256(spelled.encode()).hexdigest()
        ends[partition] = (entry["seq"], entry["hash"])
    return Counter(entry["kind"] for _, _, entry in audit)


def load(seed: int, persons: int, bad_share: float = 0.01) -> list[bytes]:
    """Events of a made-up city, without those that contradict another person's: whichever came first would win."""
    book = Book()
    events = []
    for event in generate(seed, persons, bad_share=bad_share):
        outcome = book.take(event)
        if not (isinstance(outcome, Refusal) and outcome.code is RefusalCode.PERSON_MISMATCH):
            events.append(event)
    return events


@pytest.fixture(scope="module")
def run(kafka: str, postgres_url: str) -> Iterator[Run]:
    """A ledger with the sample policy; each test starts what it needs."""
    with Spine(kafka, postgres_url) as spine:
        spine.publish()
        yield Run(spine)


def test_kills_lose_and_double_nothing(run: Run) -> None:
    """Worker and relay killed with -9 in the middle of a load, again and again, change nothing in the end."""
    events = load(seed=3, persons=900)
    assert len(events) >= 3000
    victims = [("worker",), ("relay",), ("worker", "relay"), ("relay", "worker"), ("worker",)]
    parts = [events[start :: len(victims)] for start in range(len(victims))]
    for part, names in zip(parts, victims, strict=True):
        run.ensure("worker", "relay", **IN_SMALL_STEPS)
        run.post_and_await_middle(part)
        for name in names:
            run.spine.kill(name)
    run.ensure("worker", "relay", **IN_SMALL_STEPS)
    run.assert_whole()
    assert run.outcomes["duplicate"] > 0
    assert sum(run.outcomes[code] for code in RefusalCode) > 0
    assert run.spine.rows("SELECT count(*) FROM instructions WHERE kind = 'recovery'")[0][0] > 0


def test_of_two_relays_one_stands_by(run: Run) -> None:
    """The older one gives way to the newer one, and takes over again when that one is gone; nothing is sent twice."""
    run.ensure("worker", "relay", **IN_SMALL_STEPS)
    first, second, third = (load(seed=4, persons=200)[start::3] for start in range(3))
    run.post_and_await_middle(first)
    run.ensure("relay-2", **IN_SMALL_STEPS)
    assert await_true(lambda: run.spine.log("relay-2").count("relaying from") == SHARDS), run.spine.log("relay-2")
    run.post(second)
    assert await_true(lambda: run.spine.log("relay").count("standing by") == SHARDS), run.spine.log("relay")
    run.spine.await_idle()
    run.spine.kill("relay-2")
    run.post(third)
    run.assert_whole()
    assert "taking over" in run.spine.log("relay")
    assert run.spine.runs("relay")
    run.spine.stop("relay")


def test_a_relay_that_slept_stands_by_too(run: Run) -> None:
    """A relay that was paused while another sent and cleared its messages sends none of them again."""
    run.ensure("worker", "relay-2", **IN_SMALL_STEPS)
    events = load(seed=5, persons=100)
    run.post(events[::2])
    run.spine.await_idle()
    run.spine.send("relay-2", Signals.SIGSTOP)
    run.ensure("relay-3", **IN_SMALL_STEPS)
    run.post(events[1::2])
    run.spine.await_idle()
    run.spine.send("relay-2", Signals.SIGCONT)
    run.post(load(seed=6, persons=20))
    assert await_true(lambda: "standing by" in run.spine.log("relay-2")), run.spine.log("relay-2")
    run.assert_whole()
    run.spine.stop("relay-2")
    run.spine.stop("relay-3")


def test_workers_share_and_take_over(run: Run) -> None:
    """Of three workers each partition has one, the same in every topic; two are killed, and the third takes over."""
    workers = ("worker", "worker-2", "worker-3")
    run.ensure(*workers, "relay", **IN_SMALL_STEPS)
    held = run.await_members(len(workers))
    assert sorted(chain.from_iterable(held)) == sorted((topic.name, s) for topic in INBOUND for s in range(SHARDS))
    assert sum(len({shard for _, shard in each}) for each in held) == SHARDS
    run.post_and_await_middle(load(seed=7, persons=300))
    run.spine.kill("worker")
    run.spine.kill("worker-2")
    run.assert_whole()
    run.spine.stop("worker-3")


TAKEN = (
    "CREATE TABLE taken (shard int, reached bigint)",
    """
    CREATE FUNCTION note_taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO taken SELECT NEW.shard, coalesce(sum(next_offset), 0) FROM offsets WHERE partition = NEW.shard;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER note_taken AFTER UPDATE OF epoch ON shards FOR EACH ROW EXECUTE FUNCTION note_taken()",
)
"""Notes how far each shard is when a worker takes it."""


def test_a_worker_that_joins_gets_its_part_of_a_backlog(run: Run) -> None:
    """A worker that has much to read ends with its transaction when another one joins, which then reads the rest."""
    for name in [name for name in run.spine.pids if name.startswith("worker") and run.spine.runs(name)]:
        run.spine.stop(name)
    held_before = sum(epoch for (epoch,) in run.spine.rows("SELECT epoch FROM shards"))
    run.ensure("worker-early", "relay", **PATIENT)
    run.await_members(1)
    # In the group is not yet in the ledger: a worker that still takes its shards would wait for the lock below.
    assert await_true(
        lambda: sum(epoch for (epoch,) in run.spine.rows("SELECT epoch FROM shards")) >= held_before + SHARDS, 60.0
    ), run.spine.logs()
    plain = create_engine(run.spine.url)  # nothing ends its transaction when it rests
    with plain.begin() as connection:
        for statement in TAKEN:
            connection.execute(text(statement))
    with plain.begin() as connection:
        connection.execute(text("SELECT 1 FROM shards WHERE shard = 0 FOR UPDATE"))  # holds up the worker
        run.post(load(seed=12, persons=400))
        run.ensure("worker-late", **PATIENT)
        gives_way = "ends with its transaction"
        assert await_true(lambda: gives_way in run.spine.log("worker-early"), 150.0), run.spine.logs()
    plain.dispose()
    run.await_members(2)
    run.assert_whole()
    ends = dict(run.spine.rows("SELECT partition, sum(next_offset) FROM offsets GROUP BY partition"))
    taken = dict(run.spine.rows("SELECT shard, min(reached) FROM taken GROUP BY shard"))
    assert 0 < len(taken) < SHARDS
    assert all(reached < ends[shard] for shard, reached in taken.items()), f"{taken} of {ends}"
    for name in ("worker-early", "worker-late"):
        run.spine.stop(name)


def test_a_paused_worker_does_no_harm(run: Run) -> None:
    """A worker that slept through its session finds its shards taken, gives way, and later takes over itself."""
    run.ensure("worker", "relay", **IN_SMALL_STEPS)
    events = load(seed=8, persons=300)
    run.post_and_await_middle(events[::3])
    run.spine.send("worker", Signals.SIGSTOP)
    run.ensure("worker-2", **IN_SMALL_STEPS)
    run.post(events[1::3])
    run.spine.await_left(lambda left: left == 0)
    run.spine.send("worker", Signals.SIGCONT)
    run.await_members(2)
    run.post_and_await_middle(events[2::3])
    run.spine.kill("worker-2")
    run.assert_whole()
    assert run.spine.stop("worker") < STOP_S_MAX


def test_sigterm_ends_in_good_order(run: Run) -> None:
    """SIGTERM in the middle of a long catch-up ends worker and relay soon and with status 0; the next ones go on."""
    events = load(seed=9, persons=1500)
    run.post(events)
    run.ensure("worker", "relay", **IN_SMALL_STEPS)
    run.spine.await_left(lambda left: left < len(events) - 500)
    took = run.spine.stop("worker"), run.spine.stop("relay")
    assert run.spine.left() > 0, "the worker was through before it was asked to stop"
    assert max(took) < STOP_S_MAX
    run.ensure("worker", "relay", **QUICK)
    run.assert_whole()


def test_an_older_ledger_sends_nothing(run: Run, ledger_url: str) -> None:
    """A worker or relay whose ledger has not sent what Kafka holds, as a restored copy, says so and sends nothing."""
    run.ensure("worker", "relay", **QUICK)
    run.post(load(seed=10, persons=20))
    run.spine.await_idle()
    before = len(run.spine.committed("audit.events"))
    for command in ("relay", "worker"):
        ended = huzhu(run.spine.bootstrap, command, database_url=ledger_url)
        assert ended.returncode == LEDGER_REFUSED
        assert "what Kafka holds was sent by ledger" in ended.stderr
        assert "huzhu ledger adopt" in ended.stderr
    assert len(run.spine.committed("audit.events")) == before


@pytest.mark.parametrize("command", ["worker", "relay"])
def test_another_clusters_ledger_is_refused(command: str, kafka: str, ledger: Engine) -> None:
    """A process whose ledger belongs to another cluster says so in one sentence and changes nothing."""
    ended = huzhu(kafka, command, database_url=ledger.url.render_as_string(hide_password=False))
    assert ended.returncode == UNUSABLE
    (said,) = ended.stderr.splitlines()
    assert said.startswith("this ledger was made for kafka_cluster_id no-cluster, but HUZHU_KAFKA_BOOTSTRAP leads to ")
    assert said.endswith(": correct HUZHU_KAFKA_BOOTSTRAP or HUZHU_DATABASE_URL; nothing was written")


@pytest.fixture(scope="module")
def bare_kafka() -> Iterator[str]:
    """A Kafka without topics, for the tests that spoil them."""
    with LocalKafka.start() as running:
        yield running.bootstrap


@pytest.mark.parametrize("command", ["worker", "relay"])
def test_a_missing_topic_is_named_with_the_remedy(command: str, bare_kafka: str, ledger_url: str) -> None:
    """On a cluster without topics the process ends, naming each topic and the command that makes them."""
    ended = huzhu(bare_kafka, command, database_url=ledger_url)
    assert ended.returncode == UNUSABLE
    *missing, remedy = ended.stderr.splitlines()
    assert missing == [f"{topic.name}: topic is missing, declared present" for topic in TOPICS]
    assert remedy.startswith("run `huzhu topics apply`")


def test_topics_are_made_and_checked(bare_kafka: str) -> None:
    """`topics apply` makes what is missing, twice does nothing, and `topics check` names each difference."""
    before = huzhu(bare_kafka, "topics", "check")
    assert (before.returncode, len(before.stderr.splitlines())) == (1, len(TOPICS))
    with Admin(bootstrap_servers=bare_kafka) as admin:  # as from a careless hand: one partition, kept for an hour
        odd = {"num_partitions": 1, "replication_factor": 1, "configs": {"retention.ms": "3600000"}}
        admin.create_topics({"alerts": odd})
    made = huzhu(bare_kafka, "topics", "apply")
    assert made.returncode == 0
    names = [topic.name for topic in TOPICS if topic.name != "alerts"]
    assert made.stdout.splitlines() == [f"created {name} with {SHARDS} partitions" for name in names]
    again = huzhu(bare_kafka, "topics", "apply")
    assert (again.returncode, again.stdout) == (0, "all topics exist\n")
    differences = huzhu(bare_kafka, "topics", "check")
    assert differences.returncode == 1
    assert set(differences.stderr.splitlines()) >= {
        f"alerts: number of partitions is 1, declared {SHARDS}",
        "alerts: retention.ms is 3600000, declared -1",
    }
    assert {line.partition(":")[0] for line in differences.stderr.splitlines()} == {"alerts"}
    with Admin(bootstrap_servers=bare_kafka) as admin:
        admin.delete_topics(["alerts"])
    assert await_true(lambda: huzhu(bare_kafka, "topics", "apply").stdout.startswith("created alerts"))
    after = huzhu(bare_kafka, "topics", "check")
    assert (after.returncode, after.stdout) == (0, "all topics are as declared\n")


def _configure(bootstrap: str, topic: str, **values: str) -> None:
    with Admin(bootstrap_servers=bootstrap) as admin:
        names = {name.replace("_", "."): value for name, value in values.items()}
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, names)])


def test_a_shorter_retention_keeps_nothing_from_starting(bare_kafka: str, postgres_url: str) -> None:
    """Topics that are kept for a day, as the documents allow: worker and relay say so and work."""
    huzhu(bare_kafka, "topics", "apply")
    for topic in ("alerts", "hospital.expenses"):
        _configure(bare_kafka, topic, retention_ms="86400000")
    said = "alerts: retention.ms is 86400000, declared -1; going on"
    with Spine(bare_kafka, postgres_url) as spine:
        spine.publish()
        spine.start("worker", "worker", **QUICK)
        spine.start("relay", "relay", **QUICK)
        post(bare_kafka, load(seed=11, persons=3))
        spine.await_idle()
        assert spine.committed("audit.events")
        for name in ("worker", "relay"):
            assert said in (spine.folder / f"{name}.log").read_text()
            spine.stop(name)
    reported = huzhu(bare_kafka, "topics", "check")
    assert (reported.returncode, len(reported.stderr.splitlines())) == (1, 2)


@pytest.mark.parametrize(
    "spoilt", [{"cleanup_policy": "compact"}, {"max_message_bytes": "1048576"}, {"cleanup_policy": "compact,delete"}]
)
def test_a_topic_that_loses_messages_keeps_the_relay_from_starting(
    spoilt: dict[str, str], bare_kafka: str, ledger_url: str
) -> None:
    """One that is compacted would drop instructions, one with small messages could not take a dead letter."""
    huzhu(bare_kafka, "topics", "apply")
    _configure(bare_kafka, "payouts.instructions", **spoilt)
    ended = huzhu(bare_kafka, "relay", database_url=ledger_url)
    assert ended.returncode == UNUSABLE
    assert next(iter(spoilt)).replace("_", ".") in ended.stderr
    assert "retention" not in ended.stderr


def huzhu(bootstrap: str, *command: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Runs a `huzhu` command that ends by itself."""
    known = {"kafka_bootstrap": bootstrap, "shards": SHARDS, **settings}
    variables = {f"HUZHU_{name.upper()}": str(value) for name, value in known.items()}
    return decoded(processes.command(*command, environment=variables))
