"""One request to the console: user, language, form, and the page that answers it."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlencode

from sqlalchemy import Connection, Engine
from starlette.responses import HTMLResponse, RedirectResponse, Response

from acts.personal_data_views import note_view
from infra.clock import Clock
from infra.keys.personal_data import Keyring, NotReadable
from schemas.access.console_rights import RIGHTS, Right, Session
from schemas.bilingual import Saying
from schemas.outbound import AuditKind
from web.accept_language import Language, text_in

HOUSEHOLD = "household"
PERSON = "person"
QUERY = "query"


class PageRefused(Exception):
    """The page cannot be shown; the message is for the user."""

    def __init__(self, status: int, zh: str, en: str) -> None:
        super().__init__(en)
        self.status, self.saying = status, Saying(zh, en)


def not_found() -> PageRefused:
    return PageRefused(404, "没有这一页,或者账本里没有这个编号。", "No such page, or no such number in the ledger.")


Render = Callable[[str, dict[str, Any]], str]


@dataclass(kw_only=True, slots=True)
class Visit:
    """A request to a page. ``form`` has the fields of a POST, ``query`` and ``path_values`` those of the URL."""

    engine: Engine
    keys: Keyring
    now: Clock
    render: Render
    path: str
    language: Language
    session: Session | None
    csrf: str
    query: Mapping[str, str]
    form: Mapping[str, str] = field(default_factory=dict)
    path_values: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    barred: str | None = None
    """The page that has to come first: the code of a second factor, or its setting up."""
    awaiting: int = 0
    """How many corrections that others proposed wait for this user's approval."""
    clearing: int = 0
    """How many proposals of others about statements, the books, pools, recoveries or held claims do."""
    aids: int = 0
    """How many proposals of others about temporary aid do."""

    @property
    def here(self) -> str:
        """The address to return to after switching the language; for an unmasked page that of the masked one."""
        path = self.path.removeprefix("/unmask").removesuffix("/propose")
        if path.startswith(("/alerts/", "/aids/", "/refused/")):
            path = "/".join(path.split("/")[:3])
        if path.startswith("/close-year/"):
            path = "/pools/" + path.removeprefix("/close-year/")
        if path.startswith("/verify/"):
            path = "/proofs/" + path.removeprefix("/verify/")
        if path.startswith("/release/"):
            path = "/holds/" + path.removeprefix("/release/")
        if path == "/books/close":
            return f"/books?{urlencode({'month': self.form.get('month', '')})}"
        return f"{path}?{urlencode(self.query)}" if self.query else path

    @property
    def user(self) -> str:
        assert self.session is not None
        return self.session.user_name

    def may(self, right: Right) -> bool:
        return self.session is not None and self.barred is None and right in RIGHTS[self.session.role]

    def require(self, right: Right) -> None:
        """Raises PageRefused unless the user's role has the right."""
        if not self.may(right):
            raise PageRefused(403, "您的角色没有这个权限。", "Your role does not have permission for this.")

    def check_csrf(self) -> None:
        """Raises PageRefused unless the form was made for this session."""
        if not hmac.compare_digest(self.form.get("csrf", "").encode(), self.csrf.encode()):
            raise PageRefused(
                403,
                "这个表单已过期,或者不是从这里打开的。请回到上一页,刷新后再试。",
                "This form has expired or was not opened here. Go back, reload the page and try again.",
            )

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def text(self, saying: Saying) -> str:
        return text_in(saying, self.language)

    def given_reason(self) -> str | None:
        """The reason in the form; None when it is missing or too short to be one."""
        reason = " ".join(self.form.get("reason", "").split())
        return reason[:500] if len(reason) >= 4 else None

    def reason(self) -> str:
        """The reason in the form. Raises PageRefused when it is missing."""
        reason = self.given_reason()
        if reason is None:
            raise PageRefused(
                422, "请写明理由(至少 4 个字),理由会记入审计日志。", "Give a reason of at least 4 characters."
            )
        return reason

    def note_view(self, connection: Connection, page: str, **subject: str) -> None:
        """Notes for the audit log that this user views personal data."""
        note_view(connection, AuditKind.PERSONAL_VIEWED, self.user, {"page": page, **subject}, self.now())

    def token(self, person_id: str) -> str:
        """The token that stands for a person in a URL."""
        return self.keys.token(person_id, PERSON)

    def household_token(self, household_id: str) -> str:
        """The token that stands for a household in a URL."""
        return self.keys.token(household_id, HOUSEHOLD)

    def person(self, token: str) -> str:
        """The person a token in a URL stands for. Raises PageRefused."""
        return self.untoken(token, PERSON)

    def untoken(self, token: str, purpose: str) -> str:
        try:
            return self.keys.untoken(token, purpose)
        except NotReadable:
            raise not_found() from None

    def number(self, name: str) -> int:
        """A whole number in the URL. Raises PageRefused."""
        text = self.path_values.get(name) or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else _missing()

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page rendered from a template."""
        return HTMLResponse(self.render(template, {"visit": self, **values}), status)

    def redirect(self, path: str) -> Response:
        """Redirects the browser, with GET."""
        return RedirectResponse(path, 303)


def _missing() -> NoReturn:
    raise not_found()


def page_number(visit: Visit) -> int:
    """The requested page of a list, from 1."""
    text = visit.query.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else 1


@dataclass(frozen=True, slots=True)
class Pages:
    """A position in a list that is shown page by page."""

    count: int
    size: int
    number: int

    @property
    def last(self) -> int:
        return max(1, -(-self.count // self.size))

    @property
    def first_row(self) -> int:
        return min((self.number - 1) * self.size + 1, self.count)

    @property
    def last_row(self) -> int:
        return min(self.number * self.size, self.count)
