"""Signing in and out."""

from __future__ import annotations

from starlette.responses import Response

from acts.console_users import sign_in, sign_out
from web.console.visit import Visit


def session_cookie(secure: bool) -> str:
    """With TLS, the prefix makes browsers reject the cookie from other hosts or without TLS."""
    return "__Host-huzhu" if secure else "huzhu"


def guest_cookie(secure: bool) -> str:
    """Has the form secret of a browser that is not signed in yet."""
    return "__Host-huzhu-form" if secure else "huzhu-form"


def session_token(visit: Visit, secure: bool) -> str:
    """The token in the visitor's cookie; empty without one."""
    return visit.cookies.get(session_cookie(secure), "")


def show(provider: bool, visit: Visit) -> Response:
    if visit.session is not None:
        return visit.redirect("/")
    return visit.page("sign_in.html", failed=False, provider=provider)


def enter(secure: bool, provider: bool, visit: Visit) -> Response:
    token = sign_in(visit.engine, visit.form.get("name", "").strip().lower(), visit.form.get("password", ""), visit.now)
    if token is None:
        return visit.page("sign_in.html", 401, failed=True, provider=provider)
    return let_in(visit.redirect("/"), secure, token)


def let_in(response: Response, secure: bool, token: str) -> Response:
    """The response, which gives the browser the session of a token."""
    response.set_cookie(session_cookie(secure), token, secure=secure, httponly=True, samesite="strict", path="/")
    response.delete_cookie(guest_cookie(secure), secure=secure, httponly=True)
    return response


def leave(secure: bool, visit: Visit) -> Response:
    sign_out(visit.engine, session_token(visit, secure))
    response = visit.redirect("/sign-in")
    response.delete_cookie(session_cookie(secure), secure=secure, httponly=True, samesite="strict")
    return response
