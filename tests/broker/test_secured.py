"""The whole spine on a Kafka with TLS, SCRAM users and an authorizer: enough with least privilege, nothing without."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient, UserScramCredentialUpsertion
from kafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from handlers.health.status_line import Concern
from infra.kafka import client_security
from infra.servers.local.broker_security import MECHANISM, BrokerSecurity
from infra.servers.local.kafka_server import LocalKafka
from schemas.access.kafka_rights import KafkaRole, rules
from schemas.dates import shanghai_date
from schemas.topics import ANSWERS, DECISIONS, INSTRUCTIONS, STATEMENTS, insurer_topic
from stream.outbound.read_topic import read_topic
from tests.support.builders import SHARDS, answer, encode, report
from tests.support.certificates import issued
from tests.support.posting import insured, stay
from tests.support.processes import command
from tests.support.servers import await_true
from tests.support.spine import Spine
from tests.support.treaties import VILLAGE, treaty_text

USERS = [role.value for role in KafkaRole]
IDLE_S_MAX = 120.0


@dataclass(frozen=True)
class Secured:
    """A secured cluster with all topics, rules and users."""

    kafka: LocalKafka
    folder: Path
    security: BrokerSecurity

    def password_file(self, user: str) -> Path:
        return self.folder / f"{user}.password"

    def settings_of(self, user: str) -> dict[str, str]:
        """What the process of a user finds in its environment."""
        return {
            "HUZHU_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "HUZHU_SHARDS": str(SHARDS),
            "HUZHU_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "HUZHU_KAFKA_SASL_USERNAME": user,
            "HUZHU_KAFKA_SASL_PASSWORD_FILE": str(self.password_file(user)),
            "HUZHU_KAFKA_CA": str(self.security.authority),
        }

    def administrator(self) -> dict[str, str]:
        """A certificate instead of a password."""
        return {
            "HUZHU_KAFKA_BOOTSTRAP": self.kafka.nodes[0].administered_at,
            "HUZHU_SHARDS": str(SHARDS),
            "HUZHU_KAFKA_SECURITY_PROTOCOL": "SSL",
            "HUZHU_KAFKA_CA": str(self.security.authority),
            "HUZHU_KAFKA_CERT": str(self.security.admin),
            "HUZHU_KAFKA_KEY": str(self.security.admin),
        }


def huzhu(environment: dict[str, str], *words: str | Path, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return command(*words, environment=environment, data=data)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A Kafka whose administrator has made the topics, a user for each role, and the rules that Huzhu prints."""
    folder = tmp_path_factory.mktemp("secured")
    security = issued(folder)
    with LocalKafka.start(security=security) as running:
        cluster = Secured(running, folder, security)
        assert huzhu(cluster.administrator(), "topics", "apply").returncode == 0
        users = [*USERS, "insurer-a", "insurer-b", "stranger"]
        for user in users:
            cluster.password_file(user).write_text(f"secret-of-{user}\n")
        with pytest.MonkeyPatch.context() as patch:
            for name, value in cluster.administrator().items():
                patch.setenv(name, value)
            client: Any = KafkaAdminClient(**client_security.kafka_python(running.nodes[0].administered_at))
            wanted = [UserScramCredentialUpsertion(user, MECHANISM, f"secret-of-{user}") for user in users]
            assert set(client.alter_user_scram_credentials(wanted).values()) == {None}
            client.close()
        yield cluster


@pytest.fixture(scope="module")
def allowed(secured: Secured) -> Secured:
    """The same, with the rules in force."""
    done = huzhu(secured.administrator(), "topics", "acl", "--apply")
    assert done.returncode == 0, done.stderr
    every = [role for role in KafkaRole if role is not KafkaRole.LEAD]
    assert len(done.stdout.splitlines()) == sum(len(rules(role, role.value)) for role in every)
    return secured


def as_user(cluster: Secured, user: str, patch: pytest.MonkeyPatch) -> None:
    """This process becomes the user, for clients that are made from now on."""
    for name, value in cluster.settings_of(user).items():
        patch.setenv(name, value)


def test_without_rules_nothing_is_allowed(secured: Secured) -> None:
    """A known user without rules can neither post nor see that there are topics; the message says so."""
    done = huzhu(secured.settings_of("hospital"), "post", "-", data=encode(insured("P1")[0]))
    assert done.returncode == 75
    assert b"TOPIC_AUTHORIZATION_FAILED" in done.stderr or b"not all events were acknowledged" in done.stderr
    assert b"Traceback" not in done.stderr
    checked = huzhu(secured.settings_of("worker"), "topics", "check")
    assert checked.returncode == 1
    assert b"topic is missing" in checked.stderr


STRANGERS: dict[str, dict[str, str | None]] = {
    "an unknown user": {"HUZHU_KAFKA_SASL_USERNAME": "nobody"},
    "an authority that did not sign": {"HUZHU_KAFKA_CA": None},
    "no TLS": dict.fromkeys(
        (
            "HUZHU_KAFKA_SECURITY_PROTOCOL",
            "HUZHU_KAFKA_SASL_USERNAME",
            "HUZHU_KAFKA_SASL_PASSWORD_FILE",
            "HUZHU_KAFKA_CA",
        )
    ),
}


def test_a_stranger_is_told_and_nothing_is_shown(allowed: Secured) -> None:
    """Wrong user, authority or protocol: one message with what to check, and never the password."""

    def tried(wrong: dict[str, str | None]) -> subprocess.CompletedProcess[bytes]:
        merged = {**allowed.settings_of("worker"), **wrong}
        return huzhu({name: value for name, value in merged.items() if value is not None}, "topics", "check")

    with ThreadPoolExecutor() as pool:  # each gives up after kafka-python's 30 s
        for name, done in zip(STRANGERS, pool.map(tried, STRANGERS.values()), strict=True):
            said = done.stderr.decode()
            assert (name, done.returncode) == (name, 75), said
            assert "docs/security.md" in said
            assert "Traceback" not in said
            assert "secret-of-" not in said


@pytest.fixture(scope="module")
def spine(allowed: Secured, postgres_url: str) -> Iterator[Spine]:
    """A worker and a relay, each as its own user, and the sample policy."""
    with pytest.MonkeyPatch.context() as patch, Spine(allowed.kafka.bootstrap, postgres_url) as running:
        as_user(allowed, "worker", patch)
        running.publish()
        for user in ("worker", "relay"):
            running.start(user, **own_settings(allowed, user))
        yield running


def own_settings(cluster: Secured, user: str) -> dict[str, str]:
    return {name.removeprefix("HUZHU_").lower(): value for name, value in cluster.settings_of(user).items()}


def posted(cluster: Secured, user: str, *events: Any) -> subprocess.CompletedProcess[bytes]:
    return huzhu(cluster.settings_of(user), "post", "-", data=b"\n".join(encode(event) for event in events))


def test_the_spine_runs_with_least_privilege(spine: Spine, allowed: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registry and hospital post, worker and relay decide and send, an insurer reads, pays and reports."""
    assert posted(allowed, "registry", *insured("P1")).returncode == 0
    done = posted(allowed, "hospital", *stay("P1", "E1", 5000))
    assert done.returncode == 0, done.stderr
    sent = "SELECT (SELECT sum(outbox_seq) FROM shards) = (SELECT sum(relayed_seq) FROM relays)"
    decided = "SELECT count(*) FROM claims WHERE claim_id = 'E1' AND status = 'adjudicated'"
    assert await_true(lambda: spine.rows(decided)[0][0] == 1 and bool(spine.rows(sent)[0][0]), IDLE_S_MAX), spine.logs()
    as_user(allowed, "insurer", monkeypatch)
    (order,) = [
        each for each in map(json.loads, read_topic(spine.bootstrap, INSTRUCTIONS)) if each["kind"] == "payment"
    ][:1]
    assert order["claim_id"] == "E1"
    assert posted(allowed, "insurer", report(order["payout_id"], person_id="P1")).returncode == 0
    reported = "SELECT count(*) FROM facts WHERE kind = 'payout'"
    assert await_true(lambda: spine.rows(reported)[0][0] == 1, IDLE_S_MAX), spine.logs()
    said = spine.logs() + "".join(map(str, spine.pids))
    assert "secret-of-" not in said
    for pid in spine.pids.values():
        assert b"secret-of-" not in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_an_insurer_reads_what_it_pays_and_nothing_else(
    spine: Spine, allowed: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two insurers lead treaties: neither can read the other's topic or everybody's, over SASL with a rule for each."""
    administrator = {**allowed.administrator(), "HUZHU_DATABASE_URL": spine.url}
    for insurer, scheme in (("insurer-a", VILLAGE), ("insurer-b", "self_pay_assistance")):
        treaty = tmp_path / f"{insurer}.toml"
        treaty.write_text(treaty_text(insurer, insurer, "2000-01-01", "2100-01-01", (scheme,)))
        words: tuple[str | Path, ...] = ("treaty", "publish", treaty, "--operator", "li.na", "--yes")
        assert huzhu(administrator, *words).returncode == 0
        words = ("topics", "acl", "--role", "lead", "--insurer", insurer, "--user", insurer, "--apply")
        assert huzhu(allowed.administrator(), *words).returncode == 0
    topics = {insurer: insurer_topic(insurer) for insurer in ("insurer-a", "insurer-b")}
    assert posted(allowed, "registry", *insured("P7")).returncode == 0
    assert posted(allowed, "hospital", *stay("P7", "E7", 5000)).returncode == 0
    as_user(allowed, "insurer-a", monkeypatch)
    assert await_true(lambda: bool(list(read_topic(spine.bootstrap, topics["insurer-a"]))), IDLE_S_MAX), spine.logs()
    orders = [json.loads(value) for value in read_topic(spine.bootstrap, topics["insurer-a"])]
    assert {("insurer-a", "E7")} == {(order["payer"], order["claim_id"]) for order in orders}
    for topic in (topics["insurer-b"], INSTRUCTIONS, DECISIONS, STATEMENTS, insurer_topic("insurer-b", STATEMENTS)):
        with pytest.raises(LookupError, match="may not read it"):
            list(read_topic(spine.bootstrap, topic))
    assert posted(allowed, "insurer-a", report(orders[0]["payout_id"], person_id="P7"), answer()).returncode == 0
    with pytest.raises(TopicAuthorizationFailedError):
        list(read_topic(spine.bootstrap, ANSWERS))
    as_user(allowed, "insurer-b", monkeypatch)
    with pytest.raises(LookupError, match="may not read it"):
        list(read_topic(spine.bootstrap, topics["insurer-a"]))
    assert [] == list(read_topic(spine.bootstrap, topics["insurer-b"]))
    assert [] == list(read_topic(spine.bootstrap, insurer_topic("insurer-b", STATEMENTS)))


def test_a_worker_s_rights_are_enough_to_ask_how_it_is(spine: Spine, allowed: Secured) -> None:
    """A monitor uses its Kafka user: all is told, and nothing is unknown; a stranger's is told what it may not see."""
    ledger = {"HUZHU_DATABASE_URL": spine.url}

    def wells(user: str) -> dict[str, set[bool | None]]:
        done = huzhu({**allowed.settings_of(user), **ledger}, "status", "--json")
        assert b"" == done.stderr
        lines = json.loads(done.stdout)["lines"]
        return {name: {each["well"] for each in lines if each["concern"] == name} for name in Concern}

    assert await_true(lambda: {True} == set().union(*wells("worker").values()), IDLE_S_MAX), wells("worker")
    of_stranger = wells("stranger")
    assert {False} == of_stranger[Concern.KAFKA]
    assert {None} == of_stranger[Concern.WORKERS]


def test_a_timer_closes_days_and_posts_nothing_else(spine: Spine, allowed: Secured) -> None:
    """A user of the role is enough for `huzhu day close`, and nobody else may."""
    yesterday = shanghai_date(datetime.now(UTC)) - timedelta(days=1)
    ledger, words = {"HUZHU_DATABASE_URL": spine.url}, ("day", "close", str(yesterday))
    refused = huzhu({**allowed.settings_of("hospital"), **ledger}, *words)
    assert refused.returncode == 75
    assert b"AUTHORIZATION_FAILED" in refused.stderr
    done = huzhu({**allowed.settings_of("timer"), **ledger}, *words)
    assert done.returncode == 0, done.stderr
    days = "SELECT count(*) FROM closed_days"
    assert await_true(lambda: spine.rows(days)[0][0] == SHARDS, IDLE_S_MAX), spine.logs()
    assert posted(allowed, "timer", insured("P8")[0]).returncode == 75


def test_the_gateway_posts_for_all(spine: Spine, allowed: Secured) -> None:
    """Its one user forwards what hospitals and registries sent over HTTP."""
    assert posted(allowed, "gateway", *insured("P2"), *stay("P2", "E2", 5000)).returncode == 0


@pytest.mark.parametrize(
    ("user", "event"),
    [
        ("insurer", stay("P3", "E3", 5000)[1]),
        ("hospital", insured("P3")[0]),
        ("auditor", stay("P3", "E3", 5000)[0]),
        ("insurer", answer()),
    ],
    ids=["an insurer posts a bill", "a hospital posts a coverage", "an auditor posts", "who pays for the fund answers"],
)
def test_nobody_posts_what_is_not_theirs(user: str, event: Any, allowed: Secured) -> None:
    """The broker refuses, and the message says that it was about rights."""
    done = posted(allowed, user, event)
    assert done.returncode == 75
    assert b"AUTHORIZATION_FAILED" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("user", "topic"),
    [("hospital", INSTRUCTIONS), ("insurer", DECISIONS)],
    ids=lambda each: str(getattr(each, "name", each)),
)
def test_nobody_reads_what_is_not_theirs(
    user: str, topic: Any, allowed: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hospital sees no instructions, an insurer no decisions: the broker does not even describe the topic."""
    as_user(allowed, user, monkeypatch)
    with pytest.raises(LookupError, match="may not read it"):
        list(read_topic(allowed.kafka.bootstrap, topic))
    consumer = Consumer({**client_security.confluent(allowed.kafka.bootstrap), "group.id": f"{user}-probe"})
    error = consumer.list_topics(topic.name, timeout=30).topics[topic.name].error
    consumer.close()
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_group_of_another_name_is_refused(allowed: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader's consumer groups begin with its user's name, so no two programs disturb each other."""
    as_user(allowed, "insurer", monkeypatch)
    options = client_security.kafka_python(allowed.kafka.bootstrap)
    own: Any = KafkaConsumer(group_id="insurer-payouts", metadata_max_age_ms=1_000, **options)
    # One that joins before it knows the topic's partitions gets none, and may not look again.
    assert await_true(lambda: bool(own.partitions_for_topic(INSTRUCTIONS.name)))
    own.subscribe([INSTRUCTIONS.name])

    def joined() -> bool:
        own.poll(timeout_ms=200)
        return bool(own.assignment())

    assert await_true(joined)
    own.close()
    other: Any = KafkaConsumer(INSTRUCTIONS.name, group_id="other", **options)
    with pytest.raises(GroupAuthorizationFailedError):
        other.poll(timeout_ms=20_000)
    other.close()
