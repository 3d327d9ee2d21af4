"""An OpenID Connect provider: where to send the browser, and who has come back from there.

Authorization code with PKCE (RFC 7636). Authlib talks to the provider and compares the claims of the ID token; joserfc,
its own library, checks the signature.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from infra.oidc.provider_settings import ProviderSettings

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures that anybody can check, and nobody with the client's secret can make."""

LEEWAY_SECONDS = 60
SECONDS_MAX = 10.0
METADATA = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderAway(Exception):
    """The provider does not answer, or not as a provider does; the message quotes nothing of a person."""


class NotSaid(Exception):
    """What came back does not say who it is: another state, or a wrong signature, issuer, audience, nonce or time."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the browser carries, sealed, from leaving until coming back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Who somebody is: ``issuer`` and ``subject``. ``groups`` are the values of the role claim."""

    issuer: str
    subject: str
    name: str
    groups: frozenset[str]
    until: datetime


class Provider:
    """The provider of some settings; what it publishes about itself is read once, and its keys again for a new one."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._metadata: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None
        self._lock = threading.Lock()

    def address(self, handshake: Handshake) -> str:
        """Where the browser goes to sign in. Raises ProviderAway."""
        with self._session() as session:
            url, _ = session.create_authorization_url(
                self._published("authorization_endpoint"),
                state=handshake.state,
                nonce=handshake.nonce,
                code_verifier=handshake.verifier,
            )
        return str(url)

    def identity(self, handshake: Handshake, query: Mapping[str, str], now: datetime) -> KnownPerson:
        """Who has come back with a query. Raises NotSaid and ProviderAway."""
        if query.get("state") != handshake.state or "code" not in query:
            raise NotSaid("another state, or no code")
        if query.get("iss", self._settings.issuer) != self._settings.issuer:
            raise NotSaid("another issuer answered")  # RFC 9207
        try:
            with self._session() as session:
                token = session.fetch_token(
                    self._published("token_endpoint"),
                    grant_type="authorization_code",
                    code=query["code"],
                    code_verifier=handshake.verifier,
                )
                claims = self._checked(token, handshake.nonce, now)
                if self._settings.role_claim not in claims or self._settings.name_claim not in claims:
                    claims = self._asked(session, claims)
        except AuthlibBaseError as error:
            raise NotSaid(type(error).__name__) from None
        except RequestException as error:
            raise ProviderAway(type(error).__name__) from None
        return KnownPerson(
            self._settings.issuer,
            str(claims["sub"]),
            str(claims.get(self._settings.name_claim) or ""),
            frozenset(_texts(claims.get(self._settings.role_claim))),
            datetime.fromtimestamp(claims["exp"], UTC),
        )

    def _checked(self, token: Mapping[str, Any], nonce: str, now: datetime) -> dict[str, Any]:
        text = token.get("id_token")
        if not isinstance(text, str):
            raise NotSaid("no ID token")
        settings = self._settings
        options = {
            "iss": {"essential": True, "value": settings.issuer},
            "aud": {"essential": True, "value": settings.client_id},
        }
        try:
            decoded = self._decoded(text)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                options,
                {"nonce": nonce, "client_id": settings.client_id, "access_token": token.get("access_token")},
            )
            claims.validate(int(now.timestamp()), LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError, ValueError, TypeError) as error:
            raise NotSaid(type(error).__name__) from None
        return dict(claims)

    def _decoded(self, text: str) -> jwt.Token:
        try:
            return jwt.decode(text, self._key_set(fresh=False), algorithms=ALGORITHMS)
        except (InvalidKeyIdError, ValueError):
            return jwt.decode(text, self._key_set(fresh=True), algorithms=ALGORITHMS)

    def _asked(self, session: OAuth2Session, claims: dict[str, Any]) -> dict[str, Any]:
        """The claims with those that the provider only tells when asked (UserInfo), if they are of the same subject."""
        endpoint = self._read().get("userinfo_endpoint")
        if endpoint is None:
            return claims
        answer = session.get(endpoint)
        answer.raise_for_status()
        told = answer.json()
        if not isinstance(told, dict) or told.get("sub") != claims["sub"]:
            raise NotSaid("UserInfo is about somebody else")
        return told | claims

    def _key_set(self, *, fresh: bool) -> KeySet:
        with self._lock:
            if self._keys is None or fresh:
                self._keys = KeySet.import_key_set(self._get(self._published("jwks_uri")))
            return self._keys

    def _published(self, name: str) -> str:
        return str(self._read()[name])

    def _read(self) -> Mapping[str, Any]:
        if self._metadata is None:
            found = self._get(f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self._settings.issuer or any(name not in found for name in METADATA):
                raise ProviderAway("it publishes another issuer, or no addresses")
            self._metadata = found
        return self._metadata

    def _get(self, address: str) -> Any:
        try:
            with self._session() as session:
                answer = session.request("GET", address, withhold_token=True)
                answer.raise_for_status()
                return answer.json()
        except (RequestException, ValueError) as error:
            raise ProviderAway(type(error).__name__) from None

    def _session(self) -> OAuth2Session:
        settings = self._settings
        return OAuth2Session(
            settings.client_id,
            settings.client_secret,
            token_endpoint_auth_method="client_secret_basic" if settings.client_secret else "none",
            scope=settings.scope,
            redirect_uri=settings.redirect_uri,
            code_challenge_method="S256",
            default_timeout=SECONDS_MAX,
        )


def _texts(value: object) -> Sequence[str]:
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
