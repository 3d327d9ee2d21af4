"""What a schema registry is told of each event: its subject, its schema and how far it may change.

Names follow the registries' own strategies: a topic with one type of event has the subject ``<topic>-value``
(TopicNameStrategy), one with several has ``<topic>-<type>`` for each (TopicRecordNameStrategy).
"""

from __future__ import annotations

import json
from typing import Literal, NamedTuple

from schemas.contract.compatibility import GROWING
from schemas.contract.json_schema import Event, events, inlined
from schemas.topics import INBOUND

REGISTRY_DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest that all registries compare; without references our schemas are the same in it."""


class RegistrySubject(NamedTuple):
    """``schema`` is a text. ``level``: the registry's word for what a later version may change."""

    name: str
    schema: str
    level: Literal["FORWARD", "NONE"]


def subjects(prefix: str = "") -> list[RegistrySubject]:
    """Those of all events, in the order of the topics, with an installation's ``prefix`` before the topic.

    What Huzhu sends must stay readable by who has the older schema: FORWARD. Where `huzhu contracts check` allows more
    than a registry does, the registry must not refuse it, and is told NONE: lists that may grow, and optional fields
    that are new in what Huzhu receives, which BACKWARD takes for a break as objects are open.
    """
    return [
        RegistrySubject(f"{prefix}{event.topic.name}-{_record(event)}", _text(event), _level(event))
        for event in events()
    ]


def _record(event: Event) -> str:
    return "value" if len(event.topic.event_types) == 1 else event.event_type


def _level(event: Event) -> Literal["FORWARD", "NONE"]:
    return "NONE" if event.topic in INBOUND or event.event_type in GROWING else "FORWARD"


def _text(event: Event) -> str:
    """Without the contract's version, so that an event that does not change is not registered anew with each one."""
    own = {name: value for name, value in inlined(event.schema).items() if name not in ("$schema", "$id")}
    return json.dumps({"$schema": REGISTRY_DIALECT, **own}, ensure_ascii=False, separators=(",", ":"))
