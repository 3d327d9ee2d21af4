"""`huzhu contracts register` at a real registry, and what is said where one refuses or is away."""

from __future__ import annotations

import base64
import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from infra.schema_registry import RegistryRefused, SchemaRegistry
from infra.settings import Settings, SettingsError
from schemas.contract.subjects import RegistrySubject, subjects
from schemas.topics import TOPICS
from tests.support import apicurio
from tests.support.processes import huzhu


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Apicurio Registry of our own."""
    try:
        with apicurio.running(tmp_path_factory.mktemp("apicurio")) as url:
            yield url
    except apicurio.ApicurioUnavailable as error:
        pytest.skip(f"no schema registry to try it with: {error}")


def named(name: str) -> RegistrySubject:
    (found,) = [each for each in subjects("wuxi.") if each.name == f"wuxi.{name}"]
    return found


def changed(subject: RegistrySubject, member: str, value: Any) -> RegistrySubject:
    """The subject with another value of one member of its schema."""
    return subject._replace(schema=json.dumps({**json.loads(subject.schema), member: value}))


def test_every_schema_is_registered_once(registry: str) -> None:
    """--check says what is missing and changes nothing; registering does it; a second time there is nothing to do."""
    missing = huzhu("contracts", "register", registry, "--check", HUZHU_PREFIX="wuxi.")
    names = [each.name for each in subjects("wuxi.")]
    assert (1, [f"{name}: is not registered" for name in names]) == (missing.returncode, missing.stderr.splitlines())
    done = huzhu("contracts", "register", registry, HUZHU_PREFIX="wuxi.")
    assert (0, [f"{name}: registered" for name in names]) == (done.returncode, done.stdout.splitlines()), done.stderr
    for words in ((), ("--check",)):
        again = huzhu("contracts", "register", registry, *words, HUZHU_PREFIX="wuxi.")
        assert (0, f"all {len(names)} schemas are registered\n") == (again.returncode, again.stdout), again.stderr
    with urllib.request.urlopen(f"{registry}/subjects") as answer:
        assert sorted(names) == sorted(json.load(answer))
    with urllib.request.urlopen(f"{registry}/subjects/wuxi.claims.decisions-value/versions") as answer:
        assert [1] == json.load(answer)


def test_what_breaks_readers_is_refused(registry: str) -> None:
    """A field that is no longer promised, of what Huzhu sends. A new one is taken, as is one of what it receives."""
    mine = SchemaRegistry(registry, Settings())
    sent, received = named("audit.checkpoints-value"), named("hospital.discharges-value")
    for each in (sent, received):
        mine.register(each)
        mine.set_level(each)
    broken = changed(sent, "required", ["event_type"])
    assert mine.objection(sent) is None
    assert "required" in (mine.objection(broken) or "")
    with pytest.raises(RegistryRefused) as refused:
        mine.register(broken)
    assert 409 == refused.value.status
    for each in (sent, received):
        more = {**json.loads(each.schema)["properties"], "remark": {"type": "string"}}
        wider = changed(each, "properties", more)
        assert (None, False) == (mine.objection(wider), mine.has(wider))
        mine.register(wider)
        assert mine.has(wider)


def test_subjects_have_the_names_of_the_registries_strategies() -> None:
    """TopicNameStrategy for a topic with one type of event, TopicRecordNameStrategy for one with several."""
    names = [each.name for each in subjects()]
    assert {"claims.decisions-value", "hospital.expenses-settlement.posted", "alerts-alert.withdrawn"} <= set(names)
    assert len(set(names)) == len(names) == sum(len(topic.event_types) for topic in TOPICS)
    assert [f"wuxi.{name}" for name in names] == [each.name for each in subjects("wuxi.")]


@pytest.mark.parametrize("subject", subjects(), ids=lambda subject: subject.name)
def test_schemas_stand_alone_in_the_dialect_that_registries_compare(subject: RegistrySubject) -> None:
    """Without references, and without the contract's version, which would make a new one of each with every release."""
    Draft7Validator.check_schema(json.loads(subject.schema))
    assert "$ref" not in subject.schema
    assert "$id" not in subject.schema


class Refusing(ThreadingHTTPServer):
    """Answers everything with one status and text, and keeps the headers it was asked with."""

    def __init__(self, status: int, text: str) -> None:
        self.asked: list[dict[str, str]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked.append(dict(self.headers))
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                return

        super().__init__(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Refusing:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.shutdown()
        self.server_close()


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (401, '{"error_code": 40101, "message": "no"}', "check HUZHU_REGISTRY_USERNAME"),
        (403, "<html>", "check HUZHU_REGISTRY_USERNAME"),
        (404, "<html>", "no schema registry is there: give the address before /subjects"),
        (200, "<html>", "it sent no JSON"),
        (503, '{"error_code": 50301, "message": "starting"}', "starting (status 503)"),
    ],
)
def test_a_refusal_is_explained(status: int, text: str, said: str, tmp_path: Path) -> None:
    """In a sentence with exit status 1. The user and the password from a file are sent; neither is shown."""
    (tmp_path / "password").write_text("t0p-secret\n")
    user = {"HUZHU_REGISTRY_USERNAME": "huzhu", "HUZHU_REGISTRY_PASSWORD_FILE": str(tmp_path / "password")}
    with Refusing(status, text) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        ended = huzhu("contracts", "register", url, columns=300, **user)
    assert (1, True) == (ended.returncode, said in ended.stderr), ended.stderr
    assert "t0p-secret" not in ended.stdout + ended.stderr
    assert base64.b64encode(b"huzhu:t0p-secret").decode() in server.asked[0]["Authorization"]


def test_a_registry_that_is_away_ends_with_75() -> None:
    """So a timer tries again."""
    ended = huzhu("contracts", "register", "http://127.0.0.1:1")
    assert (75, True) == (ended.returncode, "no registry answers at http://127.0.0.1:1" in ended.stderr)


@pytest.mark.parametrize(
    ("url", "given", "said"),
    [
        ("https://me:t0p-secret@registry", {}, "user and password go to HUZHU_REGISTRY_USERNAME"),
        ("registry:8081", {}, "is no https://HOST"),
        ("http://registry", {"registry_username": "me", "registry_password": "t0p-secret"}, "is not sent over http"),
        ("https://registry", {"registry_username": "me"}, "HUZHU_REGISTRY_USERNAME: goes with"),
        ("https://registry", {"registry_password": "t0p-secret"}, "HUZHU_REGISTRY_USERNAME: goes with"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_sent(url: str, given: dict[str, Any], said: str) -> None:
    """The password is in no message."""
    with pytest.raises(SettingsError) as refused:
        SchemaRegistry(url, Settings(**given))
    assert said in str(refused.value)
    assert "t0p-secret" not in str(refused.value)
