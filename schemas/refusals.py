"""Why an event was not accepted: a code, where in the event, and what to do, in Chinese and English.

A refusal is a value, not an exception: data that is wrong is an expected outcome (claims.md, section 3).
Messages name fields and rules, and sums where they do not agree, but never who somebody is.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.bilingual import Saying
from schemas.dates import Instant


class RefusalCode(StrEnum):
    MALFORMED_JSON = "MALFORMED_JSON"
    SCHEMA_INVALID = "SCHEMA_INVALID"
    UNKNOWN_EVENT_TYPE = "UNKNOWN_EVENT_TYPE"
    UNSUPPORTED_CURRENCY = "UNSUPPORTED_CURRENCY"
    TOO_LARGE = "TOO_LARGE"
    KEY_MISMATCH = "KEY_MISMATCH"
    NEGATIVE_AMOUNT = "NEGATIVE_AMOUNT"
    AMOUNTS_DO_NOT_BALANCE = "AMOUNTS_DO_NOT_BALANCE"
    ADVANCES_EXCEED_BURDEN = "ADVANCES_EXCEED_BURDEN"
    DATES_OUT_OF_ORDER = "DATES_OUT_OF_ORDER"
    FUTURE_DATED = "FUTURE_DATED"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    PERSON_MISMATCH = "PERSON_MISMATCH"
    DAY_AHEAD = "DAY_AHEAD"
    DAY_OUT_OF_ORDER = "DAY_OUT_OF_ORDER"


class RefusedState(StrEnum):
    """What is being done about a refused event."""

    OPEN = "open"
    """Nobody has proposed anything."""
    WAITING = "waiting"
    """A proposal to send it again waits for a second operator."""
    SENT = "sent"
    """It was sent again and has not come in yet."""
    DONE = "done"
    """It was sent again, and the ledger has it."""
    AGAIN = "again"
    """It was sent again and refused again: that refusal is what is open now."""


class Refusal(BaseModel):
    """One event that was not accepted. ``pointers`` are JSON pointers (RFC 6901) into the event."""

    model_config = ConfigDict(frozen=True)

    code: RefusalCode
    pointers: tuple[str, ...] = ()
    zh: str
    en: str


class EventRefused(BaseModel):
    """What goes to ``claims.deadletter``: the refusal with the original bytes and where they came from."""

    model_config = ConfigDict(frozen=True)

    event_type: Literal["event.refused"] = "event.refused"
    event_id: str
    occurred_at: Instant
    code: RefusalCode
    pointers: tuple[str, ...]
    zh: str
    en: str
    topic: str
    partition: int
    offset: int
    key_base64: str | None
    value_base64: str | None
    value_sha256: str


def refuse(code: RefusalCode, hint: Saying | None = None, pointers: tuple[str, ...] = ()) -> Refusal:
    """A refusal with the sentences of its code; ``hint`` (nothing about who somebody is) is put in brackets."""
    zh, en = hinted(_SENTENCES[code], hint, pointers)
    return Refusal(code=code, pointers=pointers, zh=zh, en=en)


def hinted(sentence: Saying, hint: Saying | None, pointers: tuple[str, ...]) -> Saying:
    """The sentence in both languages, with the fields it is about and a hint in brackets."""
    where = f" ({', '.join(pointers)})" if pointers else ""
    zh, en = (f" [{hint.zh}]", f" [{hint.en}]") if hint else ("", "")
    return Saying(sentence.zh + where + zh, sentence.en + where + en)


_SENTENCES: dict[RefusalCode, Saying] = {
    RefusalCode.MALFORMED_JSON: Saying(
        "报文不是合法的 UTF-8 JSON。请修正编码或语法后重新发送。",
        "The bytes are not valid JSON in UTF-8. Correct the encoding or the syntax and send the event again.",
    ),
    RefusalCode.SCHEMA_INVALID: Saying(
        "字段缺失或格式不对。请按接口规范补正后重新发送。",
        "A field is missing or has the wrong form. Correct the named fields and send the event again.",
    ),
    RefusalCode.UNKNOWN_EVENT_TYPE: Saying(
        "此主题不接受该事件类型。请核对 event_type 和主题名称。",
        "This topic takes no event of that type. Check event_type and the name of the topic.",
    ),
    RefusalCode.UNSUPPORTED_CURRENCY: Saying(
        "只接受人民币(CNY)。请换算后重新发送。",
        "Only CNY is accepted. Convert the amounts and send the event again.",
    ),
    RefusalCode.TOO_LARGE: Saying(
        "报文超过 1 MiB。请去掉附件等内容后重新发送。",
        "The event is larger than 1 MiB. Leave out attachments and send it again.",
    ),
    RefusalCode.KEY_MISMATCH: Saying(
        "消息键与 person_id 不一致。请以 person_id 作为消息键重新发送。",
        "The message key is not the event's person_id. Send the event again with person_id as its key.",
    ),
    RefusalCode.NEGATIVE_AMOUNT: Saying(
        "金额不能为负。退费请发送 settlement.voided 或更正版本。",
        "An amount is negative. Refund with settlement.voided or with a corrected version.",
    ),
    RefusalCode.AMOUNTS_DO_NOT_BALANCE: Saying(
        "总费用不等于各项支付与个人负担之和。请核对到分后重新发送。",
        "total_charge is not the sum of the paid amounts, copay and out_of_catalogue. Reconcile to the fen and resend.",
    ),
    RefusalCode.ADVANCES_EXCEED_BURDEN: Saying(
        "垫付金额不对:每个保障层最多一笔,每笔大于零,合计不超过个人自付与个人自费之和。请更正后重新发送。",
        "The advances are wrong: each scheme at most once, each amount over zero, together at most copay plus "
        "out_of_catalogue. Correct them and send the event again.",
    ),
    RefusalCode.DATES_OUT_OF_ORDER: Saying(
        "日期先后颠倒(出院早于入院,或失效日不晚于生效日)。请核对日期。",
        "Dates are out of order: discharge before admission, or valid_to not after valid_from. Check the dates.",
    ),
    RefusalCode.FUTURE_DATED: Saying(
        "日期在未来(超过一天)。请核对年份、日期和发送方的时钟。",
        "A date lies in the future, by more than one day. Check the year, the date and the sender's clock.",
    ),
    RefusalCode.VERSION_CONFLICT: Saying(
        "同一编号的同一版本已接收过不同内容。更正请使用更高的版本号。",
        "This version of this id was accepted before with other content. Send a correction under a higher version.",
    ),
    RefusalCode.PERSON_MISMATCH: Saying(
        "该编号此前登记在另一人或另一次就诊名下。请核对编号与人员。",
        "This id was accepted before under another person or encounter. Check the id and whom it belongs to.",
    ),
    RefusalCode.DAY_AHEAD: Saying(
        "这一天在上海还没有到,不能提前日终。请等到当天再执行 huzhu day close。",
        "The day has not come yet in Shanghai. Close it when it has, with `huzhu day close`.",
    ),
    RefusalCode.DAY_OUT_OF_ORDER: Saying(
        "日终须逐日进行,不能跳过或倒退。请执行 huzhu day close,中间缺少的日期会一并补上。",
        "Days are closed one after the other, none left out. Run `huzhu day close`: it closes those in between too.",
    ),
}
