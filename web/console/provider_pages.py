"""Signing in with the identity provider: the way there, and back."""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import asdict
from datetime import timedelta

from starlette.responses import Response

from acts import sign_in_by_provider
from acts.sign_in_by_provider import NotLetIn
from infra.keys.personal_data import NotReadable
from infra.oidc.provider import Handshake, NotSaid, Provider, ProviderAway
from infra.oidc.provider_settings import BACK, ProviderSettings
from web.console.sign_in import let_in
from web.console.visit import PageRefused, Visit

log = logging.getLogger(__name__)

AWAY_MAX = timedelta(minutes=10)
"""How long somebody may take to sign in there."""

_COOKIE = "huzhu-provider"
_PURPOSE = "handshake with the identity provider"


class ProviderPages:
    """The two pages, for one provider."""

    def __init__(self, settings: ProviderSettings, secure: bool) -> None:
        self._settings, self._secure = settings, secure
        self._provider = Provider(settings)
        self._cookie = f"__Secure-{_COOKIE}" if secure else _COOKIE

    def leave(self, visit: Visit) -> Response:
        """Sends the browser to the provider, with a handshake that only this browser can finish."""
        handshake = Handshake(*(secrets.token_urlsafe(32) for _ in range(3)))
        try:
            response = visit.redirect(self._provider.address(handshake))
        except ProviderAway as error:
            raise _away(error) from None
        told = json.dumps(asdict(handshake) | {"until": (visit.now() + AWAY_MAX).timestamp()})
        response.set_cookie(
            self._cookie,
            visit.keys.token(told, _PURPOSE),
            max_age=int(AWAY_MAX.total_seconds()),
            path=BACK,
            secure=self._secure,
            httponly=True,
            samesite="lax",  # the provider's redirection comes from another site
        )
        return response

    def come_back(self, visit: Visit) -> Response:
        """Opens a session for whoever the provider says has come back."""
        try:
            identity = self._provider.identity(self._handshake(visit), visit.query, visit.now())
            token = sign_in_by_provider.sign_in(visit.engine, identity, self._settings.roles, visit.now)
        except ProviderAway as error:
            raise _away(error) from None
        except NotSaid as error:
            log.warning("a sign-in with the identity provider failed: %s", error)
            raise PageRefused(
                403,
                "统一身份认证没有成功,请重新登录。",
                "Signing in with the identity provider did not work. Please try again.",
            ) from None
        except NotLetIn as error:
            raise PageRefused(403, error.why.zh, error.why.en) from None
        response = let_in(visit.page("signed_in.html"), self._secure, token)
        response.delete_cookie(self._cookie, path=BACK, secure=self._secure, httponly=True)
        return response

    def _handshake(self, visit: Visit) -> Handshake:
        try:
            told = json.loads(visit.keys.untoken(visit.cookies.get(self._cookie, ""), _PURPOSE))
        except NotReadable:
            raise NotSaid("the browser brings no handshake") from None
        if visit.now().timestamp() > told.pop("until"):
            raise NotSaid("the handshake is too old")
        return Handshake(**told)


def _away(error: ProviderAway) -> PageRefused:
    log.error("the identity provider cannot be used: %s", error)
    return PageRefused(
        503,
        "统一身份认证暂时不可用,请稍后再试。",
        "The identity provider cannot be reached at the moment. Try again shortly.",
    )
