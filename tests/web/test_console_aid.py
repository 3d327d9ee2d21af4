"""Temporary aid in the console: from an alert or a person to a proposal, to the second person, and to the payment."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from httpx import Response

from schemas.canonical import derived_id
from schemas.dates import shanghai_date
from tests.support.assured import AID
from tests.support.builders import VILLAGE, bill, coverage, death, discharge, policy_text, report
from tests.support.outbox import waiting_messages
from tests.web.desk import Desk, Visitor
from tests.web.town import post, publish_text
from tests.web.words import words

AFTER_DEATH = derived_id("AT", "AFTER_DEATH", "E1")
ALERT = f"/alerts/{AFTER_DEATH}"


@pytest.fixture
def office(desk: Desk) -> Desk:
    """P1 has an alert about a stay, and died later than was recorded first; P2 is known. There is aid of two levels."""
    publish_text(desk.engine, policy_text("with-aid", "2000-01-01", None, VILLAGE, AID))
    now = desk.now()
    post(desk.engine, [coverage("C1"), discharge(), bill(), death("2024-02-29"), coverage("C2", person_id="P2")])
    post(desk.engine, [death(shanghai_date(now).isoformat(), version=2, occurred_at=now.isoformat())])
    desk.catch_up()
    return desk


def form_of(office: Desk, person: str = "P1") -> str:
    return f"/persons/{office.keys.token(person, 'person')}/aid"


def propose(office: Desk, visitor: Visitor, person: str = "P2", query: str = "", **fields: str) -> Response:
    address = form_of(office, person) + query
    typed = {"level": "city", "amount": "5,000.00", "reason": "家庭自负较高,已入户核实", **fields}
    return visitor.post(address, seen="/search", **typed)


def sent(office: Desk) -> list[dict[str, object]]:
    return [json.loads(each.value) for each in waiting_messages(office.engine, "registry.aids")]


def test_from_a_person_to_the_payment(office: Desk) -> None:
    """One proposes on the form, somebody else finds it in the menu and countersigns, and the page follows the money."""
    first, second = office.visitor("operator"), office.visitor("finance")
    assert f'href="{form_of(office, "P2")}"' in first.get(form_of(office, "P2").removesuffix("/aid")).text
    page = first.get(form_of(office, "P2")).text
    assert ["city · 6,800.00", "district · 4,200.00"] == re.findall(r"<option[^>]*>([^<]+)</option>", page)
    address = propose(office, first, emergency="yes").headers["location"]
    assert [] == sent(office)
    assert 'aria-label="等待您批准:1"' in second.get("/").text
    assert 'aria-label="等待您批准:1"' not in first.get("/").text
    page = second.get(address).text
    assert "提出金额(元) 5,000.00 预计发放(元) 5,000.00" in words(page)
    assert "急诊救助 是" in words(page)
    (expected,) = re.findall(r'name="expected" value="(\d+)"', page)
    assert 303 == second.post(f"{address}/countersign", seen=address, expected=expected).status_code
    assert "已批准,等待接收" in words(second.get(address).text)
    (event,) = sent(office)
    assert ("operator", "finance", True) == tuple(
        event[name] for name in ("decided_by", "countersigned_by", "emergency")
    )
    post(office.engine, [event])
    claim = f"aid:{event['aid_id']}"
    assert "已核定" in words(second.get(address).text)
    assert "应发放(元) 5,000.00 已下达(元) 5,000.00 已到账(元) 0.00" in words(second.get(address).text)
    assert f'href="/claims/{claim.replace(":", "%3A")}"' in second.get(address).text
    payout = office.value("SELECT payout_id FROM instructions WHERE claim_id = :claim", claim=claim)
    post(office.engine, [report(payout, person_id="P2")])
    assert "已到账(元) 5,000.00" in words(second.get(address).text)
    year = words(second.get(form_of(office, "P2").removesuffix("/aid")).text)
    assert "补助(元) 5,000.00 最后自己付(元) 0.00 补助中有 5,000.00 元(临时救助、事故)不抵减账单。" in year
    assert " aid 1 0.00 5,000.00 8,000.00 3,000.00" in year
    assert 'aria-label="等待您批准' not in second.get("/").text


def test_from_an_alert_to_the_proposal_and_back(office: Desk) -> None:
    """The alert's page leads to the form and shows what was proposed; the event names the alert."""
    post(office.engine, [death("2024-02-28", version=3)])
    office.catch_up()
    visitor = office.visitor("operator")
    assert f'href="{form_of(office)}?alert={AFTER_DEATH}"' in visitor.get(ALERT).text
    refused = propose(office, visitor, "P1", f"?alert={AFTER_DEATH}")
    assert (422, True) == (refused.status_code, "已有死亡登记" in refused.text)
    now = office.now()
    post(office.engine, [death(shanghai_date(now).isoformat(), version=4, occurred_at=now.isoformat())])
    address = propose(office, visitor, "P1", f"?alert={AFTER_DEATH}").headers["location"]
    assert f'href="{address}"' in visitor.get(ALERT).text
    assert f'href="{ALERT}"' in visitor.get(address).text
    assert f"{form_of(office)}?alert" not in visitor.get(ALERT).text
    second = office.visitor("operator2")
    assert 303 == second.post(f"{address}/countersign", seen=address, expected="500000").status_code
    assert [AFTER_DEATH] == [event["alert_id"] for event in sent(office)]
    assert 404 == visitor.get(f"{form_of(office, 'P2')}?alert={AFTER_DEATH}").status_code


def test_what_cannot_be_proposed_comes_back_as_it_was_typed(office: Desk) -> None:
    """With the reason, in both languages, and nothing is proposed."""
    for language, over, why in (("zh", "金额超过标准", "请写明理由"), ("en", "over the level", "Give a reason")):
        visitor = office.visitor("operator", language)
        for fields, said in (
            ({"amount": "6800.01"}, over),
            ({"amount": "a lot"}, {"zh": "十进制", "en": "decimal"}[language]),
            ({"amount": "42,00"}, {"zh": "十进制", "en": "decimal"}[language]),
            ({"amount": "0"}, {"zh": "大于零", "en": "over zero"}[language]),
            ({"reason": "ok"}, why),
            ({"level": "village"}, "village"),
        ):
            answer = propose(office, visitor, **fields)
            assert (422, True) == (answer.status_code, said in answer.text), fields
            amount = fields.get("amount", "5,000.00")
            assert f'value="{amount}"' in answer.text
    assert 0 == office.value("SELECT count(*) FROM aid_proposals")


def test_nobody_countersigns_what_they_proposed_or_what_changed(office: Desk) -> None:
    """The page offers it to nobody but another person; sent all the same, it is refused."""
    first, second = office.visitor("operator"), office.visitor("finance")
    address = propose(office, first).headers["location"]
    assert "/countersign" not in first.get(address).text
    assert 403 == first.post(f"{address}/countersign", seen="/search", expected="500000").status_code
    assert 409 == second.post(f"{address}/countersign", seen=address, expected="499999").status_code
    assert 409 == second.post(f"{address}/countersign", seen=address).status_code
    assert [] == sent(office)
    waiting = propose(office, second)
    assert (409, True) == (waiting.status_code, "等待批准" in waiting.text)
    assert 303 == second.post(f"{address}/reject", seen=address, reason="由街道救助").status_code
    assert "未批准" in words(second.get(address).text)
    assert 409 == second.post(f"{address}/countersign", seen="/search", expected="500000").status_code
    assert [] == sent(office)
    office.ahead = timedelta(minutes=1)
    assert 303 == propose(office, second).status_code


def test_an_aid_that_is_refused_on_arrival_says_so(office: Desk) -> None:
    """On its page, with the way to the refused event for whoever may go it, and in the lists."""
    address = propose(office, office.visitor("operator")).headers["location"]
    office.visitor("operator2").post(f"{address}/countersign", seen=address, expected="500000")
    (event,) = sent(office)
    post(office.engine, [{**event, "version": "1"}])
    number = office.value("SELECT max(event_no) FROM refusals")
    for visitor, leads in (("operator", True), ("finance", False)):
        page = office.visitor(visitor).get(address).text
        assert "没有入账,也没有发放" in page
        assert leads == (f'href="/refused/{number}"' in page)
        assert "已批准,但接收时被拒收" in words(office.visitor(visitor).get("/aids").text)


def test_who_only_looks_proposes_and_countersigns_nothing(office: Desk) -> None:
    """An auditor sees the list and the proposal; an administrator neither."""
    address = propose(office, office.visitor("operator")).headers["location"]
    auditor, admin = office.visitor("auditor"), office.visitor("admin")
    assert address in auditor.get("/aids").text
    page = auditor.get(address).text
    assert "5,000.00" in words(page)
    for form in ("/countersign", "/reject"):
        assert form not in page
        assert 403 == auditor.post(f"{address}{form}", seen="/search", reason="because", expected="500000").status_code
    assert 403 == propose(office, auditor).status_code
    assert 403 == auditor.get(form_of(office)).status_code
    assert form_of(office) not in auditor.get(form_of(office).removesuffix("/aid")).text
    for path in ("/aids", address):
        assert 403 == admin.get(path).status_code
    assert 404 == auditor.get("/aids/99").status_code


def test_who_looks_at_an_aid_is_noted_and_nobody_is_named(office: Desk) -> None:
    visitor = office.visitor("finance")
    address = propose(office, visitor).headers["location"]
    page = visitor.get(address).text
    assert not re.search(r"\bP2\b", words(page))
    office.catch_up()
    token = office.keys.token("P2", "person")
    seen = [each["subject"] for each in office.audited("personal.viewed")]
    assert {"page": "aid", "person": token}.items() <= seen[-1].items()


def test_the_language_is_changed_on_the_page_where_one_is(office: Desk) -> None:
    """After a mistake in the form the alert is kept; after one on a proposal its page is shown."""
    visitor = office.visitor("operator")
    address = propose(office, visitor).headers["location"]
    refused = visitor.post(f"{address}/countersign", seen="/search", expected="1")
    assert f"/language/en?back={address}" in refused.text
    again = propose(office, visitor, "P1", f"?alert={AFTER_DEATH}", amount="1e3")
    assert f"/language/en?back={form_of(office)}%3Falert%3D{AFTER_DEATH}" in again.text
