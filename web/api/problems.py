"""Everything that the API can say no with: RFC 9457 problems, with a code, pointers, Chinese and English."""

from __future__ import annotations

from typing import NamedTuple

from schemas.canonical import canonical_json
from schemas.national.national_refusal import NationalRefusal
from schemas.refusals import Refusal, RefusalCode

MEDIA_TYPE = "application/problem+json"


class _Standing(NamedTuple):
    """How a code is answered: HTTP status, and its sentences."""

    status: int
    zh: str
    en: str


STATUS_OF_REFUSAL: dict[RefusalCode, int] = {
    RefusalCode.MALFORMED_JSON: 400,
    RefusalCode.TOO_LARGE: 413,
    RefusalCode.VERSION_CONFLICT: 409,
    RefusalCode.PERSON_MISMATCH: 409,
}
"""HTTP status of a refusal of claims.md; 422 where not named."""

CODES: dict[str, _Standing] = {
    "UNAUTHORIZED": _Standing(
        401,
        "没有有效的访问密钥。请在 Authorization 头里以 Bearer 方式带上密钥;遗失或过期请联系运维人员换发。",
        "There is no valid API key. Send it as a bearer token in Authorization; if it is lost or has expired, ask the "
        "operator for a new one.",
    ),
    "FORBIDDEN": _Standing(
        403,
        "此密钥无权读写这条数据。请核对机构编号(或保障层编号)和所用的密钥。",
        "This key may not read or post that. Check the facility (or scheme) and which key is used.",
    ),
    "NOT_FOUND": _Standing(404, "没有这条数据。请核对编号。", "There is nothing under that address. Check the id."),
    "METHOD_NOT_ALLOWED": _Standing(
        405, "此地址不接受这种请求方法。", "That address does not take this method; Allow names those it takes."
    ),
    "REQUEST_TIMEOUT": _Standing(
        408, "请求没有在规定时间内发完。请检查网络后重发。", "The request did not arrive in time. Send it again."
    ),
    "TOO_LARGE": _Standing(
        413,
        "请求体过大。单条报文不超过 1 MiB;批量请拆小后重发。",
        "The body is too large. An event is at most 1 MiB; split a batch and send the parts.",
    ),
    "BATCH_TOO_LONG": _Standing(
        413, "一批最多 1,000 条报文。请拆开后重发。", "A batch holds at most 1,000 events. Split it and send the parts."
    ),
    "UNSUPPORTED_MEDIA_TYPE": _Standing(
        415,
        "不支持这种内容类型。请用 application/json 或 application/x-ndjson;已配置时也可用 "
        "application/vnd.huzhu.national+json。",
        "That content type is not understood. Use application/json, application/x-ndjson or, where it is configured, "
        "application/vnd.huzhu.national+json.",
    ),
    "REQUEST_INVALID": _Standing(
        422,
        "请求参数或结构不对。请按接口文档修正。",
        "A parameter or the request's shape is wrong. Correct what is named.",
    ),
    "BATCH_REFUSED": _Standing(
        422,
        "这一批里没有一条可以接收。各条原因见 items。",
        "Not one event of the batch could be accepted; items says why for each.",
    ),
    "IDEMPOTENCY_KEY_REUSED": _Standing(
        422,
        "此 Idempotency-Key 已用于另一个请求。新的请求请用新的值。",
        "This Idempotency-Key was used for another request. Use a new one for a new request.",
    ),
    "RATE_LIMITED": _Standing(
        429,
        "发送过快。请按 Retry-After 的秒数等待后重发。",
        "Too many events. Wait for Retry-After seconds and send again.",
    ),
    "INTERNAL": _Standing(
        500,
        "系统内部出错,本次请求没有被接收。请稍后重发;重复发送不会重复计算。",
        "Something is wrong on our side. Send the request again later: what arrives twice counts once.",
    ),
    "UNAVAILABLE": _Standing(
        503,
        "系统暂时不可用,不能确认已接收。请按 Retry-After 的秒数等待后重发;重复发送不会重复计算。",
        "The ledger cannot be reached, so nothing is acknowledged. Wait for Retry-After seconds and send again: what "
        "arrives twice counts once.",
    ),
}
"""Codes of the API itself, beside those of claims.md."""


class Problem(Exception):
    """A request that is answered with a problem. ``pointers`` are JSON pointers into the event."""

    def __init__(
        self,
        code: str,
        status: int,
        zh: str,
        en: str,
        *,
        pointers: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
        more: dict[str, object] | None = None,
    ) -> None:
        super().__init__(code)
        self.code, self.status, self.zh, self.en = code, status, zh, en
        self.pointers = pointers
        self.headers = headers or {}
        self.more = more or {}

    def document(self, language: str = "en") -> dict[str, object]:
        """The problem's JSON object. ``detail`` is in the reader's language, ``zh`` and ``en`` are always there."""
        return {
            "type": f"urn:huzhu:problem:{self.code}",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.zh if language == "zh" else self.en,
            "code": self.code,
            "pointers": list(self.pointers),
            "zh": self.zh,
            "en": self.en,
            **self.more,
        }

    def body(self, language: str = "en") -> bytes:
        return canonical_json(self.document(language))


def problem(
    code: str,
    detail: str = "",
    *,
    pointers: tuple[str, ...] = (),
    headers: dict[str, str] | None = None,
    more: dict[str, object] | None = None,
) -> Problem:
    """A problem with the standing sentences of a code of the API; ``detail`` (English) is put in brackets."""
    standing = CODES[code]
    where = f" ({', '.join(pointers)})" if pointers else ""
    en = standing.en + where + (f" [{detail}]" if detail else "")
    return Problem(code, standing.status, standing.zh + where, en, pointers=pointers, headers=headers, more=more)


def of_refusal(refusal: Refusal) -> Problem:
    """The problem that a refusal of an event is over HTTP."""
    status = STATUS_OF_REFUSAL.get(refusal.code, 422)
    return Problem(refusal.code.value, status, refusal.zh, refusal.en, pointers=refusal.pointers)


def of_national(refusal: NationalRefusal) -> Problem:
    """The problem that a refused record of the national list is; its pointers lead to fields of the record."""
    known = isinstance(refusal.code, RefusalCode)
    status = STATUS_OF_REFUSAL.get(RefusalCode(refusal.code), 422) if known else 422
    pointers = tuple(f"/{name}" for name in refusal.fields)
    return Problem(refusal.code.value, status, refusal.zh, refusal.en, pointers=pointers)


def unavailable(seconds: int = 5) -> Problem:
    return problem("UNAVAILABLE", headers={"Retry-After": str(seconds)})
