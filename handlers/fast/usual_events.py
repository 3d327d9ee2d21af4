"""Facts from events in the usual form, built without the models; `handlers.claims.read` reads all others.

Usual is: one flat object with what the model asks for, a list only where diagnoses or advances stand, no escapes, no
name twice. Whatever surprises is left to the models, so nothing is refused here. Both must see the same in the same
bytes (tests/properties/test_usual_events.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from types import NoneType
from typing import Any, NamedTuple

import orjson

from schemas.facts import (
    ADVANCES_MAX,
    FACT_TYPES,
    Advance,
    CareType,
    EndedReason,
    FacilityLevel,
    Fact,
    PayoutStatus,
    SettlementPosted,
    UnitKind,
)
from schemas.money import parse_yuan
from schemas.number_literals import NumberLiteral, parse_with_literals
from schemas.topics import TOPIC_OF_EVENT

Document = dict[str, Any]

BLANKS = b" \t\r\n"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3}(?:[0-9]{3})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_VERSION_MAX = 2**53 - 1
_DAYS_MAX = 100_000


class Unusual(ValueError):
    """Something that only the models judge."""


_SURPRISES = (KeyError, TypeError, ValueError)
"""Another type of event or no object; a value that cannot be looked at; another form."""


def read_usual(value: bytes, topic: str | None = None) -> tuple[Fact, Document] | None:
    """The fact in the bytes and the object that they hold, if they have the usual form and ``topic`` is the type's."""
    if b"\\" in value or b"\x7f" in value:
        return None
    try:
        document = orjson.loads(value)
        form = _FORMS[document["event_type"]]
        if topic is not None and topic != form.topic:
            return None
        kinds = set(map(type, document.values()))
        if float in kinds:  # what counts of a number is its literal
            document = parse_with_literals(value)
        listed = document.get(form.listed) if list in kinds else ()
        inner = listed if form.model is SettlementPosted else ()
        if not each_name_once(document, value, inner):
            return None
        if list in kinds and (type(listed) is not list or value.count(b"[") > 1):
            return None
        return _fact(form, document), document
    except _SURPRISES:
        return None


def recall_usual(value: bytes) -> Fact | None:
    """The fact in the bytes of an event that was accepted before: then only the fields themselves can be unusual."""
    try:
        document = orjson.loads(value)
        return _fact(_FORMS[document["event_type"]], document)
    except _SURPRISES:
        return None


def each_name_once(document: Document, value: bytes, inner: Sequence[Document] = ()) -> bool:
    """Whether an object without escapes names no member twice, nor do the ``inner`` ones, and holds no others.

    With the blanks gone, `":` follows every name, and otherwise stands only in odd texts, which are unusual as well.
    """
    names = len(document) + sum(map(len, inner))
    return value.translate(None, BLANKS).count(b'":') == names


# The values of fields ------------------------------------------------------------------------------------------------


class _Days(dict[str, date]):
    """Days by their text: a year of events names a few hundred of them."""

    def __missing__(self, text: str) -> date:
        if not _DAY.fullmatch(text):
            raise Unusual
        if len(self) > _DAYS_MAX:
            self.clear()
        day = self[text] = date.fromisoformat(text)  # a ValueError: no such day
        return day


DAYS = _Days()


def _identifier(value: Any) -> str:
    """Text of 1 to 200 characters (none of control, as the bytes were looked at before)."""
    if type(value) is not str or not 0 < len(value) <= 200:
        raise Unusual
    return value


def fen(amount: Any) -> int:
    """An amount as text or whole number of yuan, in fen. Not below zero: that a rule will want to name."""
    if amount == "0.00":  # most are
        return 0
    if type(amount) is str and len(amount) > 3 and amount[-3] == ".":
        digits = amount[:-3] + amount[-2:]
        if len(digits) < 15 and digits.isdecimal() and digits.isascii():  # below 10**14: FEN_MAX
            return int(digits)
    if type(amount) is int:
        amount = str(amount)
    elif not isinstance(amount, str):
        raise Unusual
    found = parse_yuan(str(amount))
    if found < 0:
        raise Unusual
    return found


def _identifiers(values: Any) -> list[str]:
    if type(values) is not list:
        raise Unusual
    return [_identifier(value) for value in values]


def _advances(values: Any) -> tuple[Advance, ...]:
    if type(values) is not list or len(values) > ADVANCES_MAX:
        raise Unusual
    return tuple([_advance(value) for value in values])


def _advance(value: Any) -> Advance:
    """As `_fact` makes events. A rule will want to name amounts that are not over zero."""
    if type(value) is not dict or not _FLAT.issuperset(map(type, value.values())):
        raise Unusual
    advance = object.__new__(Advance)
    _set(advance, "__dict__", {"scheme_id": _identifier(value["scheme_id"]), "amount": fen(value["amount"])})
    _set(advance, "__pydantic_fields_set__", {"scheme_id", "amount"})
    _set(advance, "__pydantic_extra__", None)
    _set(advance, "__pydantic_private__", None)
    return advance


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > 2000:
        raise Unusual
    return value


def _version(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= _VERSION_MAX:
        raise Unusual
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise Unusual
    return value


def _cny(value: Any) -> str:
    if value != "CNY":
        raise Unusual
    return "CNY"


def instant(value: Any) -> datetime:
    """From the year 1000 to 2999, where every instant exists in Shanghai and in Greenwich."""
    if not _INSTANT.fullmatch(value):
        raise Unusual
    return datetime.fromisoformat(value)


def _unusual(value: Any) -> Any:
    raise Unusual


def _one_of(words: type[StrEnum]) -> Callable[[Any], Any]:
    return {str(word): word for word in words}.__getitem__


# The forms of events -------------------------------------------------------------------------------------------------

_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("event_type", "event_id", "source", "person_id", "encounter_id", "facility_id"), _identifier),
    **dict.fromkeys(("settlement_id", "invoice_no", "coverage_id", "programme", "category"), _identifier),
    **dict.fromkeys(
        ("membership_id", "role", "household_id", "pool_id", "area", "payout_id", "reference"), _identifier
    ),
    **dict.fromkeys(("occurred_at", "settled_at", "reported_at"), instant),
    **dict.fromkeys(("admitted_on", "discharged_on", "valid_from", "valid_to", "died_on"), DAYS.__getitem__),
    **dict.fromkeys(SettlementPosted.money_fields, fen),
    "version": _version,
    "facility_level": _one_of(FacilityLevel),
    "care_type": _one_of(CareType),
    "status": _one_of(PayoutStatus),
    "unit": _one_of(UnitKind),
    "ended_reason": _one_of(EndedReason),
    "diagnoses": _identifiers,
    "final": _flag,
    "currency": _cny,
    "advances": _advances,
    "national": _unusual,
    "reason": _text,
}
"""How a field's value is read, which a field of that name has in every type of event."""

_FLAT: frozenset[type] = frozenset((str, int, bool, NoneType, NumberLiteral))
_LISTS = ("diagnoses", "advances")


class _Form(NamedTuple):
    """What an event of one type looks like: its model's fields, the one that holds a list, and the types of values."""

    model: type[Fact]
    topic: str
    listed: str
    fields: tuple[tuple[str, Callable[[Any], Any]], ...]
    names: set[str]


def _form(event_type: str, model: type[Fact]) -> _Form:
    fields = tuple(
        (name, _READERS[name] if field.is_required() else _or(field.default, _READERS[name]))
        for name, field in model.model_fields.items()
    )
    listed = next((name for name in _LISTS if name in model.model_fields), "")
    return _Form(model, TOPIC_OF_EVENT[event_type].name, listed, fields, set(model.model_fields))


def _or(default: Any, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: default if value is None else read(value)


_RARE = frozenset(
    (
        *("statement.answered", "pool.recorded", "contribution.received", "contribution.voided"),
        *("aid.decided", "aid.voided", "incident.recorded", "incident.voided"),
    )
)
"""Of these few come: only the models read them."""

_FORMS = {event_type: _form(event_type, model) for event_type, model in FACT_TYPES.items() if event_type not in _RARE}

_set = object.__setattr__


def _fact(form: _Form, document: Document) -> Fact:
    """The model's instance with these values, and all else that pydantic keeps in one."""
    get = document.get
    fact = object.__new__(form.model)
    _set(fact, "__dict__", {name: read(get(name)) for name, read in form.fields})
    _set(fact, "__pydantic_fields_set__", form.names.intersection(document))
    _set(fact, "__pydantic_extra__", None)
    _set(fact, "__pydantic_private__", None)
    return fact
