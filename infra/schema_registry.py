"""A schema registry that speaks Confluent's HTTP API, as Confluent's own, Karapace, Apicurio and Redpanda's do."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlsplit

from infra.settings import Settings, SettingsError
from schemas.contract.subjects import RegistrySubject

ANSWER_SECONDS_MAX = 30.0
MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
NO_SUCH_SUBJECT = 40401
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class RegistryAway(Exception):
    """Nobody answers at the address."""


class RegistryRefused(Exception):
    """The registry does not do what it was asked; the message says why."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class SchemaRegistry:
    """A registry at an address. Every method raises RegistryAway and RegistryRefused."""

    def __init__(self, url: str, settings: Settings) -> None:
        """Raises SettingsError for an address or a password that cannot be used; no message has the password."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise SettingsError(
                "the registry's address is no https://HOST[:PORT][/PATH]; user and password go to "
                "HUZHU_REGISTRY_USERNAME and HUZHU_REGISTRY_PASSWORD_FILE"
            )
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": MEDIA_TYPE, "Accept": f"{MEDIA_TYPE}, application/json"}
        user, password = settings.registry_username, settings.registry_password
        if (user is None) != (password is None):
            raise SettingsError(
                "HUZHU_REGISTRY_USERNAME: goes with HUZHU_REGISTRY_PASSWORD or HUZHU_REGISTRY_PASSWORD_FILE"
            )
        if password is not None:
            if parts.scheme == "http" and parts.hostname not in LOOPBACK:
                raise SettingsError("HUZHU_REGISTRY_PASSWORD: is not sent over http: write https://")
            token = base64.b64encode(f"{user}:{password.get_secret_value()}".encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    def has(self, subject: RegistrySubject) -> bool | None:
        """Whether this very schema is registered; None if the subject has none at all."""
        try:
            self._ask("POST", f"/subjects/{quote(subject.name)}", _body(subject))
        except RegistryRefused as refused:
            if refused.status != 404 or not refused.code:
                raise
            return None if refused.code == NO_SUCH_SUBJECT else False
        return True

    def objection(self, subject: RegistrySubject) -> str | None:
        """Why the registry would refuse the schema as the next version of its subject; None if it would not."""
        path = f"/compatibility/subjects/{quote(subject.name)}/versions/latest?verbose=true"
        answer = self._ask("POST", path, _body(subject))
        if answer["is_compatible"]:
            return None
        return str(answer.get("messages") or answer.get("reason") or "it is incompatible")

    def register(self, subject: RegistrySubject) -> None:
        """Registers the schema; a repetition changes nothing."""
        self._ask("POST", f"/subjects/{quote(subject.name)}/versions", _body(subject))

    def level(self, subject: RegistrySubject) -> str | None:
        """What the subject's later versions may change; None where it was not said."""
        try:
            answer = self._ask("GET", f"/config/{quote(subject.name)}")
        except RegistryRefused as refused:
            if refused.status != 404:
                raise
            return None
        return str(answer["compatibilityLevel"])

    def set_level(self, subject: RegistrySubject) -> None:
        """Says what later versions may change."""
        self._ask("PUT", f"/config/{quote(subject.name)}", {"compatibility": subject.level})

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, self._headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise _refused(error) from None
        except (OSError, ssl.SSLError) as error:
            raise RegistryAway(f"no registry answers at {self._url} ({getattr(error, 'reason', error)})") from None
        except ValueError:
            raise RegistryRefused(
                200, 0, f"what answers at {self._url} is no schema registry: it sent no JSON"
            ) from None


def _refused(error: urllib.error.HTTPError) -> RegistryRefused:
    try:
        told = json.loads(error.read())
        code, message = int(told["error_code"]), str(told["message"])
    except (ValueError, KeyError, TypeError):
        code, message = 0, "no schema registry is there: give the address before /subjects"
    if error.code in (401, 403):
        message = "the registry does not let this user: check HUZHU_REGISTRY_USERNAME and HUZHU_REGISTRY_PASSWORD_FILE"
    return RegistryRefused(error.code, code, f"{message} (status {error.code})")


def _body(subject: RegistrySubject) -> dict[str, str]:
    return {"schemaType": "JSON", "schema": subject.schema}
