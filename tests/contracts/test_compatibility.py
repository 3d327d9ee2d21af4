"""A change that breaks a sender or a reader is found; one that does not is let pass; old messages stay readable."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.contracts_command import breaking
from handlers.claims.read import Reading, read
from handlers.days.read_day import read_day
from schemas.closed_days import DayClosed
from schemas.contract import asyncapi
from schemas.contract.compatibility import breaks_readers, breaks_senders, topics_broken
from schemas.contract.json_schema import CONTRACT_VERSION, INBOUND_TYPES, OUTBOUND_TYPES, events, inlined
from schemas.facts import FACT_TYPES
from tests.support.paths import CONTRACTS
from tests.support.schemas_in_force import faults, validators

Schema = dict[str, Any]
Change = Callable[[Schema], Any]

SCHEMAS = {event.event_type: inlined(event.schema) for event in events()}
BILL, STAY, ORDER, DECISION, AUDIT, ALERT = (
    SCHEMAS[name]
    for name in (
        *("settlement.posted", "encounter.discharged", "payout.instructed", "claim.decided"),
        *("audit.recorded", "alert.raised"),
    )
)
MESSAGES = sorted((Path(__file__).parent / "messages").glob("*/*.json"))


def changed(schema: Schema, change: Change) -> Schema:
    """A copy of the schema with one change."""
    spoilt = copy.deepcopy(schema)
    change(spoilt)
    return spoilt


def field(schema: Schema, name: str) -> Schema:
    found: Schema = schema["properties"][name]
    return found


def in_step(schema: Schema) -> Schema:
    found: Schema = field(schema, "explanation")["items"]["properties"]
    return found


def in_benefit(schema: Schema) -> Schema:
    found: Schema = field(schema, "benefits")["items"]
    return found


BREAKS_SENDERS: dict[str, tuple[Schema, Change, str]] = {
    "a field is removed": (BILL, lambda s: s["properties"].pop("invoice_no"), "/invoice_no: was removed"),
    "an optional field is required": (
        BILL,
        lambda s: s["required"].append("invoice_no"),
        "/invoice_no: is required now",
    ),
    "a new field is required": (
        BILL,
        lambda s: (s["properties"].update(ward={"type": "string"}), s["required"].append("ward")),
        "/ward: is required now",
    ),
    "money is no longer taken as a number": (
        BILL,
        lambda s: field(s, "copay")["anyOf"].pop(),
        "/copay: its type is narrower now",
    ),
    "null is no longer taken": (
        BILL,
        lambda s: field(s, "invoice_no")["anyOf"].pop(),
        "/invoice_no: its type is narrower now",
    ),
    "a text becomes a number": (
        BILL,
        lambda s: s["properties"].update(settlement_id={"type": "integer"}),
        "/settlement_id: its type is narrower now",
    ),
    "a value is no longer allowed": (
        STAY,
        lambda s: field(s, "facility_level")["enum"].remove("town"),
        "/facility_level: its set of values is narrower now",
    ),
    "a text must be shorter": (
        BILL,
        lambda s: field(s, "event_id").update(maxLength=100),
        "/event_id: maxLength is narrower now",
    ),
    "a number must be larger": (BILL, lambda s: field(s, "version").update(minimum=2), "/version: minimum is narrower"),
    "a list needs an element": (STAY, lambda s: field(s, "diagnoses").update(minItems=1), "/diagnoses: minItems is"),
    "a list's elements are narrower": (
        STAY,
        lambda s: field(s, "diagnoses")["items"].update(maxLength=8),
        "/diagnoses/*: maxLength is narrower now",
    ),
    "a pattern has changed": (
        BILL,
        lambda s: field(s, "source").update(pattern="^[a-z]+$"),
        "/source: pattern is narrower now",
    ),
    "unknown fields are refused": (
        BILL,
        lambda s: s.update(additionalProperties=False),
        "/: additionalProperties is narrower now",
    ),
    "an unknown keyword appears": (BILL, lambda s: s.update(dependentRequired={}), "/: dependentRequired is narrower"),
}
BREAKS_READERS: dict[str, tuple[Schema, Change, str]] = {
    "a field is removed": (ORDER, lambda s: s["properties"].pop("tier"), "/tier: was removed"),
    "a field inside a list is removed": (
        DECISION,
        lambda s: in_benefit(s)["properties"].pop("measured"),
        "/benefits/*/measured: was removed",
    ),
    "a field becomes optional": (ORDER, lambda s: s["required"].remove("payee"), "/payee: is optional now"),
    "a field may be null": (
        ORDER,
        lambda s: s["properties"].update(amount={"anyOf": [field(s, "amount"), {"type": "null"}]}),
        "/amount: its type is wider now",
    ),
    "a value is added": (ORDER, lambda s: field(s, "kind")["enum"].append("gift"), "/kind: its set of values is wider"),
    "a kind of audit entry is renamed": (
        AUDIT,
        lambda s: field(s, "kind")["enum"].__setitem__(0, "event.admitted"),
        "/kind: its set of values is wider",
    ),
    "a reason is renamed": (
        DECISION,
        lambda s: in_benefit(s)["properties"]["reason"]["anyOf"][0]["enum"].__setitem__(0, "ELSEWHERE"),
        "/benefits/*/reason: is wider now",
    ),
    "a step of an explanation is renamed": (
        DECISION,
        lambda s: in_step(s)["step"]["enum"].__setitem__(0, "slice"),
        "/explanation/*/step: its set of values is wider",
    ),
    "another list in a step grows": (
        changed(DECISION, lambda s: in_step(s).update(mood={"enum": ["good"]})),
        lambda s: in_step(s)["mood"]["enum"].append("bad"),
        "/explanation/*/mood: its set of values is wider",
    ),
    "any kind of audit entry": (AUDIT, lambda s: field(s, "kind").pop("enum"), "/kind: its set of values is wider"),
    "a set of values is opened": (ORDER, lambda s: field(s, "kind").pop("enum"), "/kind: its set of values is wider"),
    "money becomes a number": (
        ORDER,
        lambda s: s["properties"].update(amount={"type": "number"}),
        "/amount: its type is wider now",
    ),
    "money has any number of decimals": (
        DECISION,
        lambda s: in_benefit(s)["properties"]["benefit"].pop("pattern"),
        "/benefits/*/benefit: pattern is wider now",
    ),
    "an instant is no longer one": (
        ORDER,
        lambda s: s["properties"].update(occurred_at={"type": "string"}),
        "/occurred_at: format is wider now",
    ),
}
HARMLESS_TO_SENDERS: dict[str, tuple[Schema, Change]] = {
    "an optional field": (BILL, lambda s: s["properties"].update(ward={"type": "string"})),
    "a field is no longer required": (BILL, lambda s: s["required"].remove("facility_id")),
    "a further value": (STAY, lambda s: field(s, "care_type")["enum"].append("day_surgery")),
    "a longer text": (BILL, lambda s: field(s, "event_id").update(maxLength=500)),
    "a wider type": (STAY, lambda s: field(s, "version").update(type="number")),
    "null too": (
        STAY,
        lambda s: s["properties"].update(facility_id={"anyOf": [field(s, "facility_id"), {"type": "null"}]}),
    ),
    "another description": (BILL, lambda s: s.update(description="a bill", title="bill")),
}
HARMLESS_TO_READERS: dict[str, tuple[Schema, Change]] = {
    "a further field": (
        ORDER,
        lambda s: (s["properties"].update(bank={"type": "string"}), s["required"].append("bank")),
    ),
    "a field is always there": (DECISION, lambda s: in_benefit(s)["required"].append("reason")),
    "a value is never used again": (DECISION, lambda s: field(s, "status")["enum"].remove("voided")),
    "never null again": (ORDER, lambda s: s["properties"].update(tier={"type": "string"})),
    "a further kind of audit entry": (AUDIT, lambda s: field(s, "kind")["enum"].append("ledger.mended")),
    "a further code of an alert": (ALERT, lambda s: field(s, "code")["enum"].append("STUCK")),
    "a further step of an explanation": (DECISION, lambda s: in_step(s)["step"]["enum"].append("cap_per_village")),
    "another description": (ORDER, lambda s: field(s, "amount").update(description="how much")),
}


@pytest.mark.parametrize("name", BREAKS_SENDERS)
def test_what_breaks_a_sender_is_found(name: str) -> None:
    """The place and what changed are named, and nothing else."""
    schema, change, said = BREAKS_SENDERS[name]
    (found,) = breaks_senders(schema, changed(schema, change))
    assert found.startswith(said)


@pytest.mark.parametrize("name", BREAKS_READERS)
def test_what_breaks_a_reader_is_found(name: str) -> None:
    """Likewise; a removed field that was required is both removed and no longer promised."""
    schema, change, said = BREAKS_READERS[name]
    assert any(found.startswith(said) for found in breaks_readers(schema, changed(schema, change)))


@pytest.mark.parametrize("name", HARMLESS_TO_SENDERS)
def test_what_a_sender_does_not_notice_is_let_pass(name: str) -> None:
    """Wider is fine inbound."""
    schema, change = HARMLESS_TO_SENDERS[name]
    assert [] == breaks_senders(schema, changed(schema, change))


@pytest.mark.parametrize("name", HARMLESS_TO_READERS)
def test_what_a_reader_does_not_notice_is_let_pass(name: str) -> None:
    """Narrower is fine outbound."""
    schema, change = HARMLESS_TO_READERS[name]
    assert [] == breaks_readers(schema, changed(schema, change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["channels"].pop("alerts"), "topic alerts: is gone"),
        (lambda d: d["channels"]["alerts"].update(address="warnings"), "topic alerts: its address has changed"),
        (lambda d: d["channels"]["alerts"].update(description="Key: claim_id. x"), "topic alerts: its key has changed"),
        (
            lambda d: d["channels"]["hospital.expenses"]["messages"].pop("settlement.voided"),
            "topic hospital.expenses: no longer holds settlement.voided",
        ),
        (lambda d: d["operations"]["send.alerts"].update(action="receive"), "operation send.alerts: is gone or"),
    ],
)
def test_topics_are_part_of_the_contract(change: Change, said: str) -> None:
    """A topic that is gone, renamed, keyed otherwise, turned round, or without one of its events is found."""
    before = asyncapi.document()
    (found,) = topics_broken(before, changed(before, change))
    assert found.startswith(said)


def test_the_contract_breaks_nothing_that_was_released() -> None:
    """Compared with the newest release. A breaking change needs a higher major version of CONTRACT_VERSION."""
    compared = breaking(CONTRACTS)
    assert compared is not None
    released, broken = compared
    if int(CONTRACT_VERSION.split(".")[0]) == int(released.split(".")[0]):
        assert [] == broken


def test_a_break_with_the_release_is_told(tmp_path: Path) -> None:
    """A release in which a field was required that is not there any more, and an event that is gone."""
    old = tmp_path / "released" / "1.2.0"
    (old / "schemas").mkdir(parents=True)
    (old / "asyncapi.json").write_text(json.dumps(asyncapi.document()), "utf-8")
    more = changed(ORDER, lambda s: (s["properties"].update(bank={"type": "string"}), s["required"].append("bank")))
    (old / "schemas" / "payout.instructed.json").write_text(json.dumps(more), "utf-8")
    (old / "schemas" / "payout.cancelled.json").write_text(json.dumps(ORDER), "utf-8")
    assert breaking(tmp_path) == (
        "1.2.0",
        [
            "payout.cancelled: was removed",
            "payout.instructed: /bank: is optional now",
            "payout.instructed: /bank: was removed",
        ],
    )


@pytest.mark.parametrize("file", MESSAGES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_old_messages_stay_readable(file: Path) -> None:
    """A message of a released version is read today, and is as today's schema of its major version says."""
    message = json.loads(file.read_text("utf-8"))
    event_type = message["event_type"]
    if event_type in FACT_TYPES:
        assert isinstance(read(file.read_bytes()), Reading)
    elif event_type in INBOUND_TYPES:
        assert isinstance(read_day(file.read_bytes()), DayClosed)
    else:
        OUTBOUND_TYPES[event_type].model_validate_json(file.read_bytes())
    if file.parent.name.split(".")[0] == CONTRACT_VERSION.split(".")[0]:
        assert [] == faults(validators(), message)


def test_there_is_an_old_message_of_every_event() -> None:
    """So that no event can lose its readability unseen."""
    kept = {json.loads(file.read_text("utf-8"))["event_type"] for file in MESSAGES}
    assert kept == set(INBOUND_TYPES) | set(OUTBOUND_TYPES)
