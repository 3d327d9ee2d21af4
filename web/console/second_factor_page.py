"""One-time codes: the user sets them up with a picture for the app, and is asked for one when signing in."""

from __future__ import annotations

import segno
from starlette.responses import Response

from acts import second_factor
from acts.console_users import UserRefused
from infra.keys.one_time_codes import app_address, new_secret
from infra.keys.personal_data import NotReadable
from infra.ledger import second_factor_rows
from web.console.sign_in import let_in, session_token
from web.console.visit import PageRefused, Visit

ISSUER = "Huzhu"


def ask(visit: Visit) -> Response:
    """The page between password and session."""
    return visit.page("sign_in_code.html", failed=False)


def enter(secure: bool, visit: Visit) -> Response:
    try:
        token = second_factor.give_code(
            visit.engine, visit.keys, session_token(visit, secure), visit.form.get("code", ""), visit.now
        )
    except NotReadable:
        raise _key_gone() from None
    if token is None:
        return visit.page("sign_in_code.html", 401, failed=True)
    return let_in(visit.redirect("/"), secure, token)


def show(visit: Visit) -> Response:
    """How it stands with the user's own second factor, or how to set it up."""
    _of_local_users(visit)
    with visit.engine.connect() as connection:
        factor = second_factor_rows.find(connection, visit.user)
    if factor is None:
        return _offered(visit, new_secret(), 200)
    return visit.page("second_factor.html", factor=factor, failed=False)


def set_up(secure: bool, visit: Visit) -> Response:
    """Takes the first code of the app; from then on signing in asks for one."""
    _of_local_users(visit)
    try:
        secret = visit.keys.untoken(visit.form.get("secret", ""), _purpose(visit))
        done = second_factor.enrol(visit.engine, visit.keys, visit.user, secret, visit.form.get("code", ""), visit.now)
    except (NotReadable, UserRefused):
        raise PageRefused(
            409,
            "已经设置过,或者页面已过期。请重新打开此页。",
            "It is set up already, or the page is old. Open it again.",
        ) from None
    if done is None:
        return _offered(visit, secret, 422)
    token, codes = done
    return let_in(visit.page("recovery_codes.html", codes=codes), secure, token)


def renew(visit: Visit) -> Response:
    """New recovery codes, against a code."""
    try:
        codes = second_factor.renew_recovery_codes(
            visit.engine, visit.keys, visit.user, visit.form.get("code", ""), visit.now
        )
    except NotReadable:
        raise _key_gone() from None
    if codes is None:
        with visit.engine.connect() as connection:
            factor = second_factor_rows.find(connection, visit.user)
        if factor is None:
            raise PageRefused(409, "还没有设置动态验证码。", "One-time codes are not set up.")
        return visit.page("second_factor.html", 422, factor=factor, failed=True)
    return visit.page("recovery_codes.html", codes=codes)


def _offered(visit: Visit, secret: str, status: int) -> Response:
    picture = segno.make(app_address(secret, visit.user, ISSUER), micro=False)
    return visit.page(
        "set_up_second_factor.html",
        status,
        failed=status != 200,
        picture=picture.svg_inline(scale=5, border=4, light="#fff", omitsize=False),
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        sealed=visit.keys.token(secret, _purpose(visit)),
    )


def _of_local_users(visit: Visit) -> None:
    if visit.session is not None and visit.session.until is not None:
        raise PageRefused(
            409,
            "您用统一身份认证登录,动态验证码请在那里设置。",
            "You sign in with the identity provider: second factors are set up there.",
        )


def _purpose(visit: Visit) -> str:
    return f"second factor of {visit.user}"


def _key_gone() -> PageRefused:
    return PageRefused(
        503,
        "解密动态验证码所用的密钥不在了,请用备用码登录,或请管理员处理。",
        "The key of the one-time codes is gone. Use a recovery code, or ask an administrator.",
    )
