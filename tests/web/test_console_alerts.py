"""Alerts in the console: the work list, one alert, taking and closing it, and where claims and persons show theirs."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from schemas.canonical import derived_id
from tests.support.acts import match_list, publish_watches_text
from tests.support.builders import SHARDS, bill, coverage, death, discharge
from tests.support.funeral_lists import listed
from tests.support.watches import stay, watch_text, watches_text
from tests.web.desk import Desk
from tests.web.town import post, publish_two
from tests.web.words import words

AFTER_DEATH = derived_id("AT", "AFTER_DEATH", "E1")
TITLE = "死亡日期之后的理赔"


@pytest.fixture
def office(desk: Desk) -> Desk:
    """P1 of Binhu was admitted after the day of death, P2 of nowhere was too, a day later."""
    publish_two(desk.engine)
    post(desk.engine, [coverage("C1", area="binhu"), discharge(), bill(), death("2024-02-29")])
    desk.catch_up()
    return desk


def found(page: str) -> list[str]:
    """The claims of the lines of a list."""
    return re.findall(r"<tr><td[^>]*><a href=\"/alerts/AT-\w+\"[^>]*>[^<]+</a></td><td[^>]*>([^<]+)</td>", page)


def test_the_work_list_is_narrowed_by_code_area_age_and_who_took_it(office: Desk) -> None:
    """Each filter keeps what fits and leaves out the rest, in both languages; nobody is named."""
    for language, title in (("zh", TITLE), ("en", "claim after death")):
        visitor = office.visitor("finance", language)
        page = visitor.get("/alerts").text
        assert ["E1"] == found(page)
        assert title in words(page)
        assert not re.search(r"\bP1\b", words(page))
        for query, expected in (
            ("code=AFTER_DEATH", ["E1"]),
            ("code=NO_POOL", []),
            ("area=binhu", ["E1"]),
            ("area=xishan", []),
            ("taken=-", ["E1"]),
            ("taken=finance", []),
            ("days=7", []),
        ):
            assert expected == found(visitor.get(f"/alerts?{query}").text), query
    office.ahead = timedelta(days=7)
    assert ["E1"] == found(office.visitor("finance").get("/alerts?days=7").text)


def test_an_alert_is_taken_and_closed_with_what_was_done(office: Desk) -> None:
    """The list says who took it; without a word it is not closed, and afterwards it is found among all."""
    visitor, address = office.visitor("operator"), f"/alerts/{AFTER_DEATH}"
    assert 303 == visitor.post(f"{address}/take", seen=address).status_code
    assert ["E1"] == found(visitor.get("/alerts?taken=operator").text)
    assert f"{TITLE} 处理中" in words(visitor.get(address).text)
    refused = visitor.post(f"{address}/close", seen=address, reason="ok")
    assert (422, True) == (refused.status_code, "请写明处理结果" in refused.text)
    assert 303 == visitor.post(f"{address}/close", seen=address, reason="致电村委会,登记有误").status_code
    assert [] == found(visitor.get("/alerts").text)
    assert ["E1"] == found(visitor.get("/alerts?gone=1").text)
    shown = visitor.get(address).text
    assert "致电村委会,登记有误 · operator" in words(shown)
    assert "/close" not in shown
    again = visitor.post(f"{address}/take", seen="/alerts")
    assert (409, True) == (again.status_code, "已办结" in again.text)


def test_who_only_looks_can_neither_take_nor_close(office: Desk) -> None:
    """An auditor sees the list and the alert; an administrator sees neither, but how many there are."""
    auditor, admin, address = office.visitor("auditor"), office.visitor("admin"), f"/alerts/{AFTER_DEATH}"
    assert "/take" not in auditor.get(address).text
    assert 403 == auditor.post(f"{address}/take", seen="/alerts").status_code
    assert 403 == admin.get("/alerts").status_code
    assert "有 1 条提醒需要查看" in words(admin.get("/").text)
    assert 'href="/alerts"' not in admin.get("/").text
    assert 404 == auditor.get("/alerts/AT-nothing").status_code


def test_the_claim_and_the_person_show_their_alerts(office: Desk) -> None:
    """Withdrawn ones too, with the day's words; and the overview leads to the list."""
    visitor = office.visitor("finance")
    assert 'href="/alerts"' in visitor.get("/").text
    for address in ("/claims/E1", f"/persons/{office.keys.token('P1', 'person')}"):
        page = visitor.get(address).text
        assert f'href="/alerts/{AFTER_DEATH}"' in page
        assert f"{TITLE} E1 binhu 0 待处理" in words(page)
    post(office.engine, [death("2024-03-05", version=2)])
    assert f"{TITLE} E1 binhu 0 已撤回" in words(visitor.get("/claims/E1").text)


def test_whom_a_funeral_list_names_is_on_the_work_list_until_the_death_is_recorded(desk: Desk) -> None:
    """The alert says list and day in both languages and leads to the person; nobody is named."""
    publish_two(desk.engine)
    post(desk.engine, [coverage("C1", area="binhu")])
    match_list(desk.engine, listed(("P1", "2024-03-05")), "2024-03", "li.na", SHARDS, desk.now, None)
    alert_id = derived_id("AT", "DEATH_REPORTED", "P1")
    for language, title in (("zh", "殡葬名单列有此人"), ("en", "named by a funeral list")):
        visitor = desk.visitor("finance", language)
        listing, shown = (visitor.get(path).text for path in ("/alerts?code=DEATH_REPORTED", f"/alerts/{alert_id}"))
        assert f"{title} – binhu" in words(listing)
        assert "2024-03" in words(shown)
        assert "2024-03-05" in words(shown)
        assert desk.keys.token("P1", "person") in shown
        assert not re.search(r"\bP1\b", words(listing) + words(shown))
        assert title in words(visitor.get(f"/persons/{desk.keys.token('P1', 'person')}").text)
    post(desk.engine, [death("2024-03-06")])
    assert "No matching alerts." in words(visitor.get("/alerts").text)
    assert "withdrawn" in words(visitor.get(f"/alerts/{alert_id}").text)


def test_an_alert_of_a_watch_shows_what_adds_up_to_its_sum(desk: Desk) -> None:
    """Each stay with its day and amount, in both languages, and the sum; no person is named."""
    publish_two(desk.engine)
    post(desk.engine, [*stay("E1", "2024-03-10", 600), *stay("E2", "2024-04-10", 500)])
    publish_watches_text(desk.engine, watches_text(watch_text()), "li.na", SHARDS, desk.now)
    desk.catch_up()
    address = f"/alerts/{derived_id('AT', 'SELF_PAY_HIGH', 'w', 'E2', 100_000)}"
    page = words(desk.visitor("finance").get(address).text)
    assert "个人自负额较高 待处理" in page
    assert "E1 2024-03-10 600.00 E2 2024-04-10 500.00 合计 1,100.00" in page
    assert not re.search(r"\bP1\b", page)
    assert "What adds up to the sum" in words(desk.visitor("finance", "en").get(address).text)
