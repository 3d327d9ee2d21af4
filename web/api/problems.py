"""Every error the API can answer with: RFC 9457 problems with a code, pointers, and text in Chinese and English."""

from __future__ import annotations

from typing import NamedTuple

from schemas.bilingual import Saying
from schemas.canonical import canonical_json
from schemas.national.national_refusal import NationalRefusal
from schemas.refusals import Refusal, RefusalCode, hinted
from web.accept_language import Language, text_in

MEDIA_TYPE = "application/problem+json"


class _ProblemType(NamedTuple):
    """The HTTP status of a code and its text in both languages."""

    status: int
    zh: str
    en: str


STATUS_OF_REFUSAL: dict[RefusalCode, int] = {
    RefusalCode.MALFORMED_JSON: 400,
    RefusalCode.TOO_LARGE: 413,
    RefusalCode.VERSION_CONFLICT: 409,
    RefusalCode.PERSON_MISMATCH: 409,
}
"""HTTP status per refusal code of claims.md; any other code is 422."""

CODES: dict[str, _ProblemType] = {
    "UNAUTHORIZED": _ProblemType(
        401,
        "缺少访问密钥,或密钥无效。请在 Authorization 请求头中以 Bearer 方式携带密钥;遗失或过期请联系运维人员换发。",
        "Missing or invalid API key. Send the key as a bearer token in the Authorization header. If it is lost or has "
        "expired, ask the operator for a new one.",
    ),
    "FORBIDDEN": _ProblemType(
        403,
        "此密钥无权访问这条数据。请核对机构编号(或保障层编号)和所用的密钥。",
        "This key does not give access to that data. Check the facility (or scheme) and which key you are using.",
    ),
    "NOT_FOUND": _ProblemType(404, "没有这条数据,请核对编号。", "Not found. Check the id."),
    "METHOD_NOT_ALLOWED": _ProblemType(
        405,
        "此地址不支持这种请求方法,支持的方法见 Allow 响应头。",
        "Method not supported here; see the Allow header.",
    ),
    "REQUEST_TIMEOUT": _ProblemType(
        408, "请求没有在规定时间内发完。请检查网络后重发。", "The request body took too long to arrive. Send it again."
    ),
    "TOO_LARGE": _ProblemType(
        413,
        "请求体过大。单条报文不超过 1 MiB;批量请拆小后重发。",
        "The body is too large. An event can be at most 1 MiB; split a large batch and send the parts.",
    ),
    "BATCH_TOO_LONG": _ProblemType(
        413, "一批最多 1,000 条报文。请拆开后重发。", "A batch holds at most 1,000 events. Split it and send the parts."
    ),
    "UNSUPPORTED_MEDIA_TYPE": _ProblemType(
        415,
        "不支持这种内容类型。请用 application/json 或 application/x-ndjson;已配置时也可用 "
        "application/vnd.huzhu.national+json。",
        "Unsupported content type. Use application/json, application/x-ndjson or, where configured, "
        "application/vnd.huzhu.national+json.",
    ),
    "REQUEST_INVALID": _ProblemType(
        422,
        "请求参数或结构有误。请按接口文档修正。",
        "A parameter or the structure of the request is invalid. See the API documentation.",
    ),
    "BATCH_REFUSED": _ProblemType(
        422,
        "本批报文全部未被接收。各条原因见 items。",
        "No event in the batch could be accepted; items gives the reason for each.",
    ),
    "IDEMPOTENCY_KEY_REUSED": _ProblemType(
        422,
        "此 Idempotency-Key 已用于另一个请求。新的请求请换用新值。",
        "This Idempotency-Key was used for a different request. Use a new key for each new request.",
    ),
    "RATE_LIMITED": _ProblemType(
        429,
        "发送过快。请按 Retry-After 的秒数等待后重发。",
        "Too many events. Wait for the number of seconds in Retry-After, then send again.",
    ),
    "INTERNAL": _ProblemType(
        500,
        "系统内部出错,本次请求没有被接收。请稍后重发;重复发送不会重复计算。",
        "Internal error; the request was not accepted. Send it again later: an event that arrives twice counts once.",
    ),
    "UNAVAILABLE": _ProblemType(
        503,
        "系统暂时不可用,不能确认已接收。请按 Retry-After 的秒数等待后重发;重复发送不会重复计算。",
        "The ledger cannot be reached, so nothing was acknowledged. Wait for the number of seconds in Retry-After, "
        "then send again: an event that arrives twice counts once.",
    ),
}
"""Codes of the API itself, in addition to those of claims.md."""


class Problem(Exception):
    """An error answer to a request. ``pointers`` are JSON pointers into the event."""

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

    def document(self, language: Language) -> dict[str, object]:
        """The problem's JSON object. ``detail`` is in the reader's language, ``zh`` and ``en`` are always present."""
        return {
            "type": f"urn:huzhu:problem:{self.code}",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": text_in(Saying(self.zh, self.en), language),
            "code": self.code,
            "pointers": list(self.pointers),
            "zh": self.zh,
            "en": self.en,
            **self.more,
        }

    def body(self, language: Language) -> bytes:
        return canonical_json(self.document(language))


def problem(
    code: str,
    hint: Saying | None = None,
    *,
    pointers: tuple[str, ...] = (),
    headers: dict[str, str] | None = None,
    more: dict[str, object] | None = None,
) -> Problem:
    """A problem with the standard text of one of the API's own codes; a ``hint`` is added in brackets."""
    kind = CODES[code]
    zh, en = hinted(Saying(kind.zh, kind.en), hint, pointers)
    return Problem(code, kind.status, zh, en, pointers=pointers, headers=headers, more=more)


def of_refusal(refusal: Refusal) -> Problem:
    """A refused event as an HTTP problem."""
    status = STATUS_OF_REFUSAL.get(refusal.code, 422)
    return Problem(refusal.code.value, status, refusal.zh, refusal.en, pointers=refusal.pointers)


def of_national(refusal: NationalRefusal) -> Problem:
    """A refused record of the national list as an HTTP problem; its pointers name fields of the record."""
    shared_code = isinstance(refusal.code, RefusalCode)
    status = STATUS_OF_REFUSAL.get(RefusalCode(refusal.code), 422) if shared_code else 422
    pointers = tuple(f"/{name}" for name in refusal.fields)
    return Problem(refusal.code.value, status, refusal.zh, refusal.en, pointers=pointers)


def unavailable(seconds: int = 5) -> Problem:
    return problem("UNAVAILABLE", headers={"Retry-After": str(seconds)})
