"""Limits per caller: events per second, size of a body, seconds to send it."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request

from web.api.problems import Problem, problem

BODY_SECONDS_MAX = 30.0
CALLERS_MAX = 10_000


class RateLimit:
    """A token bucket per caller: ``burst`` events at once, ``rate`` per second in the long run.

    In memory: every gateway process counts on its own, and a restart refills the buckets.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, events: int = 1) -> None:
        """Takes tokens, or raises RATE_LIMITED with the number of seconds until there are enough."""
        now = self._clock()
        tokens, since = self._buckets.pop(caller, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        enough = tokens >= events
        self._buckets[caller] = (tokens - events if enough else tokens, now)
        if len(self._buckets) > CALLERS_MAX:
            self._buckets.popitem(last=False)
        if not enough:
            seconds = max(1, math.ceil((events - tokens) / self._rate))
            raise problem("RATE_LIMITED", headers={"Retry-After": str(seconds)})


async def body_of(request: Request, bytes_max: int) -> bytes:
    """The body of at most ``bytes_max``, if it arrives within half a minute. Raises Problem."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > bytes_max:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            async for part in request.stream():
                size += len(part)
                if size > bytes_max:
                    raise _too_large()
                parts.append(part)
    except TimeoutError:
        raise problem("REQUEST_TIMEOUT", headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise problem("REQUEST_TIMEOUT") from None
    return b"".join(parts)


def _too_large() -> Problem:
    return problem("TOO_LARGE", headers={"Connection": "close"})
