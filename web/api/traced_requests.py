"""Each request of the API is a span, and goes on under its traceparent or under a new one."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.tracing import traced_request
from schemas.traceparent import TRACEPARENT, read_traceparent


class TracedRequests:
    """The outermost layer of the API: what is logged inside of it has the request's trace id.

    The span names the route and not the address, which may hold the id of a claim.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).getlist(TRACEPARENT)
        with traced_request("gateway request", read_traceparent(given[0]) if len(given) == 1 else None) as span:

            async def send_and_note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, send_and_note)
            span.set_attribute("http.route", getattr(scope.get("route"), "path", ""))
