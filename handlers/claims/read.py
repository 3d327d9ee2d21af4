"""From bytes to a fact or a refusal, looking at the event alone (claims.md, section 3).

Total: whatever the bytes are, the answer is a value. The first rule that fails gives the code, in the order
size, JSON, event type, fields, currency, key, sign, balance, dates; last the moment of intake, if one is given.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from handlers.claims.future_dates import date_after_event, event_after_intake
from handlers.words.field_hints import NESTED, field_hint, imbalance, json_hint
from schemas.bilingual import SaidError, Saying
from schemas.canonical import canonical_json, sha256_hex
from schemas.facts import FACT_TYPES, CoverageRecorded, EncounterDischarged, Fact, SettlementPosted
from schemas.money import NumberLiteral
from schemas.refusals import Refusal, RefusalCode, refuse
from schemas.topics import EVENT_BYTES_MAX, TOPIC_OF_EVENT

DEPTH_MAX = 64
"""Deepest nesting accepted. Far below any stack limit, so that the answer does not depend on the caller."""

ASIDE = ("event_id", "occurred_at")
"""Fields in which two copies of one event may differ: not part of its content."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A readable event: the fact and the SHA-256 (hex) of its content."""

    fact: Fact
    content_sha256: str


class KeyNotGiven:
    """In place of the Kafka key of an event that does not come from Kafka: it mismatches nothing."""


KEY_NOT_GIVEN = KeyNotGiven()


def read(
    value: bytes | None,
    key: bytes | KeyNotGiven | None = KEY_NOT_GIVEN,
    topic: str | None = None,
    as_of: datetime | None = None,
) -> Reading | Refusal:
    """The fact in the bytes of one message, or why there is none.

    ``topic``, if given, must be the one the event type belongs to. ``as_of``, if given, is the moment at which the
    event is taken in; without it, an event may say that it occurred at any time.
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
        pointers = tuple(dict.fromkeys(_pointer(detail["loc"]) for detail in details))
        return refuse(RefusalCode.SCHEMA_INVALID, field_hint(details[0]), pointers)
    refusal = _rules(fact, key)
    if refusal is None and as_of is not None:
        refusal = event_after_intake(fact, as_of)
    if refusal is not None:
        return refusal
    return Reading(fact, _content_sha256(document, fact))


def wrong_fields(value: bytes, as_of: datetime) -> list[tuple[str, Saying]]:
    """Everything that is wrong with the bytes of an event taken in at ``as_of``: JSON pointer and what is wrong there.

    The pointer is empty where the whole event is meant. The list is empty if `read` gives a fact.
    """
    refusal = read(value, as_of=as_of)
    if not isinstance(refusal, Refusal):
        return []
    if refusal.code is RefusalCode.SCHEMA_INVALID and refusal.pointers not in (("",), ("/event_type",)):
        document = json.loads(value, parse_float=NumberLiteral, parse_int=_integer)
        try:
            FACT_TYPES[document["event_type"]].model_validate(document)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            return [(_pointer(detail["loc"]), field_hint(detail)) for detail in details]
    return [(pointer, Saying(refusal.zh, refusal.en)) for pointer in refusal.pointers or ("",)]


def recall(value: bytes) -> Fact:
    """The fact in bytes that were accepted before: no rule is checked again."""
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
        return refuse(RefusalCode.MALFORMED_JSON, NESTED if _opens_too_deep(value) else json_hint(error))
    if value.count(b"[") + value.count(b"{") > DEPTH_MAX and _too_deep(document):
        return refuse(RefusalCode.MALFORMED_JSON, NESTED)
    if not isinstance(document, dict):
        return refuse(RefusalCode.SCHEMA_INVALID, Saying("报文应为 JSON 对象", "an event is a JSON object"), ("",))
    return document


def _too_deep(document: Any) -> bool:
    """Whether lists and objects are nested more than DEPTH_MAX deep."""
    level = [document]
    for _ in range(DEPTH_MAX + 1):
        level = [part for part in level if isinstance(part, dict | list)]
        if not level:
            return False
        level = [part for outer in level for part in (outer.values() if isinstance(outer, dict) else outer)]
    return True


_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _opens_too_deep(value: bytes) -> bool:
    """The same of bytes that are not JSON. Whether the parser meets their fault or runs out of stack before depends on
    the caller, and the refusal must not."""
    depth = 0
    for bracket in re.findall(rb"[\[\]{}]", _STRING.sub(b"", value)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH_MAX:
            return True
    return False


def _integer(literal: str) -> int | NumberLiteral:
    """Whole numbers as int; an absurdly long one stays text, as int() would be slow and Python refuses it."""
    return int(literal) if len(literal) <= 20 else NumberLiteral(literal)


def _no_constant(name: str) -> object:
    raise SaidError(f"{name} 不是 JSON", f"{name} is not JSON")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """With a duplicate member, two readers could see two amounts."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise SaidError("同一对象中有重名的字段", "an object names a member twice")
    return members


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
"""The only way to put half a surrogate pair into decodable UTF-8."""


def _no_repeats_nor_surrogates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Half a surrogate pair cannot be written as UTF-8, so it can be neither hashed nor sent on."""
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
        hint = Saying("缺少 event_type,或不是字符串", "event_type is missing or no string")
        return refuse(RefusalCode.SCHEMA_INVALID, hint, ("/event_type",))
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
            hint = imbalance(
                fact.total_charge,
                parts,
                Saying("总费用", "total_charge is"),
                Saying("其余各项合计", "the other amounts add up to"),
            )
            return refuse(RefusalCode.AMOUNTS_DO_NOT_BALANCE, hint, ("/total_charge",))
    return _dates(fact)


def _dates(fact: Fact) -> Refusal | None:
    if isinstance(fact, EncounterDischarged) and fact.discharged_on < fact.admitted_on:
        return refuse(RefusalCode.DATES_OUT_OF_ORDER, pointers=("/admitted_on", "/discharged_on"))
    if isinstance(fact, CoverageRecorded) and fact.valid_to is not None and fact.valid_to <= fact.valid_from:
        return refuse(RefusalCode.DATES_OUT_OF_ORDER, pointers=("/valid_from", "/valid_to"))
    return date_after_event(fact)


def _content_sha256(document: dict[str, Any], fact: Fact) -> str:
    """SHA-256 of what the event says; amounts count by value, so ``1.5`` and ``"1.50"`` are one content."""
    content = {name: value for name, value in document.items() if name not in ASIDE}
    for name in fact.money_fields:
        content[name] = getattr(fact, name)
    return sha256_hex(canonical_json(content))


def _pointer(location: tuple[int | str, ...]) -> str:
    """RFC 6901: ``("diagnoses", 0)`` is ``/diagnoses/0``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
