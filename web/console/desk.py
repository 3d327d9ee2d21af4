"""From a request to an answer: session, language and form; security headers; errors that quote nobody."""

from __future__ import annotations

import hmac
import logging
import secrets
import traceback
from collections.abc import Callable
from urllib.parse import parse_qsl

import anyio
import anyio.to_thread
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from acts.console_users import session_of
from infra.clock import Clock
from infra.keys.personal_data import Keyring
from infra.settings import Settings
from web.accept_language import Language
from web.console import rendering, sign_in
from web.console.visit import Refused, Visit, not_found

log = logging.getLogger(__name__)

FORM_BYTES_MAX = 3 * 1024 * 1024
"""A corrected event of 1 MiB, percent-encoded at worst threefold."""

FORM_SECONDS_MAX = 30.0

Page = Callable[[Visit], Response]
LANGUAGE_COOKIE = "huzhu-language"
SIGN_IN = "/sign-in"
OPEN = frozenset({SIGN_IN})

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
HSTS = "max-age=31536000; includeSubDomains"


class Desk:
    """Turns requests into visits, and visits into answers."""

    def __init__(self, engine: Engine, settings: Settings, keys: Keyring, now: Clock) -> None:
        self._engine, self._keys, self._now = engine, keys, now
        self.secure = settings.console_tls_cert is not None
        self._threads = anyio.CapacityLimiter(settings.console_threads)
        self._render = rendering.renderer()

    async def answer(self, request: Request, page: Page, form: dict[str, str] | None) -> Response:
        """The page, or a page that says why there is none."""
        return await anyio.to_thread.run_sync(self._answer, request, page, form, limiter=self._threads)

    def sealed(self, response: Response) -> Response:
        """The response with the headers that keep browsers from harm."""
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if self.secure:
            response.headers["Strict-Transport-Security"] = HSTS
        return response

    def _answer(self, request: Request, page: Page, form: dict[str, str] | None) -> Response:
        language: Language = "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "zh"
        guest = request.cookies.get(sign_in.guest_cookie(self.secure), "")
        visit = Visit(
            self._engine,
            self._keys,
            self._now,
            self._render,
            request.url.path,
            language,
            None,
            guest,
            dict(request.query_params),
            form or {},
            {name: str(value) for name, value in request.path_params.items()},
        )
        try:
            token = request.cookies.get(sign_in.session_cookie(self.secure), "")
            if token:
                visit.session = session_of(self._engine, token, self._now)
            if visit.session is not None:
                visit.csrf = visit.session.csrf
            elif request.url.path not in OPEN:
                return self.sealed(visit.to(SIGN_IN))
            elif not guest:
                visit.csrf = secrets.token_urlsafe(32)
            if any("\x00" in value for each in (visit.form, visit.query, visit.place) for value in each.values()):
                raise not_found()  # no text of the ledger holds it
            if request.method == "POST":
                self._check_post(request, visit, form)
            visit.cookies = dict(request.cookies)
            response = page(visit)
        except Refused as refusal:
            response = visit.page("problem.html", refusal.status, message=visit.said(refusal.saying))
        except SQLAlchemyError as error:
            log.error("the ledger did not answer a page: %s", type(error).__name__)
            response = visit.page("problem.html", 503, message=visit.say(*_AWAY))
        except Exception as error:  # noqa: BLE001 - shown to nobody: the message could quote somebody's data
            log.error("a page failed: %s\n%s", type(error).__name__, _where(error))
            response = visit.page("problem.html", 500, message=visit.say(*_FAULT))
        if visit.session is None and visit.csrf != guest:
            response.set_cookie(
                sign_in.guest_cookie(self.secure), visit.csrf, secure=self.secure, httponly=True, samesite="lax"
            )
        return self.sealed(response)

    def _check_post(self, request: Request, visit: Visit, form: dict[str, str] | None) -> None:
        if form is None:
            raise Refused(422, "表单读不出来,或者太长。", "The form cannot be read, or is too long.")
        site = request.headers.get("sec-fetch-site", "same-origin")
        origin = request.headers.get("origin")
        host = request.headers.get("host", "")
        foreign = origin is not None and not hmac.compare_digest(origin.partition("://")[2].encode(), host.encode())
        if site not in ("same-origin", "none") or (foreign and origin != "null"):
            raise Refused(403, "请求不是从本站发出的。", "The request does not come from this site.")
        visit.check_csrf()


async def form_of(request: Request) -> dict[str, str] | None:
    """The fields of a form; None when it is too long, or no form."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return None
    body = bytearray()
    with anyio.move_on_after(FORM_SECONDS_MAX) as waited:
        async for part in request.stream():
            body += part
            if len(body) > FORM_BYTES_MAX:
                return None
    if waited.cancelled_caught:
        return None
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict"))
    except ValueError:
        return None


_AWAY = ("账本暂时连不上,请稍后再试。", "The ledger does not answer just now. Try again in a moment.")
_FAULT = (
    "程序出错了,没有做任何改动。请把时间告诉管理员,他可以在日志里查到原因。",
    "Something is wrong with the program; nothing was changed. Tell the administrator the time: the log says where.",
)


def _where(error: Exception) -> str:
    """Where it happened, without the message and without values."""
    return "".join(traceback.format_list(traceback.extract_tb(error.__traceback__))[-6:])
