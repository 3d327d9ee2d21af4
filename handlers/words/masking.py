"""Personal data as most people may see it: 110105********002X, 张*, 138****5678; and events with it covered."""

from __future__ import annotations

import json
import re
from typing import Any

STAR = "*"
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:18|19|20)[0-9]{9}[0-9Xx](?![0-9A-Za-z])")
_OLD_IDENTITY = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{14}(?![0-9A-Za-z])")
_PHONE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")

OPEN_FIELDS = frozenset(
    [
        "event_type",
        "event_id",
        "occurred_at",
        "source",
        "encounter_id",
        "version",
        "facility_id",
        "facility_level",
        "care_type",
        "admitted_on",
        "discharged_on",
        "settlement_id",
        "membership_id",
        "unit",
        "settled_at",
        "final",
        "currency",
        "total_charge",
        "basic_insurance_paid",
        "serious_illness_paid",
        "medical_assistance_paid",
        "other_fund_paid",
        "copay",
        "out_of_catalogue",
        "advances",
        "scheme_id",
        "amount",
        "coverage_id",
        "programme",
        "category",
        "pool_id",
        "on_shortage",
        "opened_on",
        "contribution_id",
        "kind",
        "received_on",
        "heads",
        "aid_id",
        "level",
        "emergency",
        "decided_on",
        "alert_id",
        "incident_id",
        "occurred_on",
        "verified_loss",
        "days",
        "valid_from",
        "valid_to",
        "ended_reason",
        "died_on",
        "payout_id",
        "status",
        "reported_at",
        "insurer_id",
        "statement_id",
        "day",
        "verdict",
        "lines",
    ]
)
"""Fields of claims.md that do not identify anybody. All others, unknown ones included, are covered."""


def mask_id(number: str) -> str:
    """An identity number or another id of a person: the ends stay visible, enough to compare with a document."""
    length = len(number)
    if length >= 15:
        return number[:6] + STAR * (length - 10) + number[-4:]
    if length >= 8:
        return number[:2] + STAR * (length - 4) + number[-2:]
    return number[:1] + STAR * max(2, length - 1)


def mask_name(name: str) -> str:
    """A person's name: the first character stays visible (张*, 欧**)."""
    return name[:1] + STAR * max(1, len(name) - 1)


def mask_phone(phone: str) -> str:
    """A telephone number: 138****5678."""
    return phone[:3] + STAR * max(4, len(phone) - 7) + phone[-4:] if len(phone) >= 9 else STAR * len(phone)


def mask_value(value: str) -> str:
    """What may be a person's id, or free text about one. Of text only the first character stays visible."""
    is_id = value.isascii() and not any(character.isspace() for character in value)
    return mask_id(value) if is_id else mask_name(value)


def mask_text(text: str) -> str:
    """Free text with what looks like an identity or telephone number covered."""
    for pattern, mask in ((_IDENTITY, mask_id), (_OLD_IDENTITY, mask_id), (_PHONE, mask_phone)):
        text = pattern.sub(lambda found, mask=mask: mask(found[0]), text)  # type: ignore[misc]
    return text


def readable(value: bytes) -> str | None:
    """An event's JSON object, indented, with its numbers as written; None if the bytes are not a JSON object."""
    document = _object(value)
    return None if document is None else _indented(document)


def masked_event(value: bytes) -> str | None:
    """The same with everything covered that could identify somebody.

    Bytes that cannot be read cannot be covered field by field: they are shown only unmasked.
    """
    document = _object(value)
    if document is None:
        return None
    return _indented({key: _covered(key, each) for key, each in document.items()})


_NUMBER = "\ue000"
"""Marks text that represents a number, so that an amount is never a float (a private character, in no event)."""


def _object(value: bytes) -> dict[str, Any] | None:
    def number(literal: str) -> str:
        return _NUMBER + literal

    try:
        document = json.loads(value, parse_float=number, parse_int=number)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _indented(document: dict[str, Any]) -> str:
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return re.sub(f'"{_NUMBER}([^"]*)"', r"\1", text)


def _covered(name: str, value: object) -> object:
    if isinstance(value, str):
        if name in OPEN_FIELDS:
            return mask_text(value)
        return STAR * 3 if value.startswith(_NUMBER) else mask_value(value)
    if value is None or (name in OPEN_FIELDS and isinstance(value, bool)):
        return value
    if name in OPEN_FIELDS and isinstance(value, list):
        return [
            {inner: _covered(inner, part) for inner, part in each.items()} if isinstance(each, dict) else _listed(each)
            for each in value
        ]
    return STAR * 3


def _listed(part: object) -> object:
    """Of what an open field lists, numbers are shown."""
    return part if isinstance(part, str) and part.startswith(_NUMBER) else STAR * 3
