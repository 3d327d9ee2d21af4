"""The API as an application: what it is made of, how errors are answered, and nothing that is loaded from elsewhere."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio
import anyio.to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from acts import api_keys
from infra.clock import utc_now
from infra.settings import Settings
from schemas.access.callers import Caller
from schemas.contract.json_schema import CONTRACT_VERSION
from schemas.national.mapping import NationalMappings
from web.accept_language import Language, language_of
from web.api.body_formats import Format, formats
from web.api.decision_waiters import Waiters
from web.api.limits import RateLimit
from web.api.problems import MEDIA_TYPE, Problem, problem, unavailable

log = logging.getLogger(__name__)
Result = TypeVar("Result")

QUEUED_MAX = 50
"""Requests a thread that may wait for one; more are told to come back, so that nobody waits in vain for long."""


@dataclass(slots=True)
class Gateway:
    """What the routes work with: the ledger, who waits for it, the limits, and whom to tell of new inbox rows."""

    engine: Engine
    settings: Settings
    waiters: Waiters
    posted: Callable[[], None]
    kafka_answers: Callable[[], bool]
    rates: RateLimit
    threads: anyio.CapacityLimiter
    formats: dict[str, Format]

    async def run(self, work: Callable[[], Result]) -> Result:
        """Work on the ledger in one of the threads. Raises Problem UNAVAILABLE when all are taken for long."""
        if self.threads.statistics().tasks_waiting >= QUEUED_MAX * self.settings.gateway_threads:
            raise unavailable(1)
        return await anyio.to_thread.run_sync(work, limiter=self.threads)

    async def caller_of(self, request: Request) -> Caller:
        """Who asks. Raises Problem: UNAUTHORIZED, or RATE_LIMITED."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        caller = None
        if scheme.lower() == "bearer":
            caller = await self.run(lambda: api_keys.recognise(self.engine, token.strip(), utc_now))
        if caller is None:
            raise problem("UNAUTHORIZED", headers={"WWW-Authenticate": 'Bearer realm="huzhu"'})
        self.rates.take(caller.lineage)
        return caller


def create_app(
    engine: Engine,
    settings: Settings,
    waiters: Waiters,
    posted: Callable[[], None] = lambda: None,
    kafka_answers: Callable[[], bool] = lambda: True,
    mappings: NationalMappings | None = None,
) -> FastAPI:
    """The application. ``posted`` is called after events went into the inbox.

    With ``mappings`` it takes national settlement lists too.
    """
    from web.api.openapi import describe
    from web.api.routes import add_routes

    app = FastAPI(
        title="Huzhu",
        version=CONTRACT_VERSION,
        docs_url=None,  # their pages load scripts from the internet
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    rates = RateLimit(settings.gateway_rate, settings.gateway_burst)
    threads = anyio.CapacityLimiter(settings.gateway_threads)
    add_routes(app, Gateway(engine, settings, waiters, posted, kafka_answers, rates, threads, formats(mappings)))
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(SQLAlchemyError, _ledger)
    app.add_middleware(OutermostLayer)
    describe(app)
    return app


def respond(error: Problem, language: Language) -> Response:
    headers = {"Content-Language": language, "Vary": "Accept-Language", **error.headers}
    return Response(error.body(language), error.status, headers, MEDIA_TYPE)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return respond(error, language_of(request.headers.get("accept-language")))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}
    made = problem(codes.get(error.status_code, "REQUEST_INVALID"), headers=dict(error.headers or {}))
    return await _problem(request, made)


async def _parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    named = tuple(dict.fromkeys(str(each["loc"][-1]) for each in error.errors()))
    return await _problem(request, problem("REQUEST_INVALID", pointers=named))


async def _ledger(request: Request, error: Exception) -> Response:
    """The ledger is gone, or what the caller asks for takes it too long: nothing was acknowledged."""
    gone = isinstance(error, PoolTimeout | DBAPIError)
    log.error("%s: the ledger failed: %s", request.method, type(error).__name__)
    return await _problem(request, unavailable() if gone else problem("INTERNAL"))


class OutermostLayer:
    """The outermost layer: a mistake of ours is answered with a problem and logged by its kind and place alone.

    The server itself would log the whole error, which may quote what a hospital sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as error:  # noqa: BLE001 - answered here, whatever it is
            place = traceback.extract_tb(error.__traceback__)[-1]
            log.error("%s at %s:%s", type(error).__name__, place.filename, place.lineno)
            if not begun:
                language = language_of(Headers(scope=scope).get("accept-language"))
                await respond(problem("INTERNAL"), language)(scope, receive, send)
