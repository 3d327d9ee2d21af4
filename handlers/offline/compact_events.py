"""The compact form in which nearly all events come, read in a tenth of the time; `read` reads the others.

A compact record is a flat tuple of what adjudication needs, so that it can be marshalled from process to process; days
and instants are text. `parse_compact` never refuses: it returns the record of an event that `read` would accept, or
None, and then `read` decides (a test compares the two).
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

from handlers.fast.usual_events import DAYS, each_name_once, fen
from schemas.dates import format_instant
from schemas.facts import (
    CareType,
    CoverageRecorded,
    CoverageVoided,
    EncounterDischarged,
    FacilityLevel,
    Fact,
    PersonDied,
    SettlementPosted,
    SettlementVoided,
)
from schemas.money import NumberLiteral

CompactRecord = tuple[Any, ...]
"""First come letter, person, id and version, then what the kind of event adds."""

LETTER, PERSON_ID, SUBJECT_ID, VERSION = 0, 1, 2, 3
"""Where these are in every record."""

ENCOUNTER_ID = 4
"""Where a bill or its voiding names its encounter."""

STAY, BILL, VOID, COVERAGE, UNCOVERED, DEATH, OTHER = "E", "S", "V", "C", "W", "D", "-"
"""The letter of a record, by what its event says."""

_LEVELS = frozenset(map(str, FacilityLevel))
_CARE_TYPES = frozenset(map(str, CareType))
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\+08:00|(Z))")
_SHANGHAI_IS_UTC_8 = "1992"
"""First year from which +08:00 is the time of Shanghai on every day: there the text begins with the business date."""
_SHANGHAI_AHEAD = timedelta(hours=8)
_LINE_BYTES_MAX = 10_000
_VERSION_MAX = 2**53 - 1


class _NotCompact(Exception):
    """Something that only `handlers.claims.read` judges."""


def parse_compact(line: bytes, as_of: str | None = None) -> CompactRecord | None:
    """The record of an event in compact form: flat, without escapes, times in +08:00 or Z and not before 1992.

    ``as_of``, if given, is when the event is taken in, as `format_instant` writes it; later events are not compact.
    """
    if len(line) > _LINE_BYTES_MAX or b"\\" in line or b"\x7f" in line:
        return None
    try:
        document = _decode(line.decode())
        make = _RECORDS[document["event_type"]]
        _flat(document, line)
        occurred_at = _instant(document["occurred_at"])
        if as_of is not None and occurred_at > as_of:
            return None
        person_id = document["person_id"]
        _names(document["event_id"], document["source"], person_id)
        version = document["version"]
        if type(version) is not int or not 1 <= version <= _VERSION_MAX:
            return None
        return make(document, person_id, version, occurred_at)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, _NotCompact):
        return None


def _flat(document: dict[str, Any], line: bytes) -> None:
    """Refuses nesting (but for one list) and duplicate members."""
    if not each_name_once(document, line) or line.count(b"{") > 1 or line.count(b"[") > 1:
        raise _NotCompact


def _no_constant(name: str) -> object:
    raise _NotCompact


_decode = json.JSONDecoder(parse_float=NumberLiteral, parse_constant=_no_constant).decode


def _names(*names: Any) -> None:
    """Identifiers: text of 1 to 200 characters (the line as a whole holds no control character)."""
    for name in names:
        if type(name) is not str or not 0 < len(name) <= 200:
            raise _NotCompact


def _stay(document: dict[str, Any], person_id: str, version: int, occurred_at: str) -> CompactRecord:
    encounter_id, level, care_type = document["encounter_id"], document["facility_level"], document["care_type"]
    admitted_on, discharged_on, diagnoses = document["admitted_on"], document["discharged_on"], document["diagnoses"]
    _names(encounter_id, document["facility_id"], *diagnoses)
    if level not in _LEVELS or care_type not in _CARE_TYPES or type(diagnoses) is not list:
        raise _NotCompact
    if not DAYS[admitted_on] <= DAYS[discharged_on] or discharged_on > occurred_at[:10]:
        raise _NotCompact
    return (STAY, person_id, encounter_id, version, level, care_type, admitted_on, discharged_on, diagnoses)


def _bill(document: dict[str, Any], person_id: str, version: int, occurred_at: str) -> CompactRecord:
    settlement_id, encounter_id = document["settlement_id"], document["encounter_id"]
    settled_at, final, invoice_no = document["settled_at"], document["final"], document.get("invoice_no", "-")
    _names(settlement_id, encounter_id, document["facility_id"], "-" if invoice_no is None else invoice_no)
    if type(final) is not bool or document["currency"] != "CNY":
        raise _NotCompact
    settled_at = _instant(settled_at)
    if settled_at > occurred_at:
        raise _NotCompact
    total, *parts = [fen(document[name]) for name in SettlementPosted.money_fields]
    if total != sum(parts):
        raise _NotCompact
    return (BILL, person_id, settlement_id, version, encounter_id, settled_at, final, parts[-2], parts[-1])


def _instant(text: str) -> str:
    """An instant as `format_instant` writes it, so that instants compare as their texts do."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise _NotCompact
    DAYS[text[:10]]
    if match[1]:
        text = (datetime.fromisoformat(text[:-1]) + _SHANGHAI_AHEAD).isoformat() + "+08:00"
    if text < _SHANGHAI_IS_UTC_8:
        raise _NotCompact
    return text


def _void(document: dict[str, Any], person_id: str, version: int, _: str) -> CompactRecord:
    settlement_id, encounter_id = document["settlement_id"], document["encounter_id"]
    _names(settlement_id, encounter_id)
    _reason(document)
    return (VOID, person_id, settlement_id, version, encounter_id)


def _coverage(document: dict[str, Any], person_id: str, version: int, _: str) -> CompactRecord:
    coverage_id, programme, category = document["coverage_id"], document["programme"], document["category"]
    area = document.get("area")
    valid_from, valid_to = document["valid_from"], document.get("valid_to")
    _names(coverage_id, programme, category)
    _names(*(name for name in (document.get("household_id"), document.get("pool_id"), area) if name is not None))
    start = DAYS[valid_from]
    if valid_to is not None and DAYS[valid_to] <= start:
        raise _NotCompact
    return (COVERAGE, person_id, coverage_id, version, programme, category, area, valid_from, valid_to)


def _uncovered(document: dict[str, Any], person_id: str, version: int, _: str) -> CompactRecord:
    coverage_id = document["coverage_id"]
    _names(coverage_id)
    _reason(document)
    return (UNCOVERED, person_id, coverage_id, version)


def _reason(document: dict[str, Any]) -> None:
    reason = document["reason"]
    if type(reason) is not str or len(reason) > 2000:
        raise _NotCompact


def _death(document: dict[str, Any], person_id: str, version: int, occurred_at: str) -> CompactRecord:
    died_on = document["died_on"]
    DAYS[died_on]
    if died_on > occurred_at[:10]:
        raise _NotCompact
    return (DEATH, person_id, person_id, version, died_on)


_RECORDS = {
    "encounter.discharged": _stay,
    "settlement.posted": _bill,
    "settlement.voided": _void,
    "coverage.recorded": _coverage,
    "coverage.voided": _uncovered,
    "person.died": _death,
}


def record_of(fact: Fact) -> CompactRecord:
    """The record of a fact that `handlers.claims.read` accepted."""
    name = (fact.person_id, fact.subject.id, fact.line_version or 0)
    match fact:
        case EncounterDischarged():
            days = str(fact.admitted_on), str(fact.discharged_on)
            return (STAY, *name, str(fact.facility_level), str(fact.care_type), *days, list(fact.diagnoses))
        case SettlementPosted():
            amounts = fact.copay, fact.out_of_catalogue
            return (BILL, *name, fact.encounter_id, format_instant(fact.settled_at), fact.final, *amounts)
        case SettlementVoided():
            return (VOID, *name, fact.encounter_id)
        case CoverageRecorded():
            until = None if fact.valid_to is None else str(fact.valid_to)
            return (COVERAGE, *name, fact.programme, fact.category, fact.area, str(fact.valid_from), until)
        case CoverageVoided():
            return (UNCOVERED, *name)
        case PersonDied():
            return (DEATH, *name, str(fact.died_on))
    return (OTHER, *name)
