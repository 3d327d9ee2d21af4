"""The settings of the OpenID Connect provider, checked together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from infra.settings import Settings, SettingsError
from schemas.access.console_rights import ConsoleRole

THERE = "/sign-in/provider"
"""The page that sends the browser to the provider."""

BACK = "/sign-in/provider/back"
"""Where the provider sends the browser back to."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Which provider, as which client, and what its claims mean. ``roles`` maps values of the role claim to roles."""

    issuer: str
    client_id: str
    client_secret: str | None
    redirect_uri: str
    scope: str
    name_claim: str
    role_claim: str
    roles: Mapping[str, ConsoleRole]

    @classmethod
    def of(cls, settings: Settings) -> ProviderSettings | None:
        """None without ``HUZHU_OIDC_ISSUER``. Raises SettingsError."""
        if settings.oidc_issuer is None:
            return None
        if settings.oidc_client_id is None or settings.console_url is None or settings.oidc_roles is None:
            raise SettingsError(
                "HUZHU_OIDC_ISSUER: needs HUZHU_OIDC_CLIENT_ID, HUZHU_OIDC_ROLES and HUZHU_CONSOLE_URL as well"
            )
        for variable, address in (("OIDC_ISSUER", settings.oidc_issuer), ("CONSOLE_URL", settings.console_url)):
            parts = urlsplit(address)
            local = parts.hostname in ("127.0.0.1", "::1", "localhost")
            if parts.scheme != "https" and not (parts.scheme == "http" and local):
                raise SettingsError(f"HUZHU_{variable}: must begin with https://, except on loopback")
        secret = settings.oidc_client_secret
        return cls(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=secret.get_secret_value() if secret else None,
            redirect_uri=settings.console_url.rstrip("/") + BACK,
            scope=settings.oidc_scope,
            name_claim=settings.oidc_name_claim,
            role_claim=settings.oidc_role_claim,
            roles=_roles(settings.oidc_roles),
        )


def _roles(text: str) -> Mapping[str, ConsoleRole]:
    roles = {}
    for each in text.split(","):
        value, equals, role = (part.strip() for part in each.rpartition("="))
        if not equals or not value or role not in list(ConsoleRole):
            names = ", ".join(ConsoleRole)
            raise SettingsError(f"HUZHU_OIDC_ROLES: write CLAIM=ROLE, separated by commas; roles are {names}")
        roles[value] = ConsoleRole(role)
    return roles
