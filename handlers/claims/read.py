"""From bytes to a fact or a refusal, looking at the event alone (claims.md, section 3).

Total: whatever the bytes are, the answer is a value. The first rule that fails gives the code, in the order
size, JSON, event type, fields, currency, key, sign, balance, dates; last the moment of intake, if one is given.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from handlers.claims.event_json import parse_event
from handlers.claims.future_dates import date_after_event, event_after_intake
from handlers.fast.usual_events import read_usual, recall_usual
from handlers.words.field_hints import field_hint, imbalance
from schemas.bilingual import Saying
from schemas.canonical import canonical_json, sha256_hex
from schemas.facts import (
    FACT_TYPES,
    AidDecided,
    AnswerVerdict,
    ContributionReceived,
    CoverageRecorded,
    EncounterDischarged,
    Fact,
    IncidentRecorded,
    MembershipRecorded,
    SettlementPosted,
    SettlementVoided,
    StatementAnswered,
)
from schemas.ids import trigger_of
from schemas.money import format_yuan
from schemas.number_literals import NumberLiteral, parse_with_literals
from schemas.refusals import Refusal, RefusalCode, refuse
from schemas.topics import DAYS, EVENT_BYTES_MAX, TOPIC_OF_EVENT

ASIDE = ("event_id", "occurred_at")
"""Fields in which two copies of one event may differ: not part of its content."""


class Reading(NamedTuple):
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
    value = value or b""
    if len(value) > EVENT_BYTES_MAX:
        return refuse(RefusalCode.TOO_LARGE)
    found = read_usual(value, topic) or read_by_models(value, topic)
    if isinstance(found, Refusal):
        return found
    fact, document = found
    refusal = _rules(fact, key)
    if refusal is None and as_of is not None:
        refusal = event_after_intake(fact, as_of)
    return refusal or Reading(fact, _content_sha256(document, fact))


def read_by_models(value: bytes, topic: str | None = None) -> tuple[Fact, dict[str, Any]] | Refusal:
    """What `read_usual` does, for any bytes: the fact and the object that they hold, or why there is none."""
    document = parse_event(value)
    if isinstance(document, Refusal):
        return document
    model = _model(document, topic)
    if isinstance(model, Refusal):
        return model
    try:
        return model.model_validate(document), document
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        pointers = [pointer_of(detail["loc"]) for detail in details]
        if _is_reserved(document.get("encounter_id")):
            pointers.append("/encounter_id")
        return refuse(RefusalCode.SCHEMA_INVALID, field_hint(details[0]), tuple(dict.fromkeys(pointers)))


def wrong_fields(value: bytes, as_of: datetime) -> list[tuple[str, Saying]]:
    """Everything that is wrong with the bytes of an event taken in at ``as_of``: JSON pointer and what is wrong there.

    The pointer is empty where the whole event is meant. The list is empty if `read` gives a fact.
    """
    refusal = read(value, as_of=as_of)
    if not isinstance(refusal, Refusal):
        return []
    if refusal.code is RefusalCode.SCHEMA_INVALID and refusal.pointers not in (("",), ("/event_type",)):
        document = parse_with_literals(value)
        try:
            FACT_TYPES[document["event_type"]].model_validate(document)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            found = [(pointer_of(detail["loc"]), field_hint(detail)) for detail in details]
            return [*found, ("/encounter_id", _RESERVED)] if _is_reserved(document.get("encounter_id")) else found
    return [(pointer, Saying(refusal.zh, refusal.en)) for pointer in refusal.pointers or ("",)]


def recall(value: bytes) -> Fact:
    """The fact in bytes that were accepted before: no rule is checked again.

    But for two: before releases knew ``advances`` and ``ended_reason``, a sender could call anything so. What is no
    advance, or none of the reasons, counts as none.
    """
    usual = recall_usual(value)
    if usual is not None and not (type(usual) is SettlementPosted and usual.advances and _odd_advances(usual, value)):
        return usual
    document = parse_with_literals(value)
    model = FACT_TYPES[document["event_type"]]
    try:
        fact = model.model_validate(document)
    except ValidationError:
        fact = None
    if fact is None or (type(fact) is SettlementPosted and _advances(fact)):
        fact = model.model_validate({**document, "advances": (), "ended_reason": None})
    return fact


def _odd_advances(bill: SettlementPosted, value: bytes) -> bool:
    """Whether something in the advances may break a rule, of the bill or of its fields: then the model reads them."""
    return b"\\" in value or b"\x7f" in value or _advances(bill) is not None


def event_type_of(document: dict[str, Any]) -> str | Refusal:
    """The event type of an object, or the refusal of one that names none."""
    event_type = document.get("event_type")
    if not isinstance(event_type, str) or isinstance(event_type, NumberLiteral):
        hint = Saying("缺少 event_type,或不是字符串", "event_type is missing or no string")
        return refuse(RefusalCode.SCHEMA_INVALID, hint, ("/event_type",))
    return event_type


def _model(document: dict[str, Any], topic: str | None) -> type[Fact] | Refusal:
    event_type = event_type_of(document)
    if isinstance(event_type, Refusal):
        return event_type
    model = FACT_TYPES.get(event_type)
    if model is None or (topic is not None and TOPIC_OF_EVENT[event_type].name != topic):
        hint = _CLOSED_BY if event_type in DAYS.event_types else None
        return refuse(RefusalCode.UNKNOWN_EVENT_TYPE, hint, ("/event_type",))
    return model


def _is_reserved(encounter_id: object) -> bool:
    """Whether an encounter's id begins as those of claims for other occasions do."""
    return isinstance(encounter_id, str) and trigger_of(encounter_id) != "stay"


_RESERVED = Saying(
    "就诊编号不能以 incident: 或 aid: 开头:它们是其他事项的编号",
    "the id of an encounter begins neither with incident: nor with aid:, which name other occasions",
)

_CLOSED_BY = Saying("日终请用 huzhu day close", "days are closed with `huzhu day close`")
"""What to do instead of sending a closed day as if it were a fact."""


def _rules(fact: Fact, key: bytes | KeyNotGiven | None) -> Refusal | None:
    if isinstance(fact, EncounterDischarged | SettlementPosted | SettlementVoided) and _is_reserved(fact.encounter_id):
        return refuse(RefusalCode.SCHEMA_INVALID, _RESERVED, ("/encounter_id",))
    if type(fact) is SettlementPosted and fact.currency != "CNY":
        return refuse(RefusalCode.UNSUPPORTED_CURRENCY, pointers=("/currency",))
    if type(fact) is StatementAnswered:
        refusal = _answer(fact)
        if refusal is not None:
            return refusal
    if type(fact) is ContributionReceived and len(set(fact.restricted_to)) < len(fact.restricted_to):
        hint = Saying("每个保障层只写一次", "each scheme once")
        return refuse(RefusalCode.SCHEMA_INVALID, hint, ("/restricted_to",))
    if not isinstance(key, KeyNotGiven) and key != fact.person_id.encode("utf-8"):
        return refuse(RefusalCode.KEY_MISMATCH, _OTHER_KEYS.get(fact.owner_field), (f"/{fact.owner_field}",))
    if type(fact) is ContributionReceived and fact.amount <= 0:
        return refuse(RefusalCode.NEGATIVE_AMOUNT, _NO_MONEY, ("/amount",))
    if type(fact) is AidDecided and fact.amount <= 0:
        return refuse(RefusalCode.NEGATIVE_AMOUNT, _NO_AID, ("/amount",))
    if type(fact) is IncidentRecorded and fact.verified_loss is not None and fact.verified_loss < 0:
        return refuse(RefusalCode.NEGATIVE_AMOUNT, pointers=("/verified_loss",))
    if type(fact) is SettlementPosted:
        amounts = [getattr(fact, name) for name in fact.money_fields]
        if min(amounts) < 0:
            negative = tuple(f"/{name}" for name in fact.money_fields if getattr(fact, name) < 0)
            return refuse(RefusalCode.NEGATIVE_AMOUNT, pointers=negative)
        parts = sum(amounts[1:])
        if fact.total_charge != parts:
            hint = imbalance(
                fact.total_charge,
                parts,
                Saying("总费用", "total_charge is"),
                Saying("其余各项合计", "the other amounts add up to"),
            )
            return refuse(RefusalCode.AMOUNTS_DO_NOT_BALANCE, hint, ("/total_charge",))
        refusal = _advances(fact)
        if refusal is not None:
            return refusal
    return _dates(fact)


_OTHER_KEYS = {
    "insurer_id": Saying("对账单答复以 insurer_id 作为消息键", "the key of an answer to a statement is its insurer_id"),
    "pool_id": Saying("资金池的报文以 pool_id 作为消息键", "the key of an event about a pool is its pool_id"),
}
"""Which member is the key of events that belong to no person."""

_NO_MONEY = Saying(
    "到账金额应大于零;没有到账的请发送 contribution.voided",
    "a contribution is over zero; one that was never received is taken back with contribution.voided",
)

_NO_AID = Saying(
    "救助金额应大于零;不再给予的请发送 aid.voided",
    "an aid is over zero; one that is not given is taken back with aid.voided",
)


def _answer(fact: StatementAnswered) -> Refusal | None:
    """A dispute has reasons, one for each line that it names, each line once; a confirmation has neither."""
    pointers = tuple(f"/{name}" for name in ("lines", "reasons") if getattr(fact, name))
    if fact.verdict is AnswerVerdict.CONFIRMED:
        hint = Saying("确认时不写 lines 和 reasons", "what is confirmed has neither lines nor reasons")
        return refuse(RefusalCode.SCHEMA_INVALID, hint, pointers) if pointers else None
    if not fact.reasons:
        hint = Saying("有异议时请写明理由", "a dispute says why")
        return refuse(RefusalCode.SCHEMA_INVALID, hint, ("/reasons",))
    empty = tuple(f"/reasons/{index}" for index, reason in enumerate(fact.reasons) if not reason.strip())
    if empty:
        return refuse(RefusalCode.SCHEMA_INVALID, Saying("理由不能为空", "a reason is not empty"), empty)
    if len(set(fact.lines)) < len(fact.lines):
        hint = Saying("每行只写一次", "each line once")
        return refuse(RefusalCode.SCHEMA_INVALID, hint, ("/lines",))
    if fact.lines and len(fact.lines) != len(fact.reasons):
        hint = Saying("lines 中的每一行对应一条理由", "one reason for each of the lines")
        return refuse(RefusalCode.SCHEMA_INVALID, hint, pointers)
    return None


def _advances(fact: SettlementPosted) -> Refusal | None:
    """Each scheme at most once, each amount over zero, together at most what the person bears (payers.md, 1)."""
    if not fact.advances:
        return None
    seen, wrong = set[str](), list[str]()
    for index, advance in enumerate(fact.advances):
        if advance.scheme_id in seen:
            wrong.append(f"/advances/{index}/scheme_id")
        if advance.amount <= 0:
            wrong.append(f"/advances/{index}/amount")
        seen.add(advance.scheme_id)
    if wrong:
        return refuse(RefusalCode.ADVANCES_EXCEED_BURDEN, pointers=tuple(wrong))
    together, burden = sum(advance.amount for advance in fact.advances), fact.copay + fact.out_of_catalogue
    if together > burden:
        hint = imbalance(
            together, burden, Saying("垫付合计", "the advances are"), Saying("个人负担", "the person bears")
        )
        return refuse(RefusalCode.ADVANCES_EXCEED_BURDEN, hint, ("/advances",))
    return None


def _dates(fact: Fact) -> Refusal | None:
    if type(fact) is EncounterDischarged and fact.discharged_on < fact.admitted_on:
        return refuse(RefusalCode.DATES_OUT_OF_ORDER, pointers=("/admitted_on", "/discharged_on"))
    if isinstance(fact, CoverageRecorded | MembershipRecorded):
        if fact.valid_to is not None and fact.valid_to <= fact.valid_from:
            return refuse(RefusalCode.DATES_OUT_OF_ORDER, pointers=("/valid_from", "/valid_to"))
        return None
    return date_after_event(fact)


def _content_sha256(document: dict[str, Any], fact: Fact) -> str:
    """SHA-256 of what the event says; amounts count by value, so ``1.5`` and ``"1.50"`` are one content."""
    content = document.copy()
    for name in ASIDE:
        del content[name]
    for name in fact.money_fields:
        if content.get(name) is not None:
            content[name] = getattr(fact, name)
    if type(fact) is SettlementPosted and fact.advances:
        told = zip(content["advances"], fact.advances, strict=True)
        content["advances"] = [{**each, "amount": format_yuan(advance.amount)} for each, advance in told]
    return sha256_hex(canonical_json(content))


def pointer_of(location: tuple[int | str, ...]) -> str:
    """RFC 6901: ``("diagnoses", 0)`` is ``/diagnoses/0``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
