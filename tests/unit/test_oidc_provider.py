"""What of a provider's answer is believed: crafted ID tokens from a server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from infra.oidc.provider import Handshake, KnownPerson, NotSaid, Provider, ProviderAway
from infra.oidc.provider_settings import ProviderSettings

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "one"}) for _ in range(2))
SENT = Handshake("state", "nonce", "v" * 43)


class Town:
    """A provider whose answers the test writes. ``claims`` are those of the ID token, ``told`` those of UserInfo."""

    def __init__(self, address: str) -> None:
        self.issuer = self.published = address
        self.claims: dict[str, Any] = {
            "iss": address,
            "sub": "sub-li",
            "aud": "huzhu",
            "iat": int(NOON.timestamp()),
            "exp": int((NOON + timedelta(minutes=5)).timestamp()),
            "nonce": "nonce",
            "groups": ["finance"],
            "preferred_username": "li",
        }
        self.told: dict[str, Any] = {"sub": "sub-li", "groups": ["finance"], "preferred_username": "li"}
        self.key: Any = KEY
        self.algorithm = "RS256"

    def answer(self, path: str) -> dict[str, Any]:
        if path.endswith("openid-configuration"):
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
            return {"issuer": self.published, **{name: f"{self.issuer}/{name}" for name in names}}
        if path == "/jwks_uri":
            return {"keys": [KEY.as_dict(private=False)]}
        if path == "/token_endpoint":
            header = {"alg": self.algorithm, "kid": "one"}
            token = jwt.encode(header, self.claims, self.key, algorithms=[self.algorithm])
            return {"access_token": "a", "token_type": "Bearer", "id_token": token}
        return self.told

    def identity(self, **query: str) -> KnownPerson:
        settings = ProviderSettings(
            self.issuer, "huzhu", None, f"{self.issuer}/back", "openid", "preferred_username", "groups", {}
        )
        return Provider(settings).identity(SENT, {"state": "state", "code": "c", **query}, NOON)


@pytest.fixture
def town() -> Iterator[Town]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(made.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made = Town(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_right_answer_says_who_it_is(town: Town) -> None:
    """Issuer, subject, name, groups, and until when."""
    until = NOON + timedelta(minutes=5)
    assert KnownPerson(town.issuer, "sub-li", "li", frozenset({"finance"}), until) == town.identity()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", "https://elsewhere.example"),
        ("aud", "another-client"),
        ("aud", ["huzhu-too"]),
        ("nonce", "another"),
        ("nonce", None),
        ("exp", int((NOON - timedelta(minutes=5)).timestamp())),
        ("exp", None),
        ("sub", None),
    ],
)
def test_a_wrong_claim_says_nothing(town: Town, name: str, value: object) -> None:
    """Another issuer, audience or nonce, an old token, or a claim that has to be there and is not."""
    town.claims[name] = value
    if value is None:
        del town.claims[name]
    with pytest.raises(NotSaid):
        town.identity()


def test_a_token_of_an_hour_ago_says_nothing(town: Town) -> None:
    """It was good for five minutes then, by its own clock."""
    town.claims |= {
        name: int((NOON - timedelta(minutes=before)).timestamp()) for name, before in (("iat", 60), ("exp", 55))
    }
    with pytest.raises(NotSaid):
        town.identity()


def test_a_token_that_the_provider_did_not_sign_says_nothing(town: Town) -> None:
    """Another key, or a secret that the client knows too."""
    town.key = OTHER_KEY
    with pytest.raises(NotSaid):
        town.identity()
    town.key, town.algorithm = OctKey.import_key("s" * 32), "HS256"
    with pytest.raises(NotSaid):
        town.identity()


@pytest.mark.parametrize("query", [{"state": "another"}, {"iss": "https://elsewhere.example"}])
def test_an_answer_to_another_question_says_nothing(town: Town, query: dict[str, str]) -> None:
    """Another state, or another issuer beside the code."""
    with pytest.raises(NotSaid):
        town.identity(**query)


def test_what_is_only_told_when_asked_is_asked_for(town: Town) -> None:
    """Groups may come from UserInfo, if it is about the same subject; what is signed counts first."""
    del town.claims["groups"]
    town.told |= {"groups": "auditors", "preferred_username": "zhao"}
    identity = town.identity()
    assert (frozenset({"auditors"}), "li") == (identity.groups, identity.name)
    town.told["sub"] = "sub-zhao"
    with pytest.raises(NotSaid):
        town.identity()


def test_a_provider_that_publishes_another_issuer_is_not_used(town: Town) -> None:
    """Nor one that does not answer."""
    town.published = "https://elsewhere.example"
    with pytest.raises(ProviderAway):
        town.identity()
    town.issuer = "http://127.0.0.1:1"
    with pytest.raises(ProviderAway):
        town.identity()
