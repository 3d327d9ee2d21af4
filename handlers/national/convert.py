"""The national settlement list (国家医保信息平台) as events of claims.md: one record in, its events or a refusal out.

A settlement becomes `settlement.posted` and, unless it is an interim one, `encounter.discharged` before it; a refund
becomes `settlement.voided`. Pure: the same record and mapping give the same events, but for ``occurred_at``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers.claims.read import read
from handlers.national.amounts import DETAILS, converted, taken_off
from handlers.national.settlement_values import (
    FieldTrouble,
    NationalRecord,
    amount,
    code,
    day,
    from_the_future,
    instant,
    spelled,
    text,
)
from handlers.words.field_hints import json_hint
from schemas.bilingual import Saying
from schemas.canonical import derived_id
from schemas.dates import format_instant, shanghai_date
from schemas.money import format_yuan
from schemas.national.mapping import NationalMapping, NationalMappings
from schemas.national.national_refusal import NationalCode, NationalRefusal
from schemas.number_literals import NumberLiteral
from schemas.refusals import Refusal, RefusalCode, hinted

EventJson = dict[str, Any]

VERSION_SECONDS = 10
"""A version is the settlement's time as yyyyMMddHHmmss, times ten; the last digit is 1 if it is voided."""

_SEPARATORS = re.compile(r"[,;，；、|\s]+")


@dataclass(frozen=True, slots=True)
class Converted:
    """The events of one record, in the order in which they are to be sent."""

    events: tuple[EventJson, ...]


Answer = Converted | NationalRefusal


def parse(body: bytes) -> list[dict[str, object]] | NationalRefusal:
    """The records in a JSON text: one, a list, or the platform's answer with one in ``output.setlinfo``."""
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_float=NumberLiteral)
    except (ValueError, RecursionError) as error:
        return _malformed(json_hint(error))
    for wrapper in ("output", "setlinfo"):
        if isinstance(document, dict) and isinstance(document.get(wrapper), dict):
            document = document[wrapper]
    records = document if isinstance(document, list) else [document]
    if not all(isinstance(record, dict) for record in records):
        return _malformed()
    return records


def convert(
    record: Mapping[str, object],
    mappings: NationalMappings,
    occurred_at: datetime,
    settled: Mapping[str, int] | None = None,
) -> Answer:
    """The events of one record. ``occurred_at`` is the moment of sending; ``settled`` the totals (fen) of settlements
    that are sent with it, by ``setl_id``."""
    try:
        fields = spelled(record)
        settled_at = instant(fields, "setl_time")
        mapping = _mapping(fields, mappings, settled_at)
        if isinstance(mapping, NationalRefusal):
            return mapping
        if _refunds(fields):
            events = _void(fields, mapping, settled_at, occurred_at, settled or {})
        else:
            events = _posted(fields, mapping, settled_at, occurred_at)
        ahead = from_the_future(fields, occurred_at)
    except FieldTrouble as trouble:
        return trouble.refusal
    if isinstance(events, NationalRefusal):
        return events
    if ahead is not None:
        return _as_read(ahead)
    for event in events:  # the reader that the worker uses too has the last word
        outcome = read(json.dumps(event).encode("utf-8"))
        if isinstance(outcome, Refusal):
            return _as_read(outcome)
    return Converted(tuple(events))


def _mapping(
    record: NationalRecord, mappings: NationalMappings, settled_at: datetime
) -> NationalMapping | NationalRefusal:
    facilities = mappings.facilities()
    named = "fixmedins_code" in record or len(facilities) != 1
    facility = text(record, "fixmedins_code") if named else facilities[0]
    found = mappings.find(facility, shanghai_date(settled_at))
    if found is not None:
        return found
    return NationalRefusal(
        code=NationalCode.NO_MAPPING,
        fields=("fixmedins_code", "setl_time"),
        zh="没有适用于该医疗机构和结算日期的对照表。请核对 fixmedins_code、setl_time,或登记对照表。",
        en="No mapping of this facility is in force on the day of setl_time. Check fixmedins_code and setl_time, or "
        "add a mapping.",
    )


def _refunds(record: NationalRecord) -> bool:
    flag = code(record, "refd_setl_flag") or "0"
    if flag.strip("0") not in ("", "1"):
        raise FieldTrouble("refd_setl_flag", Saying("只能是 0 或 1", "is neither 0 nor 1"))
    total = amount(record, "medfee_sumamt")
    return flag.strip("0") == "1" or (total is not None and total < 0)


def _posted(
    record: NationalRecord, mapping: NationalMapping, settled_at: datetime, occurred_at: datetime
) -> list[EventJson] | NationalRefusal:
    amounts = converted(record, mapping)
    if isinstance(amounts, NationalRefusal):
        return amounts
    final = (code(record, "mid_setl_flag") or "0").strip("0") == ""
    version = _version(record, settled_at, 0)
    settlement_id = text(record, "setl_id")
    event = _event(record, mapping, occurred_at, "settlement.posted", settlement_id, version)
    event |= {
        "settlement_id": settlement_id,
        "facility_id": mapping.facility_id,
        "settled_at": format_instant(settled_at),
        "final": final,
        "currency": "CNY",
        **{name: format_yuan(fen) for name, fen in amounts.items()},
        "national": _origin(record, mapping),
    }
    if "invono" in record:
        event["invoice_no"] = text(record, "invono")
    advances = [{"scheme_id": name, "amount": format_yuan(fen)} for name, fen in taken_off(record, mapping).items()]
    if advances:
        event["advances"] = advances
    if not final:
        return [event]
    discharge = _discharged(record, mapping, occurred_at, version)
    return discharge if isinstance(discharge, NationalRefusal) else [discharge, event]


def _discharged(
    record: NationalRecord, mapping: NationalMapping, occurred_at: datetime, version: int
) -> EventJson | NationalRefusal:
    level_code, care_code = code(record, "hosp_lv"), code(record, "med_type")
    level = mapping.level_of(level_code or "")
    if level is None:
        return _unknown("hosp_lv", mapping)
    care_type = None if care_code is None else mapping.care_type_of(care_code)
    if care_type is None:
        return _unknown("med_type", mapping)
    event = _event(record, mapping, occurred_at, "encounter.discharged", text(record, "mdtrt_id"), version)
    return event | {
        "facility_id": mapping.facility_id,
        "facility_level": level.value,
        "care_type": care_type.value,
        "admitted_on": day(record, "begndate").isoformat(),
        "discharged_on": day(record, "enddate").isoformat(),
        "diagnoses": _diagnoses(record),
        "national": {"mapping_id": mapping.id, "mapping_sha256": mapping.sha256},
    }


def _void(
    record: NationalRecord,
    mapping: NationalMapping,
    settled_at: datetime,
    occurred_at: datetime,
    settled: Mapping[str, int],
) -> list[EventJson] | NationalRefusal:
    total = amount(record, "medfee_sumamt") or 0
    original = text(record, "init_setl_id" if "init_setl_id" in record else "setl_id")
    if total < 0 and "init_setl_id" not in record and original not in settled:
        return NationalRefusal(
            code=NationalCode.REFUND_UNMATCHED,
            fields=("init_setl_id", "setl_id", "medfee_sumamt"),
            zh="退费记录没有注明原结算。请在 init_setl_id 中填写被退的结算 ID。",
            en="A refund does not say which settlement it refunds. Put its setl_id into init_setl_id.",
        )
    if total < 0 and settled.get(original, -total) != -total:
        return NationalRefusal(
            code=NationalCode.REFUND_UNMATCHED,
            fields=("medfee_sumamt", "init_setl_id"),
            zh="退费金额与原结算的总额不同。部分退费请先全额退费,再重新结算。",
            en="A refund's total is not the total that was settled. Refund the whole settlement and settle again.",
        )
    event = _event(record, mapping, occurred_at, "settlement.voided", original, _version(record, settled_at, 1))
    return [event | {"settlement_id": original, "reason": "医保退费结算 refund in the national settlement list"}]


def _event(
    record: NationalRecord, mapping: NationalMapping, occurred_at: datetime, event_type: str, subject: str, version: int
) -> EventJson:
    """The fields of every event. ``event_id`` follows from the content, so that sending a file twice repeats it."""
    encounter_id = text(record, "mdtrt_id")
    return {
        "event_type": event_type,
        "event_id": derived_id("national", event_type, subject, version),
        "occurred_at": format_instant(occurred_at),
        "source": f"national:{mapping.facility_id}",
        "person_id": text(record, "psn_no"),
        "encounter_id": encounter_id,
        "version": version,
    }


def _version(record: NationalRecord, settled_at: datetime, voided: int) -> int:
    """Later beats earlier: ``version`` if the sender numbers by itself, else ``updt_time`` or ``setl_time``."""
    number = code(record, "version")
    if number is not None:
        if not re.fullmatch(r"[1-9][0-9]{0,15}", number):
            raise FieldTrouble("version", Saying("不是从 1 开始的整数", "is not a whole number of at least 1"))
        return int(number)
    changed_at = instant(record, "updt_time") if "updt_time" in record else settled_at
    newest = max(changed_at, settled_at)
    return int(newest.strftime("%Y%m%d%H%M%S")) * VERSION_SECONDS + voided


def _origin(record: NationalRecord, mapping: NationalMapping) -> EventJson:
    """How the settlement was derived from the list, for the explanation."""
    details = {name: amount(record, name) or 0 for name in DETAILS}
    return {
        "mapping_id": mapping.id,
        "mapping_sha256": mapping.sha256,
        "counted": [
            {"field": name, "amount": format_yuan(fen), "as": getattr(mapping.counts_as, name)}
            for name, fen in details.items()
        ],
        "acct_pay": format_yuan(amount(record, "acct_pay") or 0),
    }


def _diagnoses(record: NationalRecord) -> list[str]:
    value = record.get("dise_codg")
    if isinstance(value, list):
        return [str(diagnosis).strip() for diagnosis in value if str(diagnosis).strip()]
    if value is None:
        return []
    return [diagnosis for diagnosis in _SEPARATORS.split(text(record, "dise_codg")) if diagnosis]


def _unknown(name: str, mapping: NationalMapping) -> NationalRefusal:
    return NationalRefusal(
        code=NationalCode.UNKNOWN_CODE,
        fields=(name,),
        zh=f"对照表 {mapping.id} 没有说明 {name} 的这个代码(或缺失)。请核对,或在对照表 [mapping.{name}] 中登记。",
        en=f"The mapping {mapping.id} has no such {name} code, or the code is missing. Check it, or add it to "
        f"[mapping.{name}].",
    )


def _as_read(refusal: Refusal) -> NationalRefusal:
    names = tuple(
        dict.fromkeys(_FIELD_OF.get(pointer.split("/")[1], pointer[1:]) for pointer in refusal.pointers if pointer)
    )
    return NationalRefusal(code=refusal.code, fields=names, zh=refusal.zh, en=refusal.en)


_FIELD_OF = {
    "person_id": "psn_no",
    "encounter_id": "mdtrt_id",
    "settlement_id": "setl_id",
    "facility_id": "fixmedins_code",
    "admitted_on": "begndate",
    "discharged_on": "enddate",
    "settled_at": "setl_time",
    "diagnoses": "dise_codg",
    "invoice_no": "invono",
}


def _malformed(hint: Saying | None = None) -> NationalRefusal:
    said = Saying(
        "不是合法的 UTF-8 JSON:请发送一条结算记录、结算记录的列表,或平台返回的 output.setlinfo。",
        "The body is not UTF-8 JSON with a settlement, a list of settlements, or output.setlinfo.",
    )
    zh, en = hinted(said, hint, ())
    return NationalRefusal(code=RefusalCode.MALFORMED_JSON, fields=(), zh=zh, en=en)
