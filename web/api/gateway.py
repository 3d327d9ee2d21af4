"""What the routes work with: the ledger, the waiting requests, the limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio
import anyio.to_thread
from sqlalchemy import Engine
from starlette.requests import Request

from acts import api_keys
from infra.clock import utc_now
from infra.settings import Settings
from schemas.access.callers import Caller
from web.api.body_formats import BodyReader
from web.api.decision_waiters import Waiters
from web.api.limits import RateLimit
from web.api.problems import problem, unavailable

Result = TypeVar("Result")

QUEUED_MAX = 50
"""Requests per thread that can wait for one. Beyond that they are asked to come back, so that none waits for long."""


@dataclass(kw_only=True, slots=True)
class Gateway:
    """``on_posted`` is called when there are new rows in the inbox; ``kafka_answers`` says whether Kafka is up."""

    engine: Engine
    settings: Settings
    waiters: Waiters
    on_posted: Callable[[], None]
    kafka_answers: Callable[[], bool]
    rates: RateLimit
    threads: anyio.CapacityLimiter
    body_readers: dict[str, BodyReader]

    async def run(self, work: Callable[[], Result]) -> Result:
        """Runs work on the ledger in one of the threads. Raises Problem UNAVAILABLE when too many requests wait."""
        if self.threads.statistics().tasks_waiting >= QUEUED_MAX * self.settings.gateway_threads:
            raise unavailable(1)
        return await anyio.to_thread.run_sync(work, limiter=self.threads)

    async def caller_of(self, request: Request) -> Caller:
        """The caller of a request. Raises Problem: UNAUTHORIZED, or RATE_LIMITED."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        caller = None
        if scheme.lower() == "bearer":
            caller = await self.run(lambda: api_keys.recognise(self.engine, token.strip(), utc_now))
        if caller is None:
            raise problem("UNAUTHORIZED", headers={"WWW-Authenticate": 'Bearer realm="huzhu"'})
        self.rates.take(caller.lineage)
        return caller
