"""`huzhu gateway` and `huzhu keys` as an operator meets them: what they say, refuse and leave behind."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import httpx
import pytest
import trustme
from sqlalchemy import Engine

from infra.ledger.schema import bind, connect
from infra.settings import Settings
from tests.support.builders import discharge
from tests.support.processes import huzhu
from tests.support.servers import listening_addresses
from tests.web.site import Site
from web.server import NotServed, check_address

UNUSABLE = 2
TOKEN = re.compile(r"huzhu_[a-z0-9]{10}_[A-Za-z0-9_-]{43}\n")


def test_a_key_from_its_making_to_its_end(ledger_url: str) -> None:
    """Made, listed, rotated, revoked: the token is all that standard output holds, and it is never shown again."""
    bind(connect(ledger_url), 4, "no-cluster")
    made = huzhu(
        "keys", "create", "--role", "hospital", "--facility", "H1", "--operator", "li.na", HUZHU_DATABASE_URL=ledger_url
    )
    assert 0 == made.returncode, made.stderr
    assert TOKEN.fullmatch(made.stdout)
    key_id, secret = made.stdout.strip().split("_", 2)[1:]
    rotated = huzhu("keys", "rotate", key_id, "--operator", "wang", "--grace-hours", "0", HUZHU_DATABASE_URL=ledger_url)
    assert TOKEN.fullmatch(rotated.stdout), rotated.stderr
    successor = rotated.stdout.split("_")[1]
    assert UNUSABLE == huzhu("keys", "rotate", key_id, "--operator", "wang", HUZHU_DATABASE_URL=ledger_url).returncode
    revoked = huzhu(
        "keys", "revoke", successor, "--operator", "li.na", "--reason", "laptop stolen", HUZHU_DATABASE_URL=ledger_url
    )
    assert 0 == revoked.returncode, revoked.stderr
    listed = huzhu("keys", "list", HUZHU_DATABASE_URL=ledger_url)
    assert key_id in listed.stdout
    assert "revoked" in listed.stdout
    said = listed.stdout + listed.stderr + made.stderr + rotated.stderr
    assert secret not in said
    engine = connect(ledger_url)
    with engine.connect() as connection:
        kinds = list(connection.exec_driver_sql("SELECT kind FROM audit_entries ORDER BY seq").scalars())
    engine.dispose()
    assert ["key.created", "key.rotated", "key.revoked"] == kinds


@pytest.mark.parametrize(
    "words",
    [
        ["create", "--role", "hospital", "--operator", "li.na"],
        ["create", "--role", "registry", "--facility", "H1", "--operator", "li.na"],
        ["create", "--role", "insurer", "--facility", "H1", "--operator", "li.na"],
        ["create", "--role", "hospital", "--facility", "H1", "--operator", " "],
        ["create", "--role", "hospital", "--facility", "H1"],
        ["rotate", "nobody", "--operator", "li.na"],
        ["revoke", "nobody", "--operator", "li.na", "--reason", "x"],
    ],
)
def test_an_act_that_cannot_be_done_is_explained(ledger: Engine, words: list[str]) -> None:
    """Exit status 2, a sentence, no traceback, no key."""
    url = ledger.url.render_as_string(hide_password=False)
    done = huzhu("keys", *words, HUZHU_DATABASE_URL=url)
    assert (UNUSABLE, "") == (done.returncode, done.stdout)
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "gateway.example"])
def test_no_address_beyond_this_machine_without_tls(host: str) -> None:
    """Unless somebody asks for it by name; loopback needs neither."""
    with pytest.raises(NotServed, match="--insecure-allow-plain"):
        check_address(Settings(gateway_host=host), allow_plain=False)
    check_address(Settings(gateway_host=host), allow_plain=True)
    for near in ("127.0.0.1", "127.9.9.9", "::1", "localhost"):
        check_address(Settings(gateway_host=near), allow_plain=False)


def test_the_command_refuses_before_it_touches_anything() -> None:
    """Without TLS on all addresses, and with half a certificate: exit status 2 and the variable's name."""
    refused = huzhu("gateway", HUZHU_GATEWAY_HOST="0.0.0.0")
    assert UNUSABLE == refused.returncode
    assert "HUZHU_GATEWAY_TLS_CERT" in refused.stderr
    half = huzhu("gateway", HUZHU_GATEWAY_TLS_CERT="/nowhere.pem")
    assert UNUSABLE == half.returncode
    assert "HUZHU_GATEWAY_TLS_KEY" in half.stderr


def test_the_api_over_tls(kafka: str, postgres_url: str, tmp_path: Path) -> None:
    """With a certificate the API speaks only TLS; by default it listens on loopback."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    cert, key, ca = (tmp_path / name for name in ("cert.pem", "key.pem", "ca.pem"))
    issued.private_key_pem.write_to_path(key)
    cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    authority.cert_pem.write_to_path(ca)
    with Site(kafka, postgres_url) as site:
        site.start_gateway_tls(ca, gateway_tls_cert=cert, gateway_tls_key=key)
        trusting = ssl.create_default_context(cafile=str(ca))
        authorization = {"Authorization": f"Bearer {site.h1}"}
        with httpx.Client(base_url=site.address, verify=trusting, headers=authorization) as client:
            assert 202 == client.post("/v1/events", json=discharge()).status_code
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{site.address}/healthz")
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{site.port}/healthz")
        assert {"127.0.0.1"} == listening_addresses(site.pids["gateway"])
        assert site.stop("gateway") >= 0


def test_a_gateway_for_another_kafka_ends(kafka: str, postgres_url: str) -> None:
    """A ledger of another cluster is not served: nothing of its inbox may go to the wrong brokers."""
    with Site(kafka, postgres_url) as site, site.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE installation SET value = 'another' WHERE name = 'kafka_cluster_id'")
        connection.commit()
        site.start("gateway", gateway_port=site.port)
        assert UNUSABLE == site.wait("gateway", 60)
        assert "HUZHU_KAFKA_BOOTSTRAP" in site.log("gateway")


def test_a_port_that_is_taken_is_named(kafka: str, postgres_url: str) -> None:
    """The second gateway on one port ends with status 2; on another port it serves alongside the first."""
    with Site(kafka, postgres_url) as site:
        site.start_gateway()
        site.start("gateway", "second", gateway_port=site.port)
        assert UNUSABLE == site.wait("second", 60)
        assert str(site.port) in site.log("second")


def test_a_key_for_an_insurer_that_leads_no_treaty_is_not_made(ledger_url: str) -> None:
    """It would reach nothing, for a slip of the pen."""
    words = ("keys", "create", "--role", "lead", "--insurer", "insurer-z", "--operator", "li.na")
    done = huzhu(*words, HUZHU_DATABASE_URL=ledger_url)
    assert UNUSABLE == done.returncode
    assert "no published treaty is led by insurer-z" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--role", "lead", "--user", "picc"), "--role lead needs --insurer ID"),
        (("--role", "lead", "--insurer", "insurer-a"), "--role lead needs --user NAME"),
        (("--role", "lead", "--insurer", "Insurer A", "--user", "picc"), "is no insurer's id"),
        (("--role", "lead", "--insurer", "fund", "--user", "picc"), "is no insurer's id"),
        (("--insurer", "insurer-a"), "--role lead needs --insurer ID"),
    ],
)
def test_rules_for_a_lead_name_insurer_and_user(words: tuple[str, ...], said: str) -> None:
    """Two insurers under one user would read each other's payouts."""
    done = huzhu("topics", "acl", *words)
    assert UNUSABLE == done.returncode
    assert said in done.stderr
