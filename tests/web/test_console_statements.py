"""Statements in the console: issued by two persons, read down to their lines, answered, and taken as files."""

from __future__ import annotations

import hashlib
import html
import re

import httpx
import pytest

from infra.files.export_files import WRITERS
from schemas.money import format_yuan
from tests.support.acts import publish_treaty_text
from tests.support.builders import SHARDS, Json, answer, bill
from tests.support.replayed import recorded, replayed
from tests.support.stated_town import StatedTown
from tests.support.treaties import treaty_text
from tests.web.desk import Desk, Visitor
from tests.web.downloads import summed, table
from tests.web.words import words
from web.console import statement_pages

REASON = "the month is complete"
TREATY = "/statements/of/t1"


@pytest.fixture
def town(desk: Desk) -> StatedTown:
    """In January 2025 three stays are paid under a treaty of three insurers."""
    made = StatedTown(desk.engine)
    made.cover("P1", "P2", "P3")
    for number, person in enumerate(("P1", "P2", "P3")):
        made.take(bill(f"S{number}", f"E-{person}", 3000 + number, person_id=person))
    made.set("2025-02-03T10:00:00+08:00")
    desk.catch_up()
    return made


def propose(visitor: Visitor, month: str = "2025-01", treaty: str = "t1", reason: str = REASON) -> httpx.Response:
    return visitor.post(f"/statements/of/{treaty}/propose", seen="/books", month=month, reason=reason)


def approve(visitor: Visitor, **fields: str) -> httpx.Response:
    """Presses the button on the treaty's page."""
    page = visitor.get(TREATY).text
    (address,) = re.findall(r'action="(/clearing/\d+/approve)"', page)
    (sha256,) = re.findall(r'name="sha256" value="([0-9a-f]*)"', page)
    return visitor.post(address, seen="/books", **{"sha256": sha256, **fields})


def test_two_persons_issue_a_month(desk: Desk, town: StatedTown) -> None:
    """The second one sees net, parts and the SHA-256 of the lines; each insurer then has its statement, for good."""
    first, second = desk.visitor("finance"), desk.visitor("finance2", "en")
    assert "t1 insurer-a 0 2025-01 can be issued" in words(second.get("/statements").text)
    assert 303 == propose(first).status_code
    assert "/approve" not in first.get(TREATY).text
    assert "waiting for approval" in second.get("/statements").text
    page = second.get(TREATY).text
    assert "Net of the month 900.90" in words(page)
    assert 303 == approve(second).status_code
    issued = town.rows()
    assert ["insurer-a", "insurer-b", "insurer-c"] == [row.insurer for row in issued]
    after = words(second.get(TREATY).text)
    assert "2025-01 1 insurer-a 900.90" in after
    assert 3 == after.count("open ST-")
    desk.catch_up()
    assert recorded(desk.engine) == replayed(desk.engine)


def test_a_statement_leads_to_its_lines(desk: Desk, town: StatedTown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Net, schemes and states each lead to the lines under them, page by page, and those to their claims."""
    monkeypatch.setattr(statement_pages, "PAGE_ROWS", 2)
    made, *_ = town.issue("2025-01")
    visitor = desk.visitor("operator")
    page = visitor.get(f"/statements/{made.statement_id}").text
    assert made.lines_sha256 in page
    assert made.audit_root in page
    for each in made.parts:
        assert f"{each.insurer} {format_yuan(each.part)} {format_yuan(each.cession)}" in words(page)
    addresses = {html.unescape(each) for each in re.findall(r'href="(/statements/[^"]+/lines[^"]*)"', page)}
    assert 3 == len(addresses)
    for address in addresses:
        claims: list[str] = []
        while address:
            shown = visitor.get(address).text
            claims += re.findall(r'href="/claims/(E-P\d)"', shown)
            assert not re.search(r"\bP[123]\b", words(shown).replace("E-P", ""))
            following = re.search(r'rel="next" href="([^"]+)"', shown)
            address = html.unescape(following[1]) if following else ""
        assert ["E-P1", "E-P2", "E-P3"] == claims
    assert "没有。" in visitor.get(f"/statements/{made.statement_id}/lines?state=paid").text
    assert 404 == visitor.get(f"/statements/{made.statement_id}/lines?state=lost").status_code


def test_what_the_insurer_answered(desk: Desk, town: StatedTown) -> None:
    """Open, disputed with the lines and masked reasons, and confirmed by a newer answer, which stands."""
    made, *_ = town.issue("2025-01")
    visitor, address = desk.visitor("auditor", "en"), f"/statements/{made.statement_id}"
    assert "Not answered yet" in visitor.get(address).text
    disputed: Json = {"lines": [2], "reasons": ["paid to Wang Xiaoming"]}
    town.take(answer(made.statement_id, "insurer-a", **disputed))
    page = words(visitor.get(address).text)
    assert "insurer-a disputed" in page
    assert "disputed 2" in page
    assert "Xiaoming" not in page
    assert "disputed" in words(visitor.get(TREATY).text)
    town.take(answer(made.statement_id, "insurer-a", version=2))
    assert "insurer-a confirmed" in words(visitor.get(address).text)
    assert 2 == words(visitor.get(TREATY).text).count("open ST-")


@pytest.mark.parametrize("kind", [*WRITERS, "jsonl"])
def test_the_lines_as_a_file(desk: Desk, town: StatedTown, kind: str) -> None:
    """All of them, adding up to the net, by an audited export; the SHA-256 of jsonl is the statement's own."""
    made, *_ = town.issue("2025-01")
    file = desk.visitor("finance").post(
        f"/statements/{made.statement_id}/download", seen=f"/statements/{made.statement_id}", format=kind
    )
    assert 200 == file.status_code
    sha256 = hashlib.sha256(file.content).hexdigest()
    (told,) = desk.audited("data.exported")
    assert (f"statement.{kind}", "3", sha256) == tuple(told["subject"][name] for name in ("what", "rows", "sha256"))
    assert made.statement_id == told["subject"]["filter.statement"]
    if kind == "jsonl":
        assert made.lines_sha256 == sha256
    else:
        assert format_yuan(made.net) == str(summed(table(kind, file.content), "net"))


def test_who_may_take_the_file(desk: Desk, town: StatedTown) -> None:
    """Who may export; and only in a format that there is, of a statement that there is."""
    made, *_ = town.issue("2025-01")
    address = f"/statements/{made.statement_id}/download"
    assert 403 == desk.visitor("operator").post(address, seen="/books", format="csv").status_code
    finance = desk.visitor("finance")
    assert 422 == finance.post(address, seen="/books", format="doc").status_code
    assert 404 == finance.post("/statements/ST-none/download", seen="/books", format="csv").status_code
    assert 404 == finance.get("/statements/ST-none").status_code
    assert [] == desk.audited("data.exported")


def test_other_lines_than_were_issued_are_no_file(
    desk: Desk, town: StatedTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has changed the ledger: the page says so, and nothing is handed out or recorded as an export."""
    made, *_ = town.issue("2025-01")
    statement = made.model_copy(update={"lines_sha256": "0" * 64})
    monkeypatch.setattr(statement_pages, "issued_statement", lambda *_: statement)
    address = f"/statements/{made.statement_id}"
    file = desk.visitor("finance").post(f"{address}/download", seen=address, format="csv")
    assert 409 == file.status_code
    assert "账本被改动过" in file.text
    assert [] == desk.audited("data.exported")


def test_what_cannot_be_issued(desk: Desk, town: StatedTown) -> None:
    """Not out of order, twice, before its end, alone, or other lines than were seen: nothing is written."""
    first, second = desk.visitor("finance"), desk.visitor("finance2")
    assert 422 == propose(first, "2025-02").status_code
    assert "2025-01" in propose(first, "2025-02").text
    assert 422 == propose(first, reason="no").status_code
    assert 404 == propose(first, "January").status_code
    assert 404 == first.get("/statements/of/nobody").status_code
    propose(first)
    assert 409 == propose(first).status_code
    number = desk.value("SELECT proposal_no FROM clearing_proposals")
    assert 403 == first.post(f"/clearing/{number}/approve").status_code
    assert 409 == approve(second, sha256="0" * 64).status_code
    assert [] == town.rows()
    assert 303 == second.post(f"/clearing/{number}/reject", reason="wait for the reports").status_code
    assert "2025-01" in second.get(TREATY).text
    propose(first)
    assert 303 == approve(second).status_code
    assert 422 == propose(first).status_code
    assert 3 == len(town.rows())


def test_a_treaty_may_have_any_name(desk: Desk) -> None:
    """A slash or a question mark in a treaty's id is no part of the address: the link and the form lead there."""
    text = treaty_text("self-pay/2026?", first="2026-01-01", end="2027-01-01")
    publish_treaty_text(desk.engine, text, "li.na", SHARDS, desk.now)
    visitor = desk.visitor("finance")
    (link,) = re.findall(r'href="(/statements/of/[^"]*)"', visitor.get("/statements").text)
    assert 200 == visitor.get(html.unescape(link)).status_code
    assert (
        422 == visitor.post(f"{html.unescape(link)}/propose", seen="/books", month="2020-01", reason=REASON).status_code
    )
