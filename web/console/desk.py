"""From request to response: session, language and form, security headers, and errors that quote no personal data."""

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
from infra.ledger import aid_proposals, clearing_proposals, proposals
from infra.oidc.provider_settings import BACK, THERE
from infra.settings import Settings
from schemas.access.console_rights import Right, Session, needs_second_factor
from schemas.bilingual import Saying
from web.accept_language import Language
from web.console import rendering, sign_in
from web.console.visit import PageRefused, Visit, not_found

log = logging.getLogger(__name__)

FORM_BYTES_MAX = 3 * 1024 * 1024
"""A corrected event of 1 MiB; percent-encoding makes it three times as long at worst."""

FORM_SECONDS_MAX = 30.0

Page = Callable[[Visit], Response]
LANGUAGE_COOKIE = "huzhu-language"
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
CODE = "/sign-in/code"
SECOND_FACTOR = "/second-factor"
OPEN = frozenset({SIGN_IN, THERE, BACK})

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
        self._second_factor = settings.console_second_factor

    async def answer(self, request: Request, page: Page, form: dict[str, str] | None) -> Response:
        """The page, or a page that says why it cannot be shown."""
        return await anyio.to_thread.run_sync(self._answer, request, page, form, limiter=self._threads)

    def secured(self, response: Response) -> Response:
        """The response with its security headers."""
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if self.secure:
            response.headers["Strict-Transport-Security"] = HSTS
        return response

    def _answer(self, request: Request, page: Page, form: dict[str, str] | None) -> Response:
        language: Language = "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "zh"
        guest = request.cookies.get(sign_in.guest_cookie(self.secure), "")
        visit = Visit(
            engine=self._engine,
            keys=self._keys,
            now=self._now,
            render=self._render,
            path=request.url.path,
            language=language,
            session=None,
            csrf=guest,
            query=dict(request.query_params),
            form=form or {},
            path_values={name: str(value) for name, value in request.path_params.items()},
        )
        try:
            token = request.cookies.get(sign_in.session_cookie(self.secure), "")
            if token:
                visit.session = session_of(self._engine, token, self._now)
            if visit.session is not None:
                visit.csrf = visit.session.csrf
                visit.barred = self._first(visit.session)
                if visit.barred is not None and request.url.path not in (visit.barred, SIGN_OUT):
                    return self.secured(visit.redirect(visit.barred))
                self._count_proposals(visit)
            elif request.url.path not in OPEN:
                return self.secured(visit.redirect(SIGN_IN))
            elif not guest:
                visit.csrf = secrets.token_urlsafe(32)
            inputs = (visit.form, visit.query, visit.path_values)
            if any("\x00" in value for fields in inputs for value in fields.values()):
                raise not_found()  # no text in the ledger contains it
            if request.method == "POST":
                self._check_post(request, visit, form)
            visit.cookies = dict(request.cookies)
            response = page(visit)
        except PageRefused as refusal:
            response = visit.page("problem.html", refusal.status, message=visit.text(refusal.saying))
        except SQLAlchemyError as error:
            log.error("cannot reach the ledger for a page: %s", type(error).__name__)
            response = visit.page("problem.html", 503, message=visit.text(_LEDGER_DOWN))
        except Exception as error:  # noqa: BLE001 - not shown: the message could quote personal data
            log.error("a page failed: %s\n%s", type(error).__name__, _where(error))
            response = visit.page("problem.html", 500, message=visit.text(_FAULT))
        if visit.session is None and visit.csrf != guest:
            response.set_cookie(
                sign_in.guest_cookie(self.secure), visit.csrf, secure=self.secure, httponly=True, samesite="lax"
            )
        return self.secured(response)

    def _first(self, session: Session) -> str | None:
        if session.awaits_code:
            return CODE
        has_one = session.has_second_factor or session.until is not None  # the provider asks for its own
        if not has_one and needs_second_factor(session.role, self._second_factor):
            return SECOND_FACTOR
        return None

    def _count_proposals(self, visit: Visit) -> None:
        if visit.may(Right.REPLAY):
            with self._engine.connect() as connection:
                visit.awaiting = proposals.awaiting(connection, visit.user)
        if visit.may(Right.CLEAR):
            with self._engine.connect() as connection:
                visit.clearing = clearing_proposals.awaiting(connection, visit.user)
        if visit.may(Right.AID):
            with self._engine.connect() as connection:
                visit.aids = aid_proposals.awaiting(connection, visit.user)

    def _check_post(self, request: Request, visit: Visit, form: dict[str, str] | None) -> None:
        if form is None:
            raise PageRefused(422, "表单无法读取,或者太长。", "The form is unreadable or too long.")
        site = request.headers.get("sec-fetch-site", "same-origin")
        origin = request.headers.get("origin")
        host = request.headers.get("host", "")
        foreign = origin is not None and not hmac.compare_digest(origin.partition("://")[2].encode(), host.encode())
        if site not in ("same-origin", "none") or (foreign and origin != "null"):
            raise PageRefused(403, "请求不是从本站发出的。", "The request did not come from this site.")
        visit.check_csrf()


async def form_of(request: Request) -> dict[str, str] | None:
    """The fields of a form; None when it is too long or not a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return None
    body = bytearray()
    with anyio.move_on_after(FORM_SECONDS_MAX) as time_limit:
        async for part in request.stream():
            body += part
            if len(body) > FORM_BYTES_MAX:
                return None
    if time_limit.cancelled_caught:
        return None
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict"))
    except ValueError:
        return None


_LEDGER_DOWN = Saying("账本暂时连不上,请稍后再试。", "The ledger cannot be reached at the moment. Try again shortly.")
_FAULT = Saying(
    "程序出错,没有做任何改动。请把出错时间告诉管理员,以便在日志里查找原因。",
    "Something went wrong; nothing was changed. Tell the administrator the time so that they can find it in the log.",
)


def _where(error: Exception) -> str:
    """The stack, without the message and without values."""
    return "".join(traceback.format_list(traceback.extract_tb(error.__traceback__))[-6:])
