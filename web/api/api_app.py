"""The API application: its parts, and how errors are answered. It loads nothing from other sites."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import anyio
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.words.field_hints import field_hint
from infra.settings import Settings
from schemas.contract.json_schema import CONTRACT_VERSION
from schemas.national.mapping import NationalMappings
from web.accept_language import Language, language_of
from web.api.body_formats import body_readers
from web.api.decision_waiters import Waiters
from web.api.docs_page import add_docs
from web.api.gateway import Gateway
from web.api.limits import RateLimit
from web.api.openapi import DescribedAPI
from web.api.problems import MEDIA_TYPE, Problem, problem, unavailable
from web.api.routes import add_routes
from web.api.traced_requests import TracedRequests
from web.server import UNTOLD

log = logging.getLogger(__name__)


def create_app(
    engine: Engine,
    settings: Settings,
    waiters: Waiters,
    *,
    on_posted: Callable[[], None] = lambda: None,
    kafka_answers: Callable[[], bool] = lambda: True,
    mappings: NationalMappings | None = None,
) -> FastAPI:
    """The application. ``on_posted`` is called after events were put into the inbox.

    With ``mappings`` it accepts national settlement lists too.
    """
    app = DescribedAPI(
        title="Huzhu",
        version=CONTRACT_VERSION,
        docs_url=None,  # its pages load scripts from the internet; ours is in docs_page.py
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        telemetry=UNTOLD,
    )
    gateway = Gateway(
        engine=engine,
        settings=settings,
        waiters=waiters,
        on_posted=on_posted,
        kafka_answers=kafka_answers,
        rates=RateLimit(settings.gateway_rate, settings.gateway_burst),
        threads=anyio.CapacityLimiter(settings.gateway_threads),
        body_readers=body_readers(mappings),
    )
    add_routes(app, gateway)
    add_docs(app)
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid_parameters)
    app.add_exception_handler(SQLAlchemyError, _answer_ledger_failure)
    app.add_middleware(CatchAll)
    app.add_middleware(TracedRequests)
    return app


def openapi_document() -> dict[str, Any]:
    """The whole OpenAPI document, as `GET /openapi.json` returns it. Connects to nothing."""
    engine = create_engine("postgresql+psycopg://")
    return create_app(engine, Settings(), Waiters(engine)).openapi()


def respond(error: Problem, language: Language) -> Response:
    headers = {"Content-Language": language, "Vary": "Accept-Language", **error.headers}
    return Response(error.body(language), error.status, headers, MEDIA_TYPE)


async def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return respond(error, language_of(request.headers.get("accept-language")))


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}
    code = codes.get(error.status_code, "REQUEST_INVALID")
    return await _answer_problem(request, problem(code, headers=dict(error.headers or {})))


async def _answer_invalid_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = error.errors()
    names = tuple(dict.fromkeys(str(detail["loc"][-1]) for detail in details))
    return await _answer_problem(request, problem("REQUEST_INVALID", field_hint(details[0]), pointers=names))


async def _answer_ledger_failure(request: Request, error: Exception) -> Response:
    """The ledger is down, or the query took it too long: nothing was acknowledged."""
    unreachable = isinstance(error, PoolTimeout | DBAPIError)
    log.error("%s: the ledger failed: %s", request.method, type(error).__name__)
    return await _answer_problem(request, unavailable() if unreachable else problem("INTERNAL"))


class CatchAll:
    """Answers an unexpected error with a problem and logs only its type and location: around all others.

    The server itself would log the whole error, and that could quote what a hospital sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response_started = False

        async def send_and_note(message: Message) -> None:
            nonlocal response_started
            response_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:  # noqa: BLE001 - answered here, whatever it is
            frame = traceback.extract_tb(error.__traceback__)[-1]
            log.error("%s at %s:%s", type(error).__name__, frame.filename, frame.lineno)
            if not response_started:
                language = language_of(Headers(scope=scope).get("accept-language"))
                await respond(problem("INTERNAL"), language)(scope, receive, send)
