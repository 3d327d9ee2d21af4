"""What waits for one: what one may act on, one's own proposals as somebody else's work, and nothing once it is done."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from infra.ledger import identity_provider_rows
from schemas.canonical import derived_id
from schemas.records import Manner
from tests.support.assured import AID
from tests.support.builders import VILLAGE, Json, answer, bill, coverage, death, discharge, encode, policy_text
from tests.support.debtor import Debtor
from tests.support.owed_person import OwedPerson
from tests.support.stated_town import StatedTown
from tests.web.desk import Desk, Visitor
from tests.web.town import post, publish_text
from tests.web.words import words
from web.console import work_page

NOTHING = {"zh": "没有等待您办理的事项。", "en": "Nothing waits for you."}
REASON = "looked at with the family"


def groups(visitor: Visitor) -> dict[str, list[tuple[str, str, str, str, str]]]:
    """The lines under each heading: link, about, by, amount and days."""
    found: dict[str, list[tuple[str, str, str, str, str]]] = {}
    page = visitor.get("/work")
    assert 200 == page.status_code
    for section in re.findall(r"<section>(.*?)</section>", page.text, re.DOTALL):
        heading = words(re.findall(r"<h2>(.*?) <small", section, re.DOTALL)[0])
        (body,) = re.findall(r"<tbody>(.*?)</tbody>", section, re.DOTALL)
        found[heading] = [_line(row) for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]
    return found


def _line(row: str) -> tuple[str, str, str, str, str]:
    (link,) = re.findall(r'href="([^"]+)"', row)
    about, by, amount, _, days = (words(each).strip() for each in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL))
    return link, about, by, amount, days


FOR_APPROVAL = {
    "replay": "Refused events to send again, for your approval",
    "aid": "Temporary aid, for your approval",
    "reissue": "Failed payouts to order again, for your approval",
    "clearing": "Statements, books, pools, recoveries and held claims, for your approval",
}
OWN = "What you proposed, for somebody else to approve"
ALERTS = "Alerts that nobody took, or you did"
REFUSED = "Refused events to correct"
DISPUTED = "Disputed statements"
FAILED = "Failed payouts to order again"


@pytest.fixture
def office(desk: Desk) -> Desk:
    """P1 has an alert, P2 can be helped, and a bill of H2 does not balance."""
    publish_text(desk.engine, policy_text("with-aid", "2000-01-01", None, VILLAGE, AID))
    wrong = {**bill("S2", "E2", person_id="P2"), "total_charge": "1.00", "facility_id": "H2"}
    post(desk.engine, [coverage("C1"), discharge(), bill(), death("2024-02-29"), coverage("C2", person_id="P2")])
    post(desk.engine, [encode(wrong)])
    desk.catch_up()
    return desk


def refused_no(desk: Desk) -> int:
    return int(desk.value("SELECT event_no FROM refusals"))


def propose_aid(office: Desk, visitor: Visitor, amount: str = "5,000.00") -> httpx.Response:
    address = f"/persons/{office.keys.token('P2', 'person')}/aid"
    return visitor.post(address, seen="/search", level="city", amount=amount, reason=REASON)


def test_everybody_sees_what_they_may_act_on(office: Desk) -> None:
    """Alerts are for finance and operators, refused events for operators; who only looks has no such page."""
    alert = derived_id("AT", "AFTER_DEATH", "E1")
    to_see: Json = {ALERTS: [(f"/alerts/{alert}", "E1", "–", "–", "0")]}
    assert to_see == groups(office.visitor("finance", "en"))
    number = refused_no(office)
    event = f"settlement.posted #{number}"
    assert to_see | {REFUSED: [(f"/refused/{number}", event, "H2", "–", "0")]} == groups(
        office.visitor("operator", "en")
    )
    for who in ("auditor", "admin"):
        visitor = office.visitor(who)
        assert 403 == visitor.get("/work").status_code
        assert 'href="/work"' not in visitor.get("/").text
    assert 'href="/work"' in office.visitor("finance").get("/").text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_empty_page_says_so(desk: Desk, language: str) -> None:
    """In a sentence, without a table."""
    page = desk.visitor("finance", language).get("/work").text
    assert NOTHING[language] in page
    assert "<table" not in page


def test_a_proposal_waits_for_somebody_else_and_is_gone_once_decided(office: Desk) -> None:
    """Aid and a refused event: not work for whoever proposed, who sees that it waits; nor for anybody afterwards."""
    one, other = office.visitor("operator", "en"), office.visitor("operator2", "en")
    number = refused_no(office)
    propose_aid(office, one)
    assert 303 == one.post(f"/refused/{number}/propose", reason=REASON).status_code
    aid = ("/aids/1", "city", "operator", "5,000.00", "0")
    replay = (f"/refused/{number}", f"#{number}", "operator", "–", "0")
    assert {OWN: [aid, replay]} == {name: lines for name, lines in groups(one).items() if name != ALERTS}
    seen = groups(other)
    assert ([aid], [replay]) == (seen[FOR_APPROVAL["aid"]], seen[FOR_APPROVAL["replay"]])
    assert {OWN, REFUSED}.isdisjoint(seen)
    assert {FOR_APPROVAL["aid"], ALERTS} == set(groups(office.visitor("finance", "en")))
    proposal = office.value("SELECT proposal_no FROM replay_proposals")
    assert 303 == other.post(f"/proposals/{proposal}/approve").status_code
    assert 303 == other.post("/aids/1/reject", reason="they are better off now").status_code
    assert {ALERTS} == set(groups(one)) == set(groups(other))


def test_a_refused_event_whose_proposal_was_rejected_is_to_be_corrected_again(office: Desk) -> None:
    """Nothing is lost between two people."""
    one, other, number = office.visitor("operator", "en"), office.visitor("operator2", "en"), refused_no(office)
    one.post(f"/refused/{number}/propose", reason=REASON)
    assert REFUSED not in groups(one)
    proposal = office.value("SELECT proposal_no FROM replay_proposals")
    other.post(f"/proposals/{proposal}/reject", reason="ask the hospital first")
    assert [f"/refused/{number}"] == [line[0] for line in groups(one)[REFUSED]]


def test_an_alert_is_for_whom_took_it(office: Desk) -> None:
    """Until somebody takes it it is everybody's; then theirs; and nobody's once it is closed."""
    alert = f"/alerts/{derived_id('AT', 'AFTER_DEATH', 'E1')}"
    office.ahead = timedelta(days=3)
    one, other = office.visitor("operator", "en"), office.visitor("finance", "en")
    assert [(alert, "E1", "–", "–", "3")] == groups(other)[ALERTS]
    one.post(f"{alert}/take", seen=alert)
    assert [(alert, "E1", "operator", "–", "3")] == groups(one)[ALERTS]
    assert ALERTS not in groups(other)
    one.post(f"{alert}/close", seen=alert, reason="the hospital corrected it")
    assert ALERTS not in groups(one)


def test_finance_decides_about_what_others_in_finance_propose(desk: Desk) -> None:
    """With the sum, and a link to the page where it is decided; operators see nothing of it."""
    debtor = Debtor(desk.engine)
    debtor.report(debtor.payouts[0], "paid")
    desk.catch_up()
    first, second = desk.visitor("finance", "en"), desk.visitor("finance2", "en")
    address = f"/recoveries/{debtor.recovery}"
    first.post(f"{address}/propose", seen=address, manner=Manner.WAIVED.value, reason=REASON)
    line = (address, debtor.recovery, "finance", "150.00", "0")
    assert {OWN: [line]} == groups(first)
    assert {FOR_APPROVAL["clearing"]: [line]} == groups(second)
    assert {} == groups(desk.visitor("operator", "en"))
    assert NOTHING["en"] in first.get("/work").text
    (number,) = desk.rows("SELECT proposal_no FROM clearing_proposals")
    second.post(f"/clearing/{number.proposal_no}/approve", seen="/books")
    assert {} == groups(first) == groups(second)


def test_a_failed_payout_waits_until_two_people_order_it_again(desk: Desk) -> None:
    """Finance and operators alike: to propose for everybody, then to approve for everybody else, then nothing."""
    owed = OwedPerson(desk.engine)
    owed.report(owed.payouts[0], "failed")
    payout, one, other = owed.payouts[0], desk.visitor("finance", "en"), desk.visitor("operator", "en")
    ((link, *told, _),) = groups(one)[FAILED]
    assert (f"/reissues/{payout}", ["E1 · village_mutual_aid", "–", "300.00"]) == (link, told)
    assert groups(one)[FAILED] == groups(other)[FAILED]
    one.post(f"{link}/propose", seen=link, reason=REASON)
    line = (link, payout, "finance", "300.00", "0")
    assert {OWN: [line]} == groups(one)
    assert {FOR_APPROVAL["reissue"]: [line]} == groups(other)
    other.post("/reissue-proposals/1/approve", seen=link, expected="30000.1.0")
    assert {} == groups(one) == groups(other)


def test_a_disputed_statement_waits_until_its_insurer_confirms(desk: Desk) -> None:
    """With what that insurer bears; neither an unanswered nor a confirmed one is listed."""
    town = StatedTown(desk.engine)
    town.cover("P1")
    town.take(bill("S1", "E-P1", person_id="P1"))
    town.set("2025-02-03T10:00:00+08:00")
    made, *_ = town.issue("2025-01")
    visitor = desk.visitor("finance", "en")
    assert DISPUTED not in groups(visitor)
    disputed: Json = {"lines": [1], "reasons": ["paid to Wang Xiaoming"]}
    town.take(answer(made.statement_id, "insurer-a", **disputed))
    ((link, about, by, amount, _),) = groups(visitor)[DISPUTED]
    assert (f"/statements/{made.statement_id}", "t1 2025-01", "insurer-a") == (link, about, by)
    page = words(visitor.get(link).text)
    assert f"insurer-a {amount} 0.00" in page
    assert DISPUTED not in groups(desk.visitor("operator", "en"))
    town.take(answer(made.statement_id, "insurer-a", version=2))
    assert DISPUTED not in groups(visitor)


def test_a_long_group_leads_to_the_whole_list(desk: Desk) -> None:
    """The oldest are shown, and how many more there are."""
    wrong = [{**bill(f"S{at}", f"E{at}", event_id=f"ev-{at}"), "total_charge": "1.00"} for at in range(13)]
    post(desk.engine, [encode(each) for each in wrong])
    desk.catch_up()
    visitor = desk.visitor("operator", "en")
    numbers = [row.event_no for row in desk.rows("SELECT event_no FROM refusals ORDER BY event_no")]
    assert [f"/refused/{each}" for each in numbers[: work_page.ROWS]] == [line[0] for line in groups(visitor)[REFUSED]]
    assert '<a href="/refused?state=open">and 3 more</a>' in visitor.get("/work").text
    assert "还有 3 项" in desk.visitor("operator").get("/work").text


def test_whom_a_proposal_is_offered_can_decide_about_it(office: Desk) -> None:
    """Who signs in with the provider and who does so with a password do not decide about each other's proposals."""
    propose_aid(office, office.visitor("finance"))
    others = [office.visitor(name, "en") for name in ("finance2", "operator")]
    with office.engine.begin() as connection:
        identity_provider_rows.add(connection, "finance2", "https://id.example", "f2")
    assert [False, True] == [FOR_APPROVAL["aid"] in groups(each) for each in others]
    assert [0, 1] == [
        each.get("/").text.count('href="/aids" aria-label="Waiting for your approval: 1"') for each in others
    ]
    refused = others[0].post("/aids/1/countersign", seen="/aids/1", expected="500000")
    assert 403 == refused.status_code
    with office.engine.begin() as connection:
        connection.execute(text("INSERT INTO oidc_identities VALUES ('finance', 'https://id.example', 'f1')"))
    assert [True, False] == [FOR_APPROVAL["aid"] in groups(each) for each in others]


def test_nobody_is_named(office: Desk) -> None:
    """Persons stay out of it: what an event or a proposal is about has a number."""
    propose_aid(office, office.visitor("finance"))
    for who in ("operator", "finance2"):
        assert not re.search(r"\bP[12]\b", words(office.visitor(who).get("/work").text))
