"""Signing in with a real OpenID Connect provider: who gets in, with which role, for how long, and who cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from sqlalchemy import Engine

from acts.four_eyes import OwnProposal, to_decide
from infra.ledger import identity_provider_rows
from infra.ledger.clearing_proposals import ClearingProposal
from infra.oidc.provider_settings import BACK, THERE, ProviderSettings
from infra.servers.local.ports import free_ports
from infra.settings import Settings, SettingsError
from schemas.access.console_rights import ConsoleRole
from tests.support.identity_provider import SECRET, provider, sign_in_there, why_not
from tests.web.desk import Desk, Visitor, open_desk

LASTS = timedelta(minutes=10)


@pytest.fixture(scope="module")
def town_hall() -> Iterator[tuple[str, int]]:
    """The issuer, and the port of the console that it knows."""
    absent = why_not()
    if absent:
        pytest.skip(absent)
    port = free_ports(1)[0]
    with provider(f"http://127.0.0.1:{port}", int(LASTS.total_seconds())) as issuer:
        yield issuer, port


@pytest.fixture
def office(ledger: Engine, tmp_path: Path, town_hall: tuple[str, int]) -> Iterator[Desk]:
    """A console whose users sign in with the provider."""
    issuer, port = town_hall
    with open_desk(
        ledger,
        tmp_path,
        console_port=port,
        console_url=f"http://127.0.0.1:{port}/",
        oidc_issuer=issuer,
        oidc_client_id="huzhu",
        oidc_client_secret=SECRET,
        oidc_roles="claims-finance=finance, claims-ops=operator",
    ) as opened:
        yield opened


def way_back(desk: Desk, visitor: Visitor, login: str) -> str:
    """What the provider sends the visitor's browser back with, after it signed in there."""
    there = visitor.get(THERE)
    assert 303 == there.status_code, there.text
    with httpx.Client(timeout=60) as browser:
        address = sign_in_there(browser, there.headers["location"], login, desk.address)
    parts = urlsplit(address)
    assert BACK == parts.path
    return f"{parts.path}?{parts.query}"


def come(desk: Desk, login: str) -> tuple[Visitor, httpx.Response]:
    visitor = desk.guest()
    return visitor, visitor.get(way_back(desk, visitor, login))


def test_who_the_provider_knows_gets_in(office: Desk) -> None:
    """With name and role of its claims, and no password here; the audit log and the log say nothing else about them."""
    assert THERE in office.guest().get("/sign-in").text
    visitor, answer = come(office, "sub-li")
    assert 200 == answer.status_code, answer.text
    assert 'http-equiv="refresh"' in answer.text
    assert "li · 财务" in visitor.get("/books").text
    assert ("finance", "!") == tuple(office.rows("SELECT role, password_hash FROM console_users WHERE name = 'li'")[0])
    assert 401 == office.guest().sign_in("li", "!").status_code
    assert "identity provider" == office.audited("user.signed_in")[-1]["subject"]["by"]
    assert "sub-li" not in json.dumps(office.audited("user.signed_in") + office.audited("user.created"))
    come(office, "sub-li")
    assert 1 == office.value("SELECT count(*) FROM oidc_identities")


def test_the_request_is_bound_to_this_browser(office: Desk) -> None:
    """PKCE, state and nonce, each new; another browser cannot finish it, and neither can this one twice."""
    visitor = office.guest()
    asked = [parse_qs(urlsplit(visitor.get(THERE).headers["location"]).query) for _ in range(2)]
    assert "S256" == asked[0]["code_challenge_method"][0]
    assert [] == [name for name in ("state", "nonce", "code_challenge") if asked[0][name] == asked[1][name]]
    path = way_back(office, visitor, "sub-li")
    assert 403 == office.guest().get(path).status_code
    assert 403 == visitor.get(path.replace("state=", "state=x")).status_code
    assert 200 == visitor.get(path).status_code
    assert 403 == visitor.get(path).status_code


def test_a_code_of_another_sign_in_is_refused(office: Desk) -> None:
    """Whoever slips their own code to somebody else's browser fails: its verifier and nonce are others."""
    attacker, victim = office.guest(), office.guest()
    stolen = parse_qs(urlsplit(way_back(office, attacker, "sub-wang")).query)
    own = parse_qs(urlsplit(way_back(office, victim, "sub-li")).query)
    mixed = {"code": stolen["code"][0], "state": own["state"][0], "iss": own["iss"][0]}
    assert 403 == victim.get(f"{BACK}?{urlencode(mixed)}").status_code
    assert 0 == office.value("SELECT count(*) FROM oidc_identities")


@pytest.mark.parametrize("login", ["sub-nobody", "sub-both"])
def test_who_has_no_role_or_two_is_told_so(office: Desk, login: str) -> None:
    """Nobody is let in without a role that the settings name, nor with two; no user is made."""
    visitor, answer = come(office, login)
    assert 403 == answer.status_code
    assert "角色" in answer.text
    assert 303 == visitor.get("/").status_code
    assert 0 == office.value("SELECT count(*) FROM oidc_identities")


def test_a_session_ends_with_the_word_of_the_provider(office: Desk) -> None:
    """When the ID token does, however much was clicked; and by signing out."""
    visitor, _ = come(office, "sub-li")
    office.ahead = LASTS - timedelta(minutes=1)
    assert 200 == visitor.get("/").status_code
    office.ahead = LASTS + timedelta(seconds=1)
    assert 303 == visitor.get("/").status_code
    office.ahead = timedelta()
    visitor, _ = come(office, "sub-li")
    assert 303 == visitor.post("/sign-out").status_code
    assert 303 == visitor.get("/").status_code


def test_a_disabled_user_is_not_let_in_by_the_provider(office: Desk) -> None:
    """The administrator's word is the last."""
    come(office, "sub-li")
    admin = office.visitor("admin")
    assert 303 == admin.post("/users/li/disable", seen="/users").status_code
    _, answer = come(office, "sub-li")
    assert 403 == answer.status_code


def test_a_name_that_is_taken_is_not_taken_over(office: Desk) -> None:
    """A local user's name stays that user's."""
    office.user("wang", ConsoleRole.ADMIN)
    _, answer = come(office, "sub-wang")
    assert 403 == answer.status_code
    assert "admin" == office.value("SELECT role FROM console_users WHERE name = 'wang'")


def test_nobody_approves_under_a_second_name(ledger: Engine) -> None:
    """One who signs in with the provider and one with a password do not decide about each other; two of a kind do."""
    for name in ("li", "li.na", "wang"):
        with ledger.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO console_users (name, role, password_hash, created_at, created_by) "
                f"VALUES ('{name}', 'finance', '!', now(), 'test')"
            )
    with ledger.begin() as connection:
        for name in ("li", "wang"):
            identity_provider_rows.add(connection, name, "https://id.example", f"sub-{name}")

    def decides(proposer: str, operator: str) -> bool:
        proposal: Any = ClearingProposal._make([None] * len(ClearingProposal._fields))
        proposal = proposal._replace(proposed_by=proposer)
        with ledger.connect() as connection:
            try:
                to_decide(connection, proposal, 1, operator)
            except OwnProposal:
                return False
            return True

    assert not decides("li.na", "li")
    assert not decides("li", "li.na")
    assert decides("li", "wang")
    assert decides("li.na", "somebody")


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"oidc_client_id": None}, "OIDC_CLIENT_ID"),
        ({"oidc_roles": "claims=boss"}, "OIDC_ROLES"),
        ({"oidc_roles": "finance"}, "OIDC_ROLES"),
        ({"oidc_issuer": "http://id.example"}, "https"),
        ({"console_url": "http://console.example"}, "https"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changed: dict[str, Any], word: str) -> None:
    """At the start, with the variable and what to do."""
    given = {
        "oidc_issuer": "https://id.example",
        "oidc_client_id": "huzhu",
        "oidc_roles": "claims=finance",
        "console_url": "https://console.example",
    }
    assert ProviderSettings.of(Settings.model_validate(given)) is not None
    with pytest.raises(SettingsError, match=word):
        ProviderSettings.of(Settings.model_validate(given | changed))
