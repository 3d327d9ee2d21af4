"""The contract with other programs: its version, every event, and the JSON Schema of each (draft 2020-12).

A schema describes one event by itself: what it refuses, the reader refuses too. Rules that look at several fields
(the balance, dates in order) or at earlier events have refusal codes and are in no schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from schemas.bordereau import StatementIssued, StatementLines
from schemas.closed_days import DayClosed
from schemas.decisions import ClaimDecided
from schemas.facts import FACT_TYPES
from schemas.outbound import AlertRaised, AlertWithdrawn, AuditCheckpointed, AuditRecorded, PayoutInstructed
from schemas.refusals import EventRefused
from schemas.topics import INBOUND, TOPICS, Topic

CONTRACT_VERSION = "1.1.0"
"""major.minor.patch. The major version rises with every change that can break a sender or a reader."""

Schema = dict[str, Any]

INBOUND_TYPES: dict[str, type[BaseModel]] = {**FACT_TYPES, "day.closed": DayClosed}
"""Every inbound event type, by its name on the wire: the facts, and the days that are closed."""

OUTBOUND_TYPES: dict[str, type[BaseModel]] = {
    "claim.decided": ClaimDecided,
    "payout.instructed": PayoutInstructed,
    "audit.recorded": AuditRecorded,
    "event.refused": EventRefused,
    "audit.checkpointed": AuditCheckpointed,
    "alert.raised": AlertRaised,
    "alert.withdrawn": AlertWithdrawn,
    "statement.lines": StatementLines,
    "statement.issued": StatementIssued,
}
"""Every outbound event type, by its name on the wire."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Event:
    """One event type, its topic, and the JSON Schema of its value without references to elsewhere."""

    event_type: str
    topic: Topic
    model: type[BaseModel]
    schema: Schema


class _Plain(GenerateJsonSchema):
    """Without a title for every field: they repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def events() -> list[Event]:
    """Every event of every topic, in the order of the topics."""
    return [
        Event(name, topic, model, _schema(name, topic, model))
        for topic in TOPICS
        for name in topic.event_types
        for model in [INBOUND_TYPES[name] if topic in INBOUND else OUTBOUND_TYPES[name]]
    ]


def _schema(event_type: str, topic: Topic, model: type[BaseModel]) -> Schema:
    mode = "validation" if topic in INBOUND else "serialization"
    _, generated = models_json_schema([(model, mode)], schema_generator=_Plain)  # type: ignore[list-item]
    definitions: dict[str, Schema] = generated["$defs"]
    own = definitions.pop(model.__name__)
    if "event_type" not in own["required"]:  # a default in the model, always there on the wire
        own["required"] = ["event_type", *own["required"]]
    own["description"] = " ".join(own["description"].replace("``", "`").split())
    head: Schema = {"$schema": DIALECT, "$id": f"urn:huzhu:{CONTRACT_VERSION}:{event_type}", "title": event_type}
    return {**head, **{key: value for key, value in own.items() if key != "title"}, "$defs": definitions}


def inlined(schema: Schema) -> Schema:
    """The schema with its definitions inlined; none of ours is recursive."""
    definitions: dict[str, Schema] = schema.get("$defs", {})

    def resolved(node: Any) -> Any:
        if isinstance(node, list):
            return [resolved(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            around = {key: value for key, value in node.items() if key != "$ref"}
            return {**resolved(definitions[node["$ref"].rpartition("/")[2]]), **resolved(around)}
        return {key: resolved(value) for key, value in node.items() if key != "$defs"}

    plain: Schema = resolved(schema)
    return plain
