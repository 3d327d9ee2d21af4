"""Each insurer reads what it pays in a topic of its own, in one transaction with the rest, also when a broker dies."""

from __future__ import annotations

import json
from collections.abc import Collection

import pytest
from confluent_kafka import KafkaException
from sqlalchemy import Engine

from infra.sharding import shard_of
from schemas.topics import AUDIT, INSTRUCTIONS, RELAY_CURSORS, STATEMENTS, insurer_topic
from stream.outbound.cloudevents import headers_of
from tests.support.acts import publish, publish_treaty_text
from tests.support.builders import POLICY, RECORDED_AT, SHARDS, bill, coverage, discharge
from tests.support.forgetful_broker import PERSON, SHARD, Broker, forgetting
from tests.support.ledgers import for_person, give, in_order, ticking
from tests.support.stated_town import StatedTown
from tests.support.treaties import shared_text, treaty_text

pytestmark = pytest.mark.usefixtures("outbox_form")

OWN = insurer_topic("insurer-a").name
INSURERS = [f"insurer-{number}" for number in range(20)]


@pytest.fixture
def broker(ledger: Engine) -> Broker:
    """The fund has paid and that was sent; a bill waits whose payouts are an insurer's."""
    broker = Broker()
    publish(ledger, POLICY, "li.na", SHARDS, ticking(RECORDED_AT))
    events = for_person(PERSON, coverage("C-1"), discharge("E-1"), bill("S-1", "E-1"))
    give(ledger, in_order(events, first=0), ticking(RECORDED_AT))
    broker.send(ledger)
    publish_treaty_text(ledger, treaty_text(), "li.na", SHARDS, ticking(RECORDED_AT))
    later = for_person(PERSON, bill("S-1", "E-1", 4000, version=2), discharge("E-2"), bill("S-2", "E-2"))
    give(ledger, in_order([*events, *later], first=0)[-len(later) :], ticking(RECORDED_AT))
    return broker


@pytest.mark.parametrize("commit", [True, False], ids=["committed", "taken back"])
@pytest.mark.parametrize("marked", [(), ("insurance.statements",), ("own",)], ids=["no marker", "common", "own"])
def test_a_statement_is_in_both_topics_once_whatever_a_broker_forgot(
    ledger: Engine, marked: tuple[str, ...], commit: bool
) -> None:
    """Byte for byte and under the same key, in the common topic and in its insurer's alone; also when a broker dies."""
    insurer = next(each for each in INSURERS if shard_of(each, SHARDS) == SHARD)
    town = StatedTown(ledger, shared_text().replace("insurer-b", insurer))
    town.cover("P1")
    town.take(bill("S1", "E-P1", person_id="P1"))
    town.set("2025-02-03T09:00:00+08:00")
    town.issue("2025-01")
    own, broker = insurer_topic(insurer, STATEMENTS).name, Broker()
    broker.dies = forgetting(*(own if name == "own" else name for name in marked), commit=commit)
    relay = broker.relay(ledger)
    relay.start()
    with pytest.raises(KafkaException):
        relay.step()
    broker.send(ledger)
    sent = [each for _, each in broker.kafka.committed((own, SHARD))]
    assert ["statement.lines", "statement.issued"] == [json.loads(each.value or b"")["event_type"] for each in sent]
    common = [each for _, each in broker.kafka.committed((STATEMENTS.name, SHARD)) if each.key == insurer.encode()]
    assert [(each.key, each.value) for each in common] == [(each.key, each.value) for each in sent]
    for each in sent:
        assert headers_of(STATEMENTS.name, each.value or b"") == headers_of(own, each.value or b"")
    others = [name for name, _ in broker.kafka.logs if name.startswith(f"{STATEMENTS.name}.") and name != own]
    assert all(insurer.encode() != each.key for name in others for _, each in broker.kafka.committed((name, SHARD)))
    for topic in (STATEMENTS.name, own):
        assert len(broker.kafka.logs[topic, SHARD]) == broker.kafka.stable_end((topic, SHARD)), topic


def orders(values: list[bytes]) -> list[bytes]:
    return sorted(value for value in values if json.loads(value)["payer"] == "insurer-a")


def test_an_insurers_instruction_is_in_both_topics(ledger: Engine, broker: Broker) -> None:
    """Byte for byte, under the same key and headers; what the fund pays is in the common one alone."""
    assert [] == broker.visible(OWN)
    assert broker.visible(INSTRUCTIONS.name)
    broker.send(ledger)
    assert len(orders(broker.visible(INSTRUCTIONS.name))) >= 2
    assert broker.visible(OWN) == [value for value in broker.visible(INSTRUCTIONS.name) if b"insurer-a" in value]
    assert len(broker.visible(INSTRUCTIONS.name)) > len(broker.visible(OWN))
    assert [] == broker.visible(insurer_topic("fund").name)
    keys = {each.value: each.key for _, each in broker.kafka.committed((INSTRUCTIONS.name, SHARD))}
    for _, each in broker.kafka.committed((OWN, SHARD)):
        assert keys[each.value] == each.key
        assert headers_of(INSTRUCTIONS.name, each.value or b"") == headers_of(OWN, each.value or b"")
    broker.assert_exact(ledger, [OWN])


MARKED = {
    "no marker": (),
    "only the cursor": (RELAY_CURSORS.name,),
    "all but the insurer's": (AUDIT.name, INSTRUCTIONS.name, RELAY_CURSORS.name),
    "only the insurer's": (OWN,),
}


@pytest.mark.parametrize("commit", [True, False], ids=["committed", "taken back"])
@pytest.mark.parametrize("marked", MARKED.values(), ids=MARKED.keys())
def test_an_insurer_reads_each_instruction_once_whatever_a_broker_forgot(
    ledger: Engine, broker: Broker, marked: Collection[str], commit: bool
) -> None:
    """A dying broker may have marked some of the topics; the next relay settles the others, and sends nothing twice."""
    broker.dies = forgetting(*marked, commit=commit)
    relay = broker.relay(ledger)
    relay.start()
    with pytest.raises(KafkaException):
        relay.step()
    broker.send(ledger)
    broker.assert_exact(ledger, [OWN])
    assert orders(broker.visible(OWN)) == orders(broker.visible(INSTRUCTIONS.name)[1:])
