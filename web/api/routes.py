"""The routes of the API."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import FastAPI, Header, Path, Query
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.clock import utc_now
from infra.ledger import group_rows, inbox
from infra.ledger.idempotency import Answer
from infra.ledger.inbox import Fate
from schemas.access.callers import Caller
from schemas.bilingual import Saying
from schemas.canonical import canonical_json, sha256_hex
from schemas.ids import ClaimId
from schemas.refusals import Refusal, RefusalCode
from schemas.topics import EVENT_BYTES_MAX
from web.accept_language import Language, language_of
from web.api import openapi, posting
from web.api.admission import Admitted
from web.api.body_formats import BODY_BYTES_MAX, Events, events_of, require_json
from web.api.claim_view import ClaimView, view_claim
from web.api.decision_waiters import Awaited
from web.api.gateway import Gateway
from web.api.instructions import InstructionPage, page_of
from web.api.limits import body_of
from web.api.problems import of_refusal, problem
from web.api.quotes import QuoteView, quote, readings_of

WAIT_SECONDS_MAX = 30.0
IDEMPOTENCY_KEY_MAX = 200
QUOTED = r'"(([\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"'
"""A string as RFC 9651 writes it."""

_WAIT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s)?")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=402,
        pattern=rf"^([\x21-\x7e]+|{QUOTED})$",
        description="Your own id for this request, of 1 to 200 characters. The same request with the same id gets the "
        'same answer; another request with it gets 422. `night-1` and `"night-1"`, as a structured field, are one id.',
    ),
]
Wait = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?(ms|s)?$",
        description="How long to wait for the decision, such as 2s or 500ms; at most 30s. The default is not to wait.",
    ),
]


def add_routes(app: FastAPI, gateway: Gateway) -> None:
    """Adds all routes to the application."""

    @app.get("/healthz", tags=["health"], summary="Whether the process is alive")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", tags=["health"], summary="Whether posts can be acknowledged", responses=openapi.UNAVAILABLE)
    async def readyz() -> dict[str, object]:
        def count_waiting() -> tuple[int, str | None]:
            with gateway.engine.connect() as connection:
                count, oldest = inbox.waiting(connection)
            return count, None if oldest is None else oldest.isoformat()

        count, oldest = await gateway.run(count_waiting)
        kafka = "answers" if gateway.kafka_answers() else "away"
        return {"status": "ready", "kafka": kafka, "inbox": count, "inbox_oldest": oldest}

    @app.post("/v1/events", status_code=202, **openapi.POST_EVENTS)
    async def post_events(request: Request, idempotency_key: IdempotencyKey = None) -> Response:
        caller = await gateway.caller_of(request)
        post, events = await _events(gateway, request, caller, _unquoted(idempotency_key), BODY_BYTES_MAX)
        answer, replayed = await gateway.run(
            lambda: posting.post_events(gateway.engine, post, events, gateway.settings.shards)
        )
        gateway.on_posted()
        return _repeatable(answer, replayed)

    @app.post("/v1/settlements", **openapi.POST_SETTLEMENTS)
    async def post_settlement(request: Request, idempotency_key: IdempotencyKey = None, wait: Wait = None) -> Response:
        seconds = _seconds(wait)
        caller = await gateway.caller_of(request)
        post, events = await _events(gateway, request, caller, _unquoted(idempotency_key), 4 * EVENT_BYTES_MAX)
        admitted = await gateway.run(
            lambda: posting.post_settlement(gateway.engine, post, events, gateway.settings.shards)
        )
        gateway.on_posted()
        return await _decided(gateway, caller, admitted, seconds, _language(request))

    @app.post("/v1/quotes", response_model=QuoteView, **openapi.POST_QUOTES)
    async def post_quote(request: Request) -> Response:
        caller = await gateway.caller_of(request)
        body = await body_of(request, 4 * EVENT_BYTES_MAX)
        require_json(request.headers.get("content-type"))
        language = _language(request)
        view = await gateway.run(lambda: quote(gateway.engine, readings_of(body, utc_now()), caller, language))
        return _json(view.model_dump(mode="json"), language)

    @app.get("/v1/claims/{claim_id:path}", response_model=ClaimView, **openapi.GET_CLAIM)
    async def get_claim(
        request: Request,
        claim_id: Annotated[
            str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["H1-E-1001"])
        ],
    ) -> Response:
        caller = await gateway.caller_of(request)
        language = _language(request)
        view = await gateway.run(lambda: view_claim(gateway.engine, claim_id, caller, language))
        return _json(view.model_dump(mode="json"), language)

    @app.get("/v1/instructions", response_model=InstructionPage, **openapi.GET_INSTRUCTIONS)
    async def get_instructions(
        request: Request,
        after: Annotated[
            str | None, Query(max_length=8000, pattern="^[A-Za-z0-9_-]*$", description="`next` of the previous page.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        caller = await gateway.caller_of(request)
        page = await gateway.run(lambda: page_of(gateway.engine, caller, after, limit, gateway.settings.shards))
        return JSONResponse(page.model_dump(mode="json"), headers=_link_to_next(page, limit))


async def _events(
    gateway: Gateway, request: Request, caller: Caller, idempotency_key: str | None, bytes_max: int
) -> tuple[posting.PostRequest, Events]:
    """The request and the events in its body. Raises Problem."""
    body = await body_of(request, bytes_max)
    content_type = request.headers.get("content-type")
    events = await gateway.run(lambda: events_of(gateway.body_readers, content_type, body))
    if len(events.items) > 1:
        gateway.rates.take(caller.lineage, len(events.items) - 1)
    identity = "\n".join((request.method, request.url.path, content_type or "", sha256_hex(body)))
    sha256 = sha256_hex(identity.encode("utf-8"))
    return posting.PostRequest(caller, sha256, _language(request), idempotency_key), events


async def _decided(
    gateway: Gateway, caller: Caller, admitted: list[Admitted], seconds: float, language: Language
) -> Response:
    """The claim once the ledger has processed all the events, or else 202 with the address to ask at."""
    claim_id = next(event.claim_id for event in admitted if event.claim_id is not None)
    location = f"/v1/claims/{openapi.quoted(claim_id)}"
    awaited: list[Awaited] = [event.number for event in admitted if event.number is not None]
    if not awaited and await gateway.run(lambda: _group_waits(gateway.engine, claim_id)):
        awaited = [ClaimId(claim_id)]  # the ledger has the events, and does not have their decision
    fates: list[Fate] | None = []
    if awaited:
        fates = await gateway.waiters.fates(awaited, seconds) if seconds else None
    if fates is None:
        receipts = [event.receipt() for event in admitted]
        undecided = {"status": "acknowledged", "claim_id": claim_id, "events": receipts}
        return Response(canonical_json(undecided), 202, {"Location": location}, "application/json")
    for fate in fates:
        _raise_refused(fate)
    view = await gateway.run(lambda: view_claim(gateway.engine, claim_id, caller, language))
    return _json(view.model_dump(mode="json"), language, {"Content-Location": location})


def _group_waits(engine: Engine, claim_id: str) -> bool:
    with engine.connect() as connection:
        return group_rows.waiting_about(connection, claim_id) > 0


def _raise_refused(fate: Fate) -> None:
    """Raises Problem if the stream refused the event because another one with the same id reached the ledger first."""
    if fate.code is not None:
        pointers = tuple(fate.pointers or ())
        raise of_refusal(Refusal(code=RefusalCode(fate.code), pointers=pointers, zh=fate.zh or "", en=fate.en or ""))


def _unquoted(idempotency_key: str | None) -> str | None:
    """The key in either spelling: bare, or in quotes (RFC 9651), as a draft standard asks for.

    Raises Problem for one that is empty or too long.
    """
    if idempotency_key is None:
        return None
    quoted = re.fullmatch(QUOTED, idempotency_key)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else idempotency_key
    if not 1 <= len(key) <= IDEMPOTENCY_KEY_MAX:
        hint = Saying(f"1 至 {IDEMPOTENCY_KEY_MAX} 个字符", f"1 to {IDEMPOTENCY_KEY_MAX} characters")
        raise problem("REQUEST_INVALID", hint, pointers=("Idempotency-Key",))
    return key


def _link_to_next(page: InstructionPage, limit: int) -> dict[str, str]:
    """The next page as a link (RFC 8288), if it is ready."""
    return {"Link": f'</v1/instructions?after={page.next}&limit={limit}>; rel="next"'} if page.more else {}


def _seconds(wait: str | None) -> float:
    match = _WAIT.fullmatch(wait or "0")
    if match is None:
        raise problem("REQUEST_INVALID", pointers=("wait",))
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
    return min(seconds, WAIT_SECONDS_MAX)


def _repeatable(answer: Answer, replayed: bool) -> Response:
    headers = {"Vary": "Accept-Language", **({"Idempotent-Replayed": "true"} if replayed else {})}
    return Response(answer.body, answer.status, headers, "application/json")


def _json(document: dict[str, object], language: Language, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(document, headers={"Content-Language": language, "Vary": "Accept-Language", **(headers or {})})


def _language(request: Request) -> Language:
    return language_of(request.headers.get("accept-language"))
