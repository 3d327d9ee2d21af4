"""Lines in the usual form, read straight into tables, many at once; `handlers.claims.read` reads all others.

Its slow twin is `handlers.claims.read` with `fact_tables.tables_of`. Usual is what it is in
`handlers.fast.usual_events`: a flat object with what the model asks for, no escapes, no name twice, and nothing that a
rule could refuse. Nothing is refused here: what surprises is left to the twin (tests/properties/test_usual_lines.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta, timezone
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa

from handlers.fast.usual_events import DAYS, Document, Unusual, fen, instant
from handlers.offline.columns.arrays import NEVER, Bools, Ints, number_of
from handlers.offline.columns.fact_tables import (
    BILLS,
    COVERAGES,
    DEATHS,
    MEMBERSHIPS,
    MOVEMENTS,
    OCCASIONS,
    STAYS,
    Tables,
)
from handlers.offline.columns.texts import FIRST_YEAR, UNREAD, fen_of, look_at, shanghai_instants_of
from schemas.dates import SHANGHAI
from schemas.facts import CareType, EndedReason, FacilityLevel, SettlementPosted, UnitKind
from schemas.ids import AID, INCIDENT, trigger_of
from schemas.number_literals import NumberLiteral, parse_with_literals

_SURPRISES = (KeyError, TypeError, ValueError)

_VERSION_MAX = 2**53 - 1
_NAME_MAX, _TEXT_MAX = 200, 2000
_DAY = 86_400_000_000
"""A day in microseconds."""

_TEXT: frozenset[type] = frozenset([str])
_TEXT_OR_NONE: frozenset[type] = frozenset([str, NoneType])
_AMOUNT: frozenset[type] = frozenset([str, int, NumberLiteral])

_LEVELS = frozenset(map(str, FacilityLevel))
_CARE_TYPES = frozenset(map(str, CareType))
_UNITS = frozenset(map(str, UnitKind))
_ENDED = frozenset([None, *map(str, EndedReason)])


class UsualLines(NamedTuple):
    """The facts of the usual lines, and the places, among the lines, of all others."""

    tables: Tables
    others: list[int]


def read_usual_lines(lines: Sequence[bytes], positions: Ints, as_of: datetime | None = None) -> UsualLines:
    """Reads lines that begin at some positions; with ``as_of``, those of later events are left to the twin."""
    found: dict[str, tuple[list[Document], list[int]]] = {event_type: ([], []) for event_type in _FORMS}
    others: list[int] = []
    for number, line in enumerate(lines):
        try:
            document = orjson.loads(line)
            documents, numbers = found[document["event_type"]]
        except _SURPRISES:
            others.append(number)
        else:
            documents.append(document)
            numbers.append(number)
    seen = look_at(lines)
    now = None if as_of is None else _by_shanghai(as_of)
    tables: dict[str, pa.Table] = {}
    for event_type, (schema, form) in _FORMS.items():
        documents, numbers = found[event_type]
        size = np.array([len(document) for document in documents], np.int64)
        usual = seen.plain[numbers] & (size == seen.names[numbers])
        columns = _Documents(documents, [lines[number] for number in numbers], usual, now)
        values = {"position": positions[numbers], **columns.of_every_event(), **form(columns)}
        arrays = [pa.array(values[each.name], each.type) for each in schema]
        tables[event_type] = pa.table(arrays, schema).filter(pa.array(columns.usual))
        others += np.array(numbers, np.int64)[~columns.usual].tolist()
    return UsualLines(
        (
            tables["encounter.discharged"],
            pa.concat_tables([tables["settlement.posted"], tables["settlement.voided"]]),
            pa.concat_tables([tables["coverage.recorded"], tables["coverage.voided"]]),
            tables["person.died"],
            pa.concat_tables([tables["membership.recorded"], tables["membership.voided"]]),
            MOVEMENTS.empty_table(),
            OCCASIONS.empty_table(),
        ),
        sorted(others),
    )


class _Documents:
    """Objects of one type of event, column by column; ``usual`` says of which nothing is left to the twin."""

    def __init__(self, documents: list[Document], lines: list[bytes], usual: Bools, as_of: int | None) -> None:
        self._documents, self._lines = documents, lines
        self.usual = usual
        self.occurred_at = self.instants("occurred_at")
        if as_of is not None:
            self.keep(self.occurred_at <= as_of)

    def keep(self, usual: Bools | list[bool]) -> None:
        """Leaves the others to the twin."""
        self.usual &= np.array(usual, np.bool_)

    def of_every_event(self) -> dict[str, Any]:
        """Person and version, after looking at all that every event has."""
        self.names("event_id")
        self.names("source")
        return {"person_id": self.names("person_id"), "version": self._versions()}

    def _values(self, name: str) -> list[Any]:
        return [document.get(name) for document in self._documents]

    def _column(self, name: str, kinds: frozenset[type]) -> list[Any]:
        """The values of a member, which have one of some types; None where they have not."""
        column = self._values(name)
        if not kinds.issuperset(map(type, column)):
            self.keep([type(value) in kinds for value in column])
            column = [value if type(value) in kinds else None for value in column]
        return column

    def _texts(self, name: str, kinds: frozenset[type], least: int, most: int) -> list[str]:
        column = self._column(name, kinds)
        lengths = {len(value) for value in column if value is not None}
        if lengths and not least <= min(lengths) <= max(lengths) <= most:
            self.keep([value is None or least <= len(value) <= most for value in column])
        return column

    def names(self, name: str, kinds: frozenset[type] = _TEXT) -> list[str]:
        """Identifiers: text of 1 to 200 characters, none of control."""
        return self._texts(name, kinds, 1, _NAME_MAX)

    def encounters(self) -> list[str]:
        """Ids of encounters; what begins as the claims for other occasions do is left to the twin."""
        column = self.names("encounter_id")
        if any(value is not None and value.startswith((AID, INCIDENT)) for value in column):
            self.keep([value is None or trigger_of(value) == "stay" for value in column])
        return column

    def reason(self) -> None:
        """A sentence that may be empty."""
        self._texts("reason", _TEXT, 0, _TEXT_MAX)

    def nothing_taken_off(self) -> None:
        """Bills with advances are left to the twin."""
        column = self._values("advances")
        if any(column) or not {NoneType, list}.issuperset(map(type, column)):
            self.keep([value is None or (type(value) is list and not value) for value in column])

    def lists_of_names(self, name: str) -> list[list[str]]:
        """Lists of identifiers, which may be empty."""
        column = [value or [] for value in self._column(name, frozenset([list]))]
        inner = [each for value in column for each in value]
        if not (_TEXT.issuperset(map(type, inner)) and {len(each) for each in inner} <= _LENGTHS):
            fit = [all(type(each) is str and len(each) in _LENGTHS for each in value) for value in column]
            self.keep(fit)
            column = [value if fits else [] for value, fits in zip(column, fit, strict=True)]
        return column

    def words(self, name: str, known: Collection[str | None], kinds: frozenset[type] = _TEXT) -> list[str]:
        """One of some words."""
        column = self._column(name, kinds)
        if not set(column) <= set(known):
            self.keep([value in known for value in column])
        return column

    def flags(self, name: str) -> list[bool]:
        """Yes or no."""
        return self._column(name, frozenset([bool]))

    def _versions(self) -> list[int]:
        column = self._column("version", frozenset([int]))
        if column and (None in column or not 1 <= min(column) <= max(column) <= _VERSION_MAX):
            fit = [value is not None and 1 <= value <= _VERSION_MAX for value in column]
            self.keep(fit)
            column = [value if fits else 0 for value, fits in zip(column, fit, strict=True)]
        return column

    def days(self, name: str, kinds: frozenset[type] = _TEXT) -> Ints:
        """Calendar days as numbers; one that is left out never comes."""
        numbers = np.array([_DAY_NUMBERS[value] for value in self._column(name, kinds)], np.int64)
        self.keep(numbers != UNREAD)
        return numbers

    def instants(self, name: str) -> Ints:
        """Instants in microseconds since 1970 by the clock of Shanghai."""
        column = [value or "" for value in self._column(name, _TEXT)]
        return self._read_alone(column, shanghai_instants_of(column), _instant)

    def amounts(self, name: str) -> Ints:
        """Amounts of yuan in fen, not below zero."""
        column = self._values(name)
        if float in set(map(type, column)):  # what counts of a number is its literal
            for row in np.flatnonzero(self.usual).tolist():
                if type(column[row]) is float:
                    self._documents[row] = parse_with_literals(self._lines[row])
        column = self._column(name, _AMOUNT)
        texts = column if set(map(type, column)) <= _TEXT else list(map(str, column))
        return self._read_alone(texts, fen_of(texts), fen)

    def _read_alone(self, texts: list[str], numbers: Ints, one: Callable[[str], int]) -> Ints:
        """What could not be read with the others is read by itself, or left to the twin."""
        for row in np.flatnonzero(numbers == UNREAD).tolist():
            try:
                numbers[row] = one(texts[row])
            except ValueError:
                self.usual[row] = False
        return numbers


_LENGTHS = frozenset(range(1, _NAME_MAX + 1))


class _DayNumbers(dict[str | None, int]):
    """Days by their text, as numbers."""

    def __missing__(self, text: str) -> int:
        if len(self) > _DAYS_MAX:
            self.clear()
            self[None] = NEVER
        try:
            number = number_of(DAYS[text])
        except ValueError:
            return UNREAD
        self[text] = number
        return number


_DAYS_MAX = 100_000
_DAY_NUMBERS = _DayNumbers({None: NEVER})


def _instant(text: str) -> int:
    at = instant(text)
    if at.astimezone(SHANGHAI).year < FIRST_YEAR:
        raise Unusual
    return _by_shanghai(at)


def _by_shanghai(at: datetime) -> int:
    """Microseconds since 1970 by the clock of Shanghai, as it runs since 1992."""
    return (at - _SHANGHAI_1970) // timedelta(microseconds=1)


_SHANGHAI_1970 = datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=8)))


# The forms of events -------------------------------------------------------------------------------------------------


def _stay(its: _Documents) -> dict[str, Any]:
    its.names("facility_id")
    admitted, discharged = its.days("admitted_on"), its.days("discharged_on")
    its.keep((admitted <= discharged) & (discharged <= its.occurred_at // _DAY))
    return {
        "id": its.encounters(),
        "facility_level": its.words("facility_level", _LEVELS),
        "care_type": its.words("care_type", _CARE_TYPES),
        "admitted_on": admitted,
        "discharged_on": discharged,
        "diagnoses": its.lists_of_names("diagnoses"),
    }


def _bill(its: _Documents) -> dict[str, Any]:
    its.names("facility_id")
    its.words("currency", ["CNY"])
    settled = its.instants("settled_at")
    its.keep(settled <= its.occurred_at)
    total, *parts = map(its.amounts, SettlementPosted.money_fields)
    its.keep(total == sum(parts))
    its.nothing_taken_off()
    return {
        "id": its.names("settlement_id"),
        "encounter_id": its.encounters(),
        "live": np.ones(len(total), np.bool_),
        "final": its.flags("final"),
        "settled_on": settled // _DAY,
        "copay": parts[-2],
        "out_of_catalogue": parts[-1],
        "advances": [None] * len(total),
        "invoice_no": its.names("invoice_no", _TEXT_OR_NONE),
    }


def _voided(its: _Documents) -> dict[str, Any]:
    its.reason()
    nothing = np.zeros(len(its.usual), np.int64)
    return {
        "id": its.names("settlement_id"),
        "encounter_id": its.encounters(),
        "live": nothing != 0,
        "final": nothing != 0,
        "settled_on": nothing + NEVER,
        "copay": nothing,
        "out_of_catalogue": nothing,
        "advances": [None] * len(nothing),
        "invoice_no": [None] * len(nothing),
    }


def _coverage(its: _Documents) -> dict[str, Any]:
    its.names("household_id", _TEXT_OR_NONE)
    start, end = its.days("valid_from"), its.days("valid_to", _TEXT_OR_NONE)
    its.keep(start < end)
    return {
        "id": its.names("coverage_id"),
        "live": np.ones(len(start), np.bool_),
        "programme": its.names("programme"),
        "category": its.names("category"),
        "area": its.names("area", _TEXT_OR_NONE),
        "pool_id": its.names("pool_id", _TEXT_OR_NONE),
        "ended_reason": its.words("ended_reason", _ENDED, _TEXT_OR_NONE),
        "valid_from": start,
        "valid_to": end,
    }


def _uncovered(its: _Documents) -> dict[str, Any]:
    its.reason()
    nothing: list[None] = [None] * len(its.usual)
    never = np.full(len(nothing), NEVER, np.int64)
    return {
        "id": its.names("coverage_id"),
        "live": np.zeros(len(nothing), np.bool_),
        "programme": nothing,
        "category": nothing,
        "area": nothing,
        "pool_id": nothing,
        "ended_reason": nothing,
        "valid_from": never,
        "valid_to": never,
    }


def _death(its: _Documents) -> dict[str, Any]:
    died = its.days("died_on")
    its.keep(died <= its.occurred_at // _DAY)
    return {"id": its.names("person_id"), "died_on": died}


def _membership(its: _Documents) -> dict[str, Any]:
    its.names("role", _TEXT_OR_NONE)
    start, end = its.days("valid_from"), its.days("valid_to", _TEXT_OR_NONE)
    its.keep(start < end)
    return {
        "id": its.names("membership_id"),
        "live": np.ones(len(start), np.bool_),
        "household_id": its.names("household_id"),
        "unit": its.words("unit", _UNITS),
        "valid_from": start,
        "valid_to": end,
    }


def _no_membership(its: _Documents) -> dict[str, Any]:
    its.reason()
    nothing: list[None] = [None] * len(its.usual)
    never = np.full(len(nothing), NEVER, np.int64)
    return {
        "id": its.names("membership_id"),
        "live": np.zeros(len(nothing), np.bool_),
        "household_id": nothing,
        "unit": nothing,
        "valid_from": never,
        "valid_to": never,
    }


_FORMS: dict[str, tuple[pa.Schema, Callable[[_Documents], dict[str, Any]]]] = {
    "encounter.discharged": (STAYS, _stay),
    "settlement.posted": (BILLS, _bill),
    "settlement.voided": (BILLS, _voided),
    "coverage.recorded": (COVERAGES, _coverage),
    "coverage.voided": (COVERAGES, _uncovered),
    "person.died": (DEATHS, _death),
    "membership.recorded": (MEMBERSHIPS, _membership),
    "membership.voided": (MEMBERSHIPS, _no_membership),
}
