"""Settings of TLS and SASL fit together or are refused; secrets stay secret; no Kafka client is made without them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from infra.kafka import client_security
from infra.kafka.client_security import KafkaSecurity
from infra.settings import Settings, SettingsError
from schemas.access.kafka_rights import ROLE_OF, KafkaRole, rules
from schemas.topics import COPIED, INBOUND, OUTBOUND, TOPICS, own_prefix
from tests.support.certificates import issued
from tests.support.paths import REPOSITORY

CLIENTS = {"Producer", "Consumer", "AdminClient", "KafkaConsumer", "KafkaProducer", "KafkaAdminClient", "App", "_App"}
BASE = {"HUZHU_KAFKA_BOOTSTRAP": "broker:9093"}
SASL = {
    **BASE,
    "HUZHU_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "HUZHU_KAFKA_SASL_USERNAME": "worker",
    "HUZHU_KAFKA_SASL_PASSWORD": "t0p-secret",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without any setting of this machine."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HUZHU_{name.upper()}", raising=False)
    return monkeypatch


def given(environment: pytest.MonkeyPatch, settings: dict[str, str]) -> KafkaSecurity:
    for name, value in settings.items():
        environment.setenv(name, value)
    return KafkaSecurity.in_force()


def test_nothing_set_is_plaintext(environment: pytest.MonkeyPatch) -> None:
    """As before there were such settings."""
    given(environment, {})
    assert client_security.confluent("a:1,b:2") == {"bootstrap.servers": "a:1,b:2", "security.protocol": "PLAINTEXT"}
    assert client_security.kafka_python("a:1,b:2") == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "PLAINTEXT",
    }
    assert client_security.faust("a:1,b:2") == {"broker": ["aiokafka://a:1", "aiokafka://b:2"]}


def test_every_client_gets_user_password_and_authority(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Three libraries spell the same thing in three ways."""
    authority = str(issued(tmp_path).authority)
    given(environment, {**SASL, "HUZHU_KAFKA_CA": authority})
    assert client_security.confluent("a:1") == {
        "bootstrap.servers": "a:1",
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": authority,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "worker",
        "sasl.password": "t0p-secret",
    }
    python = client_security.kafka_python("a:1")
    assert python["ssl_context"].check_hostname
    assert (python["sasl_mechanism"], python["sasl_plain_username"]) == ("SCRAM-SHA-512", "worker")
    assert python["sasl_plain_password"] == "t0p-secret"
    credentials = client_security.faust("a:1")["broker_credentials"]
    assert (credentials.protocol.value, credentials.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (credentials.username, credentials.password) == ("worker", "t0p-secret")
    assert credentials.ssl_context.check_hostname


def test_a_certificate_can_stand_for_a_user(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SSL with a certificate of one's own, and no password at all."""
    pems = issued(tmp_path)
    own = {"HUZHU_KAFKA_CERT": str(pems.admin), "HUZHU_KAFKA_KEY": str(pems.admin)}
    given(environment, {**BASE, **own, "HUZHU_KAFKA_SECURITY_PROTOCOL": "SSL", "HUZHU_KAFKA_CA": str(pems.authority)})
    assert client_security.confluent("a:1")["ssl.key.location"] == str(pems.admin)
    assert "sasl_mechanism" not in client_security.kafka_python("a:1")
    assert client_security.faust("a:1")["broker_credentials"].protocol.value == "SSL"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"HUZHU_KAFKA_SECURITY_PROTOCOL": "TLS"}, "HUZHU_KAFKA_SECURITY_PROTOCOL: Input should be 'PLAINTEXT'"),
        ({"HUZHU_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}, "HUZHU_KAFKA_SASL_USERNAME: goes with SASL_SSL"),
        ({"HUZHU_KAFKA_SASL_USERNAME": ""}, "HUZHU_KAFKA_SASL_USERNAME: is needed with"),
        ({"HUZHU_KAFKA_SASL_PASSWORD": None}, "HUZHU_KAFKA_SASL_PASSWORD: is needed with"),
        (
            {"HUZHU_KAFKA_SASL_PASSWORD": None, "HUZHU_KAFKA_SASL_PASSWORD_FILE": "/gone"},
            "HUZHU_KAFKA_SASL_PASSWORD_FILE: the file cannot be read (No such file or directory)",
        ),
        ({"HUZHU_KAFKA_CA": "/gone"}, "HUZHU_KAFKA_CA: the file cannot be read"),
        ({"HUZHU_KAFKA_CERT": __file__}, "HUZHU_KAFKA_CERT: a certificate and its HUZHU_KAFKA_KEY go together"),
        ({"HUZHU_KAFKA_BOOTSTRAP": None}, "HUZHU_KAFKA_BOOTSTRAP: is needed with"),
    ],
)
def test_settings_that_do_not_fit_are_named(
    change: dict[str, str | None], said: str, environment: pytest.MonkeyPatch
) -> None:
    """The variable and what to do; the secret is not in the message."""
    merged = {**SASL, **change}
    with pytest.raises(SettingsError) as caught:
        given(environment, {name: value for name, value in merged.items() if value is not None})
    assert str(caught.value).startswith(said)
    assert "t0p-secret" not in str(caught.value)


def test_a_file_that_is_no_certificate_is_named(environment: pytest.MonkeyPatch) -> None:
    """Said at the start and not when the first client is made."""
    with pytest.raises(SettingsError, match="not usable as PEM"):
        given(environment, {**SASL, "HUZHU_KAFKA_CA": __file__})


def test_the_password_is_in_no_repr(environment: pytest.MonkeyPatch) -> None:
    """Nor in the JSON of the settings."""
    security = given(environment, SASL)
    shown = (repr(security), str(security), repr(security.settings), security.settings.model_dump_json())
    assert not any("t0p-secret" in each for each in shown)
    assert "t0p-secret" not in repr(client_security.faust("a:1")["broker_credentials"])


def test_no_kafka_client_is_made_without_these_settings() -> None:
    """Whoever makes a client in the product spreads what `infra.kafka.client_security` gives into its configuration."""
    made, careless = 0, []
    for room in ("schemas", "handlers", "infra", "acts", "stream", "web", "cli"):
        for file in (REPOSITORY / room).rglob("*.py"):
            if (REPOSITORY / "infra" / "servers") in file.parents:
                continue  # servers of our own that are waited for
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in CLIENTS:
                    made += 1
                    if "**client_security." not in ast.unparse(node):
                        careless.append(f"{file.relative_to(REPOSITORY)}:{node.lineno}")
    assert [] == careless
    assert made >= 6


READERS = (KafkaRole.HOSPITAL, KafkaRole.INSURER, KafkaRole.LEAD, KafkaRole.AUDITOR)


def test_every_writer_and_reader_has_a_role() -> None:
    """But for the console, which reads the ledger."""
    words = {word.strip() for topic in TOPICS for each in (topic.writer, topic.readers) for word in each.split(",")}
    assert words - {"console"} == set(ROLE_OF)


def test_each_role_may_do_what_the_topics_say_and_no_more() -> None:
    """Only the worker reads what comes in, only the relay writes what goes out, and nobody may do everything.

    The worker of an adopted ledger reads the audit log. The relay also sends refused events again, and reads what it
    sent when Kafka forgot to mark it as committed. A lead reads its own topics alone.
    """
    found = {role: set(rules(role, f"u-{role}", ["insurer-a"])) for role in KafkaRole}
    writers = {
        t.name: {r for r in KafkaRole for x in found[r] if (x.name, x.operation) == (t.name, "WRITE")} for t in TOPICS
    }
    readers = {
        t.name: {r for r in KafkaRole for x in found[r] if (x.name, x.operation) == (t.name, "READ")} for t in TOPICS
    }
    assert all(readers[topic.name] == {KafkaRole.WORKER} for topic in INBOUND)
    assert all(writers[topic.name] == {KafkaRole.RELAY} for topic in OUTBOUND)
    assert writers["hospital.expenses"] == {KafkaRole.HOSPITAL, KafkaRole.GATEWAY, KafkaRole.RELAY}
    assert writers["payouts.results"] == {KafkaRole.INSURER, KafkaRole.LEAD, KafkaRole.GATEWAY, KafkaRole.RELAY}
    assert readers["payouts.instructions"] == {KafkaRole.INSURER, KafkaRole.RELAY}
    assert readers["audit.events"] == {KafkaRole.AUDITOR, KafkaRole.RELAY, KafkaRole.WORKER}
    for_auditors = ("claims.deadletter", "alerts", "insurance.statements")
    assert all(readers[name] == {KafkaRole.AUDITOR, KafkaRole.RELAY} for name in for_auditors)
    assert {rule.user for rule in found[KafkaRole.INSURER]} == {"u-insurer"}
    own = {rule.name for rule in found[KafkaRole.LEAD] if (rule.resource, rule.operation) == ("topic", "READ")}
    assert own == {"payouts.instructions.insurer-a", "insurance.statements.insurer-a"}
    for prefix in map(own_prefix, COPIED):
        of_insurers = {role for role in KafkaRole for rule in found[role] if rule.name.startswith(prefix)}
        assert of_insurers == {KafkaRole.LEAD, KafkaRole.RELAY, KafkaRole.WORKER}
        assert {KafkaRole.RELAY} == {
            role for role in KafkaRole for rule in found[role] if rule.name == prefix and rule.operation == "WRITE"
        }
    groups = {
        (role, rule.name) for role in KafkaRole for rule in found[role] if rule.resource == "group" and rule.prefixed
    }
    assert groups == {(role, f"u-{role}") for role in READERS}
