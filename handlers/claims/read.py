"""From bytes to a fact or a refusal, looking at the event alone (claims.md, section 3).

Total: whatever the bytes are, the answer is a value. The first rule that fails gives the code, in the order
size, JSON, event type, fields, currency, key, sign, balance, dates.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from schemas.canonical import canonical_json, sha256_hex
from schemas.dates import shanghai_date
from schemas.facts import FACT_TYPES, CoverageRecorded, EncounterDischarged, Fact, PersonDied, SettlementPosted
from schemas.money import NumberLiteral
from schemas.refusals import Refusal, RefusalCode, refuse
from schemas.topics import EVENT_BYTES_MAX, TOPIC_OF_EVENT

ONE_DAY = timedelta(days=1)
DEPTH_MAX = 64
"""Deepest nesting taken. Far from the end of any stack, so that what is accepted does not depend on who calls."""

ASIDE = ("event_id", "occurred_at")
"""What two sendings of one event may differ in: not part of an event's content."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A readable event: the fact and the SHA-256 (hex) of its content."""

    fact: Fact
    content_sha256: str


class KeyNotGiven:
    """Stands for the Kafka key where an event does not come from Kafka, so that no key can mismatch."""


KEY_NOT_GIVEN = KeyNotGiven()


def read(
    value: bytes | None, key: bytes | KeyNotGiven | None = KEY_NOT_GIVEN, topic: str | None = None
) -> Reading | Refusal:
    """The fact in the bytes of one message, or why there is none.

    ``topic``, where known, must be the one to which the event type belongs.
    """
    if value is not None and len(value) > EVENT_BYTES_MAX:
        return refuse(RefusalCode.TOO_LARGE)
    document = _parse(value or b"")
    if isinstance(document, Refusal):
        return document
    model = _model(document, topic)
    if isinstance(model, Refusal):
        return model
    try:
        fact = model.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        pointers = tuple(dict.fromkeys(_pointer(each["loc"]) for each in details))
        return refuse(RefusalCode.SCHEMA_INVALID, str(details[0]["msg"]), pointers)
    refusal = _rules(fact, key)
    if refusal is not None:
        return refusal
    return Reading(fact, _content_sha256(document, fact))


def recall(value: bytes) -> Fact:
    """The fact in bytes that were accepted before: no rule is asked again."""
    document = json.loads(value, parse_float=NumberLiteral, parse_int=_integer)
    return FACT_TYPES[document["event_type"]].model_validate(document)


def _parse(value: bytes) -> dict[str, Any] | Refusal:
    try:
        document = json.loads(
            value.decode("utf-8"),
            parse_float=NumberLiteral,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_no_repeats_nor_surrogates if _SURROGATE.search(value) else _no_repeats,
        )
    except (ValueError, RecursionError) as error:  # decoding and JSON errors are ValueErrors
        # Only where: the library's message quotes no data, our own hooks' messages neither.
        where = f"line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        return refuse(RefusalCode.MALFORMED_JSON, where)
    if value.count(b"[") + value.count(b"{") > DEPTH_MAX and _too_deep(document):
        return refuse(RefusalCode.MALFORMED_JSON, "nested too deeply")
    if not isinstance(document, dict):
        return refuse(RefusalCode.SCHEMA_INVALID, "an event is a JSON object", ("",))
    return document


def _too_deep(document: Any) -> bool:
    """Whether lists and objects are nested more than DEPTH_MAX deep."""
    level = [document]
    for _ in range(DEPTH_MAX + 1):
        level = [part for part in level if isinstance(part, dict | list)]
        if not level:
            return False
        level = [part for each in level for part in (each.values() if isinstance(each, dict) else each)]
    return True


def _integer(literal: str) -> int | NumberLiteral:
    """Small whole numbers as such; an absurdly long one stays text, as int() of it is slow and refused by Python."""
    return int(literal) if len(literal) <= 20 else NumberLiteral(literal)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A member named twice would let two readers see two amounts."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("an object names a member twice")
    return members


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
"""The only spelling by which half a surrogate pair gets into UTF-8 text that could be decoded."""


def _no_repeats_nor_surrogates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Half a surrogate pair cannot be written as UTF-8, so neither hashed nor sent on."""
    members = _no_repeats(pairs)
    for name, value in pairs:
        if not name.isascii():
            name.encode("utf-8")
        if isinstance(value, str) and not value.isascii():
            value.encode("utf-8")
        elif isinstance(value, list):
            _encodable(value)
    return members


def _encodable(values: list[Any]) -> None:
    for value in values:
        if isinstance(value, str):
            value.encode("utf-8")
        elif isinstance(value, list):
            _encodable(value)


def _model(document: dict[str, Any], topic: str | None) -> type[Fact] | Refusal:
    event_type = document.get("event_type")
    if not isinstance(event_type, str) or isinstance(event_type, NumberLiteral):
        return refuse(RefusalCode.SCHEMA_INVALID, "event_type is missing or no string", ("/event_type",))
    model = FACT_TYPES.get(event_type)
    if model is None or (topic is not None and TOPIC_OF_EVENT[event_type].name != topic):
        return refuse(RefusalCode.UNKNOWN_EVENT_TYPE, pointers=("/event_type",))
    return model


def _rules(fact: Fact, key: bytes | KeyNotGiven | None) -> Refusal | None:
    if isinstance(fact, SettlementPosted) and fact.currency != "CNY":
        return refuse(RefusalCode.UNSUPPORTED_CURRENCY, pointers=("/currency",))
    if not isinstance(key, KeyNotGiven) and key != fact.person_id.encode("utf-8"):
        return refuse(RefusalCode.KEY_MISMATCH, pointers=("/person_id",))
    if isinstance(fact, SettlementPosted):
        negative = tuple(f"/{name}" for name in fact.money_fields if getattr(fact, name) < 0)
        if negative:
            return refuse(RefusalCode.NEGATIVE_AMOUNT, pointers=negative)
        parts = sum(getattr(fact, name) for name in fact.money_fields[1:])
        if fact.total_charge != parts:
            return refuse(RefusalCode.AMOUNTS_DO_NOT_BALANCE, pointers=("/total_charge",))
    return _dates(fact)


def _dates(fact: Fact) -> Refusal | None:
    if isinstance(fact, EncounterDischarged) and fact.discharged_on < fact.admitted_on:
        return refuse(RefusalCode.DATES_OUT_OF_ORDER, pointers=("/admitted_on", "/discharged_on"))
    if isinstance(fact, CoverageRecorded) and fact.valid_to is not None and fact.valid_to <= fact.valid_from:
        return refuse(RefusalCode.DATES_OUT_OF_ORDER, pointers=("/valid_from", "/valid_to"))
    said_on = shanghai_date(fact.occurred_at)
    if isinstance(fact, EncounterDischarged) and fact.discharged_on - said_on > ONE_DAY:
        return refuse(RefusalCode.FUTURE_DATED, pointers=("/discharged_on",))
    if isinstance(fact, PersonDied) and fact.died_on - said_on > ONE_DAY:
        return refuse(RefusalCode.FUTURE_DATED, pointers=("/died_on",))
    if isinstance(fact, SettlementPosted) and fact.settled_at - fact.occurred_at > ONE_DAY:
        return refuse(RefusalCode.FUTURE_DATED, pointers=("/settled_at",))
    return None


def _content_sha256(document: dict[str, Any], fact: Fact) -> str:
    """SHA-256 of what the event says; amounts count by value, so ``1.5`` and ``"1.50"`` are one content."""
    content = {name: value for name, value in document.items() if name not in ASIDE}
    for name in fact.money_fields:
        content[name] = getattr(fact, name)
    return sha256_hex(canonical_json(content))


def _pointer(location: tuple[int | str, ...]) -> str:
    """RFC 6901: ``("diagnoses", 0)`` is ``/diagnoses/0``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
