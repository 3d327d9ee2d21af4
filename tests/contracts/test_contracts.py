"""The published contract is what the program does: generated, true of every message, and checked by AsyncAPI's tool."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.contracts_command import differences
from handlers.claims.read import Reading, read
from handlers.deaths.report_deaths import report_deaths
from infra.population import generate
from schemas.contract.json_schema import INBOUND_TYPES, OUTBOUND_TYPES, events
from schemas.facts import FACT_TYPES
from schemas.funeral_lists import MatchDeaths
from schemas.policy.model import Policies
from schemas.policy.policy_file import read_policies
from schemas.topics import TOPIC_OF_EVENT, TOPICS
from schemas.watch.watch_model import NO_WATCHES
from tests.contracts.asyncapi_cli import CliUnavailable, validate
from tests.support.builders import (
    Json,
    aid,
    aid_void,
    answer,
    bill,
    contribution,
    contribution_void,
    coverage,
    coverage_void,
    death,
    delivery,
    discharge,
    empty_world,
    encode,
    incident,
    incident_void,
    membership,
    membership_void,
    pool,
    report,
    take,
    unhurried,
    values,
    void,
)
from tests.support.checkpoint_message import checkpoint_message
from tests.support.closed_days import day_closed
from tests.support.paths import CONTRACTS, WUXI
from tests.support.processes import huzhu
from tests.support.schemas_in_force import faults, validators
from tests.support.statement_messages import statement_messages
from tests.support.watches import watch_text, watches_of

KNOWN = validators()
DISPUTE = answer(lines=[3, 1], reasons=["paid by another insurer", "the amount is 5.00"])
INBOUND = [
    discharge(),
    bill(),
    void(),
    coverage(),
    coverage_void(),
    membership(role="head"),
    membership_void(),
    death(),
    report(),
    answer(),
    DISPUTE,
    pool(area="Binhu"),
    contribution(restricted_to=["village_mutual_aid"], heads=12, payer="Lihu village"),
    contribution_void(),
    aid(alert_id="AT-1"),
    aid_void(),
    incident(degree="2", verified_loss="120.50", days=3, event_code="W19", evidence=["0f" * 32]),
    incident_void(),
]


def outbound() -> list[Json]:
    """Every message that a made-up city gives, alerts, some of which lose their reason, and statements."""
    lines = [*generate(11, 60), *map(encode, [coverage(), discharge(), bill(), death("2024-01-01")])]
    for version, amount in enumerate(("900.00", "0.01"), start=1):
        taken = [{"scheme_id": "village_mutual_aid", "amount": amount}, {"scheme_id": "unknown", "amount": "1.00"}]
        paid = bill("S2", "E2", person_id="P2", version=version, advances=taken[:version])
        lines += map(encode, [coverage("C2", person_id="P2"), discharge("E2", person_id="P2"), paid])
    lines.append(encode(void("S2", "E2", version=3, person_id="P2")))
    deliveries = []
    for offset, line in enumerate(lines):
        reading = read(line)
        known = isinstance(reading, Reading)
        deliveries.append(delivery(json.loads(line) if known else line, offset))
    world = empty_world(read_policies([WUXI]))
    world.watches = NO_WATCHES.joined(watches_of(watch_text()))
    rows = take(world, deliveries).outbox
    return [json.loads(row.value) for row in (*rows, *statement_messages())]


def test_the_files_are_as_generated() -> None:
    """Whoever changes a model or a topic writes the contract anew."""
    assert [] == differences(CONTRACTS)


def test_every_event_of_every_topic_has_a_schema() -> None:
    """Topics and models name the same event types."""
    assert {event.event_type for event in events()} == {name for topic in TOPICS for name in topic.event_types}
    assert set(KNOWN) == set(INBOUND_TYPES) | set(OUTBOUND_TYPES)


def test_every_message_that_leaves_is_as_its_schema_says() -> None:
    """Decisions, instructions, audit entries, refusals and alerts of a whole run, statements and a checkpoint."""
    messages = [*outbound(), json.loads(checkpoint_message())]
    assert Counter(message["event_type"] for message in messages).keys() == OUTBOUND_TYPES.keys()
    assert [] == [fault for message in messages for fault in faults(KNOWN, message)]


def test_an_alert_about_a_reported_death_is_as_its_schema_says() -> None:
    """Raised and withdrawn; a list in it without its day is refused."""
    world = empty_world(Policies())
    for found in ([["P1", "2024-03-05"]], []):
        processor = world.batch()
        report_deaths(processor, MatchDeaths("2024-03", "0" * 64, len(found), found, "li.na"))
        messages = values(processor.outcome.outbox)
        assert [] == [fault for message in messages for fault in faults(KNOWN, message)]
        assert "audit.recorded" in {message["event_type"] for message in messages}
        raised = [message for message in messages if message["event_type"] == "alert.raised"]
        assert len(found) == len(raised)
        assert all(faults(KNOWN, {**message, "reported": [{"list_id": "2024-03"}]}) for message in raised)


def test_every_event_that_is_read_is_as_its_schema_says() -> None:
    """What the reader takes of a made-up city, the schema takes too; all that hospitals and registries send."""
    read_of = Counter[str]()
    for line in generate(12, 300):
        if isinstance(read(line), Reading):
            event = json.loads(line)
            read_of[event["event_type"]] += 1
            assert [] == faults(KNOWN, event)
    others = {"payout.reported", "coverage.voided", "aid.voided", "incident.voided", "statement.answered"}
    assert read_of.keys() >= FACT_TYPES.keys() - others
    assert [] == [fault for event in [*INBOUND, day_closed()] for fault in faults(KNOWN, event)]


@pytest.mark.parametrize(
    ("event_type", "field", "value"),
    [
        ("claim.decided", "total_benefit", "1.5"),
        ("claim.decided", "total_benefit", 1.5),
        ("claim.decided", "status", "lost"),
        ("payout.instructed", "amount", "01.00"),
        ("payout.instructed", "occurred_at", "2024-03-10"),
        ("audit.recorded", "kind", "event.forgotten"),
    ],
)
def test_the_outbound_schema_is_no_rubber_stamp(event_type: str, field: str, value: object) -> None:
    """A message with one member spoilt, or left out, is refused by its schema."""
    message = next(each for each in outbound() if each["event_type"] == event_type)
    assert faults(KNOWN, {**message, field: value})
    assert faults(KNOWN, {name: each for name, each in message.items() if name != field})


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
        st.sampled_from(["", "1.005", "-0.00", "1e3", "2024-02-30", "2024-03-10", "x" * 201, "2024-03-10T15:00:00Z"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


@pytest.mark.parametrize(
    "event", [bill(advances=None), answer(lines=None, reasons=None), contribution(restricted_to=None)]
)
def test_a_list_that_may_be_left_out_may_be_null(event: Json) -> None:
    assert [] == faults(KNOWN, event)
    assert isinstance(read(encode(event)), Reading)


@unhurried
@given(st.sampled_from(INBOUND), st.data())
def test_what_the_schema_refuses_the_reader_refuses(event: Json, data: Any) -> None:
    """A field replaced by anything, or left out: the schema is never stricter than the reader."""
    field = data.draw(st.sampled_from([name for name in event if name != "event_type"]))
    spoilt = {name: value for name, value in event.items() if name != field}
    if data.draw(st.booleans()):
        spoilt[field] = data.draw(ANYTHING)
    if faults(KNOWN, spoilt):
        assert not isinstance(read(encode(spoilt)), Reading)


@pytest.mark.parametrize("event", [*INBOUND, day_closed()], ids=lambda event: str(event["event_type"]))
def test_the_inbound_schema_is_no_rubber_stamp(event: Json) -> None:
    """Without any one of its required fields, or with a list in its place, an event is refused by its schema."""
    schema: Any = KNOWN[event["event_type"]].schema
    for field in schema["required"]:
        rest = {name: value for name, value in event.items() if name != field}
        if field != "event_type":
            assert faults(KNOWN, rest), field
            assert faults(KNOWN, {**event, field: [[]]}), field


@pytest.mark.prove
def test_asyncapis_own_tool_accepts_the_document(tmp_path: Path) -> None:
    """The AsyncAPI CLI finds no error and no warning; and it finds one in a document that is spoilt."""
    try:
        done = validate(CONTRACTS / "asyncapi.json", tmp_path)
    except CliUnavailable as reason:
        pytest.skip(str(reason))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors, 0 warnings" in done.stdout or "governance issues" not in done.stdout, done.stdout
    document = json.loads((CONTRACTS / "asyncapi.json").read_text("utf-8"))
    document["operations"]["send.alerts"]["channel"]["$ref"] = "#/channels/nowhere"
    spoilt = tmp_path / "asyncapi.json"
    spoilt.write_text(json.dumps(document), "utf-8")
    assert validate(spoilt, tmp_path).returncode != 0


def test_the_document_holds_every_topic() -> None:
    """Inbound topics are received and all others sent, each with its messages; and that of any insurer."""
    document = json.loads((CONTRACTS / "asyncapi.json").read_text("utf-8"))
    wanted = {topic.name: set(topic.event_types) or {"relay.cursor"} for topic in TOPICS}
    assert wanted | {"payouts.instructions.{insurer}": {"payout.instructed"}} == {
        name: set(channel["messages"]) for name, channel in document["channels"].items()
    }
    received = {f"receive.{topic.name}" for topic in TOPIC_OF_EVENT.values()}
    assert received == {name for name, each in document["operations"].items() if each["action"] == "receive"}


def test_the_command_writes_and_checks(tmp_path: Path) -> None:
    """`huzhu contracts write` into an empty folder; a file changed by hand or left over is told."""
    folder = tmp_path / "contract"
    assert huzhu("contracts", "check", folder).returncode == 1
    assert huzhu("contracts", "write", folder).returncode == 0
    assert huzhu("contracts", "check", folder).returncode == 0
    (folder / "schemas" / "alert.raised.json").write_text("{}", "utf-8")
    (folder / "schemas" / "old.event.json").write_text("{}", "utf-8")
    told = huzhu("contracts", "check", folder)
    assert told.returncode == 1
    assert "alert.raised.json: differs from the generated one" in told.stderr
    assert "old.event.json: is no longer generated" in told.stderr
    assert huzhu("contracts", "release", folder).returncode == 2
    assert huzhu("contracts", "write", folder).returncode == 0
    assert huzhu("contracts", "release", folder).returncode == 0
    assert huzhu("contracts", "release", folder).returncode == 2
