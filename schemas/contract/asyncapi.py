"""The AsyncAPI 3.0 document of all topics, from the topic declarations and the models.

It takes Huzhu's point of view: Huzhu *receives* what hospitals, registries and insurers send, and *sends* the rest.
The payloads come without the draft 2020-12 header, in the dialect that AsyncAPI tools expect.
"""

from __future__ import annotations

from typing import Any

from schemas.contract.json_schema import CONTRACT_VERSION, Event, events, inlined
from schemas.topics import INSTRUCTIONS, TOPICS, Topic, insurer_topic

Json = dict[str, Any]

_OF_INSURERS = insurer_topic("{insurer}")
_INSURER: Json = {"insurer": {"description": "The id of an insurer that leads a treaty."}}
_ABOUT = (
    "Events of Huzhu, claims processing for medical self-pay assistance and mutual aid. Money is a decimal string in "
    "yuan. Readers of what Huzhu sends use isolation.level=read_committed: they see each message exactly once, in the "
    "order of its partition. The partition of a person's key is the person's shard in every topic. An installation "
    "with a prefix (HUZHU_PREFIX) has it before every address."
)
_CURSOR: Json = {
    "type": "object",
    "description": "How far the relay has sent a shard's outbox. Of no use to other programs.",
    "required": ["shard", "seq"],
    "properties": {"shard": {"type": "integer", "minimum": 0}, "seq": {"type": "integer", "minimum": 1}},
}
_TRACEPARENT: Json = {
    "type": "string",
    "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
    "description": "W3C Trace Context, optional: that of the request or event that caused the message.",
}
_TAKEN_HEADERS: Json = {
    "type": "object",
    "description": "All optional. One that is malformed is ignored, and so is every other header.",
    "properties": {"traceparent": _TRACEPARENT},
}
_HEADERS: Json = {
    "type": "object",
    "description": "CloudEvents 1.0, binary mode, and the trace. None of them names a person or a claim.",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "The value's event_id."},
        "ce_source": {"type": "string", "pattern": "^/huzhu(/[a-z0-9-]+)?$"},
        "ce_type": {"type": "string", "description": "The value's event_type."},
        "ce_time": {"type": "string", "description": "The value's occurred_at."},
        "ce_subject": {"type": "string", "description": "Of a payout.instructed: its payout_id."},
        "content-type": {"const": "application/json"},
        "traceparent": _TRACEPARENT,
    },
}


def document() -> Json:
    """The whole document as a JSON object."""
    of_topic = {topic: [event for event in events() if event.topic is topic] for topic in TOPICS}
    messages = {event.event_type: _message(event) for group in of_topic.values() for event in group}
    schemas = {event.event_type: _payload(event) for group in of_topic.values() for event in group}
    cursor: Json = {"name": "relay.cursor", "title": "relay.cursor", "contentType": "application/json"}
    cursor |= {"summary": _CURSOR["description"], "payload": {"$ref": "#/components/schemas/relay.cursor"}}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Huzhu", "version": CONTRACT_VERSION, "description": _ABOUT},
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka-secure",
                "description": "The cluster's brokers; TLS and SASL/SCRAM as docs/security.md says.",
                "variables": {"bootstrap": {"default": "127.0.0.1:9092", "description": "host:port of a broker"}},
                "security": [{"$ref": "#/components/securitySchemes/scram"}],
            }
        },
        "channels": {
            **{topic.name: _channel(topic, of_topic[topic]) for topic in TOPICS},
            _OF_INSURERS.name: _channel(_OF_INSURERS, of_topic[INSTRUCTIONS]) | {"parameters": _INSURER},
        },
        "operations": {_operation_name(topic): _operation(topic) for topic in (*TOPICS, _OF_INSURERS)},
        "components": {
            "messages": {**messages, "relay.cursor": cursor},
            "schemas": {**schemas, "cloudevents": _HEADERS, "trace": _TAKEN_HEADERS, "relay.cursor": _CURSOR},
            "securitySchemes": {"scram": {"type": "scramSha512", "description": "One user a program."}},
        },
    }


def _channel(topic: Topic, group: list[Event]) -> Json:
    names = [event.event_type for event in group] or ["relay.cursor"]
    return {
        "address": topic.name,
        "title": topic.name,
        "description": f"Key: {topic.key}. Written by {topic.writer}, read by {topic.readers}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": [topic.cleanup],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": int(topic.config(1)["max.message.bytes"]),
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation_name(topic: Topic) -> str:
    return f"{'receive' if topic.direction == 'in' else 'send'}.{topic.name}"


def _operation(topic: Topic) -> Json:
    receives = topic.direction == "in"
    who = topic.writer if receives else topic.readers
    return {
        "action": "receive" if receives else "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"Huzhu takes these from {who}." if receives else f"Huzhu sends these to {who}.",
    }


def _message(event: Event) -> Json:
    key: Json = {"type": "string", "description": event.topic.key}
    headers = "cloudevents" if event.topic.direction == "out" else "trace"
    return {
        "headers": {"$ref": f"#/components/schemas/{headers}"},
        "name": event.event_type,
        "title": event.event_type,
        "summary": event.schema["description"],
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{event.event_type}"},
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def _payload(event: Event) -> Json:
    return {name: value for name, value in inlined(event.schema).items() if name not in ("$schema", "$id")}
