"""The names of an installation in Kafka: its prefix is before all of them, and none can be another installation's."""

from __future__ import annotations

import ast
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest

from infra.kafka import acls, client_security
from infra.kafka.names import KafkaNames
from infra.settings import Settings, SettingsError
from infra.settings_in_force import settings_in_force
from schemas.access.kafka_rights import KafkaRole, rules
from schemas.topics import COPIED, TOPICS, insurer_topic
from stream.inbound import worker
from stream.inbound.transport import InKafka
from tests.support.paths import REPOSITORY

CLIENTS = {"Producer", "_Producer", "Consumer", "AdminClient", "KafkaConsumer", "KafkaProducer", "KafkaAdminClient"}
INSURERS = [insurer_topic(name, of).name for name in ("insurer-a", "alerts", "events") for of in COPIED]
NAMES = [*(topic.name for topic in TOPICS), *INSURERS]


@pytest.fixture
def wuxi(monkeypatch: pytest.MonkeyPatch) -> KafkaNames:
    """A process of an installation with a prefix."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HUZHU_{name.upper()}", raising=False)
    monkeypatch.setenv("HUZHU_PREFIX", "wuxi.")
    return KafkaNames.in_force()


def test_names_are_translated_in_both_directions(wuxi: KafkaNames) -> None:
    """What the program calls a topic comes back, and a cluster's other topics are not taken for ours."""
    assert "wuxi.claims.decisions" == wuxi.in_kafka("claims.decisions")
    assert "claims.decisions" == wuxi.ours("wuxi.claims.decisions")
    assert ["alerts"] == wuxi.among(["alerts", "wuxi.alerts", "wuxi-2.alerts", "suzhou.wuxi.alerts"])
    assert "abc/wuxi." == wuxi.home("abc")


def test_without_a_prefix_all_names_are_as_they_were() -> None:
    """Also what a ledger is bound to."""
    names = KafkaNames()
    assert NAMES == [names.in_kafka(name) for name in NAMES] == [names.ours(name) for name in NAMES]
    assert "abc" == names.home("abc")


def test_no_two_installations_can_have_a_name_in_common() -> None:
    """Whatever their prefixes, also where one is named like the first word of a topic, and with any insurer."""
    words = {name.split(".")[0] for name in NAMES} | {"wuxi", "huzhu", "huzhu-relay-0"}
    for one, other in combinations(["", *(f"{word}." for word in sorted(words))], 2):
        assert not {one + name for name in NAMES} & {other + name for name in NAMES}, (one, other)


@pytest.mark.parametrize("prefix", ["", "wuxi.", "js-wuxi-2.", "3."])
def test_a_prefix_is_a_word_with_a_dot(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUZHU_PREFIX", prefix)
    assert prefix == KafkaNames.in_force().prefix


@pytest.mark.parametrize(
    "prefix", ["wuxi", ".", "a.b.", "Wuxi.", "wu_xi.", "-a.", "无锡.", " wuxi.", "wuxi.\n", "a" * 41 + "."]
)
def test_another_prefix_is_refused(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka takes fewer characters than people do, and a dot and an underscore for the same in its metrics."""
    monkeypatch.setenv("HUZHU_PREFIX", prefix)
    with pytest.raises(SettingsError, match=r"HUZHU_PREFIX: is at most 40 of .* such as wuxi\."):
        KafkaNames.in_force()


def test_rules_are_for_the_names_in_kafka(wuxi: KafkaNames) -> None:
    """All but a reader's own groups, which are named after its user: users are the cluster's."""
    for role in KafkaRole:
        plain = rules(role, "huzhu-worker", ["insurer-a"])
        named = acls.in_kafka(plain)
        assert [(each.resource, each.operation, each.prefixed, each.user) for each in plain] == [
            (each.resource, each.operation, each.prefixed, each.user) for each in named
        ]
        others = [(old.name, new.name) for old, new in zip(plain, named, strict=True) if new.name != f"wuxi.{old.name}"]
        assert set(others) <= {("huzhu-worker", "huzhu-worker")}
        own_groups = [rule for rule in plain if rule.resource == "group" and rule.prefixed]
        assert len(own_groups) == len(others)


def test_clients_are_named_after_their_installation(wuxi: KafkaNames) -> None:
    """So brokers' logs and quotas tell them apart."""
    assert "wuxi.huzhu" == client_security.confluent("a:1")["client.id"]
    assert "wuxi.huzhu" == client_security.kafka_python("a:1")["client_id"]
    assert "wuxi.huzhu" == client_security.faust("a:1")["broker_client_id"]


def test_a_worker_joins_its_installations_group(wuxi: KafkaNames, tmp_path: Any) -> None:
    """And reads its topics."""
    intake: Any = None
    app = worker.create_app(intake, "127.0.0.1:1", settings_in_force().settings, str(tmp_path))
    (agent,) = app.agents.values()
    channel: Any = agent.channel
    assert "wuxi.huzhu-worker" == app.conf.id
    assert {"wuxi"} == {name.split(".")[0] for name in channel.topics}


def test_the_ledgers_position_is_found_by_kafkas_names(wuxi: KafkaNames) -> None:
    """What the ledger has is dropped on its way from the broker, which names topics in its own way."""
    reached = {("hospital.expenses", 1): 7}
    intake: Any = SimpleNamespace(reads_backlog=True, reached=lambda *place: reached.get(place, 0))
    position = InKafka(intake, wuxi)
    assert (7, True) == (position.reached("wuxi.hospital.expenses", 1), position.reads_backlog)


def test_every_module_that_makes_a_client_of_kafka_translates_names() -> None:
    """Those that only ask about the cluster too: it is easier to see than which of them need it."""
    made, careless = [], []
    for room in ("infra", "acts", "stream", "web", "cli"):
        for file in (REPOSITORY / room).rglob("*.py"):
            if (REPOSITORY / "infra" / "servers") in file.parents:
                continue  # brokers of our own that are waited for
            tree = ast.parse(file.read_text("utf-8"))
            called = {getattr(each.func, "id", "") for each in ast.walk(tree) if isinstance(each, ast.Call)}
            if called & CLIENTS:
                made.append(file.name)
                if "KafkaNames" not in file.read_text("utf-8"):
                    careless.append(file.name)
    assert [] == careless
    assert {"relay.py", "forwarder.py", "topic_setup.py", "read_topic.py"} <= set(made)
