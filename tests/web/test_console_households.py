"""The console about members of households: what was decided with a household's sums is shown as it was decided."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from handlers.words.household_sentences import MEMBERSHIPS_OVERLAP
from handlers.words.masking import mask_id
from tests.support.builders import Json, membership, membership_void, policies
from tests.support.household import FAMILY, HOUSEHOLD_ID, MOTHER, POLICY, SON, stay
from tests.web.browsing import WIDTHS, faults_of, shoot, signed_in
from tests.web.desk import PASSWORD, Desk
from tests.web.town import post, publish_text
from tests.web.words import words


@pytest.fixture
def home(desk: Desk) -> Desk:
    """A mother who used up most of what her household may get in a year, and her son, who got the rest."""
    publish_text(desk.engine, POLICY)
    post(desk.engine, FAMILY)
    desk.catch_up()
    return desk


def person_path(desk: Desk, person_id: str) -> str:
    return f"/persons/{desk.keys.token(person_id, 'person')}"


def test_a_member_s_year_is_what_the_household_left(home: Desk) -> None:
    """The person page shows what was paid, not what the person alone would have got; the claim names the cap."""
    visitor = home.visitor("finance")
    row = re.search(
        r"2024-01-01 village_mutual_aid 1 ([\d,.]+) ([\d,.]+)", words(visitor.get(person_path(home, SON)).text)
    )
    assert row is not None
    assert ("3,000.00", "300.00") == row.groups()
    for language, name in (("zh", "全户年度上限"), ("en", "household's cap per year")):
        assert name in words(home.visitor("finance", language).get("/claims/E-son").text)


def household_path(desk: Desk) -> str:
    return f"/households/{desk.keys.token(HOUSEHOLD_ID, 'household')}"


def test_a_household_at_a_glance(home: Desk) -> None:
    """Who belongs to it and when, each claim, and by the ledger's sums what was counted and paid against its cap."""
    visitor = home.visitor("finance")
    page = visitor.get(household_path(home)).text
    said = words(page)
    net = "SELECT sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END) FROM instructions"
    assert [1000_00] * 2 == [home.value("SELECT sum(benefit) FROM benefits"), home.value(net)]
    assert "2024-01-01 village_mutual_aid 2 6,400.00 1,000.00 1,000.00 0.00" in said
    for person, benefit in ((MOTHER, "700.00"), (SON, "300.00")):
        assert f"{mask_id(person)} 家庭户 – 2020-01-01 – 1 {benefit}" in said
        assert person_path(home, person) in page
    assert {"E-mother", "E-son"} == set(re.findall(r'href="/claims/([^"]+)"', page))
    assert mask_id(HOUSEHOLD_ID) in said
    assert [] == [each for each in (MOTHER, SON, HOUSEHOLD_ID) if each in page + household_path(home)]
    english = words(home.visitor("finance", "en").get(household_path(home)).text)
    assert "Claims counted with the household" in english
    assert "household – 2020-01-01" in english


def test_who_left_and_who_is_alone(home: Desk) -> None:
    """A son who moved out keeps his days and his claim of then; what follows is his own, and not on the page."""
    ids: Json = {"person_id": SON, "unit": "single"}
    post(home.engine, [membership("M-son", HOUSEHOLD_ID, person_id=SON, version=2, valid_to="2024-05-01")])
    post(
        home.engine,
        [membership("M-own", "HH-OWN", valid_from="2024-05-01", **ids), *stay(SON, "own", "2024-06-01", 4000, "F20.0")],
    )
    said = words(home.visitor("finance").get(household_path(home)).text)
    assert f"{mask_id(SON)} 家庭户 – 2020-01-01 2024-05-01 1 300.00" in said
    assert "E-own" not in said
    person = home.visitor("finance").get(person_path(home, SON)).text
    assert f"{mask_id('HH-OWN')} 单人户 2024-05-01 –" in words(person)
    assert [household_path(home)] == re.findall(r'href="(/households/[^"]+)"', person)
    post(home.engine, [membership_void("M-mother", person_id=MOTHER)])
    assert mask_id(MOTHER) not in home.visitor("finance").get(household_path(home)).text


def test_a_claim_whose_day_several_memberships_hold(home: Desk) -> None:
    """Says what is to be checked, in the reader's language, until the registry has corrected it."""
    second: Json = {"person_id": SON, "valid_from": "2024-04-01"}
    post(home.engine, [membership("M-second", "HH-OTHER", **second)])
    for language, said in (("zh", MEMBERSHIPS_OVERLAP.zh), ("en", MEMBERSHIPS_OVERLAP.en)):
        assert said in words(home.visitor("auditor", language).get("/claims/E-son").text)
    post(home.engine, [membership_void("M-second", person_id=SON)])
    assert MEMBERSHIPS_OVERLAP.zh not in words(home.visitor("auditor").get("/claims/E-son").text)


def test_claim_person_and_household_lead_to_each_other(home: Desk) -> None:
    """The household's page is one step from the claim and from the person, and back; a claim counted alone has none."""
    visitor = home.visitor("auditor")
    for path in ("/claims/E-son", person_path(home, SON)):
        assert [household_path(home)] == re.findall(r'href="(/households/[^"]+)"', visitor.get(path).text)
    post(home.engine, [membership_void("M-son", person_id=SON)])
    assert "/households/" not in visitor.get("/claims/E-son").text


def test_who_belongs_together_is_for_those_who_may_know(home: Desk) -> None:
    """No page without the right to claims; in clear only with a reason; each look is audited for each member."""
    assert 403 == home.visitor("admin").get(household_path(home)).status_code
    assert 403 == home.visitor("admin").post(f"/unmask{household_path(home)}", reason="curious").status_code
    visitor = home.visitor("operator")
    assert 422 == visitor.post(f"/unmask{household_path(home)}", reason=" ").status_code
    looked = len(home.audited("personal.viewed"))
    visitor.get(household_path(home))
    clear = visitor.post(f"/unmask{household_path(home)}", reason="the registry asks").text
    assert [] == [each for each in (MOTHER, SON, HOUSEHOLD_ID) if each not in clear]
    home.catch_up()
    tokens = {home.keys.token(each, "person") for each in (MOTHER, SON)}
    for kind, entries in (
        ("personal.viewed", home.audited("personal.viewed")[looked:]),
        ("personal.unmasked", home.audited("personal.unmasked")),
    ):
        subjects = [each["subject"] for each in entries]
        assert {("household", token) for token in tokens} == {(each["page"], each["person"]) for each in subjects}, kind
        assert [] == [each for each in (MOTHER, SON, HOUSEHOLD_ID) if each in str(entries)]


@pytest.mark.parametrize("path", ["/households/x", "/unmask/households/x"])
def test_a_household_that_is_not_there(home: Desk, path: str) -> None:
    """A token of nothing, or of a household without members, leads to no page."""
    visitor = home.visitor("auditor")
    nobody = home.keys.token("HH-NONE", "household")
    for each in (path, path.replace("x", nobody), path.replace("x", home.keys.token(SON, "person"))):
        answer = visitor.post(each, reason="look") if each.startswith("/unmask") else visitor.get(each)
        assert 404 == answer.status_code


@pytest.mark.parametrize(("language", "width"), [("zh", "narrow"), ("en", "wide"), ("en", "narrow")])
def test_the_page_fits(browser: Browser, home: Desk, language: str, width: str) -> None:
    """At 390 and at 1280 pixels, in both languages, without a complaint or an accessibility fault."""
    context, page, complaints = signed_in(browser, home, "finance", language, WIDTHS[width])
    page.goto(home.address + household_path(home))
    shoot(page, f"household-of-two-{language}-{width}")
    size = page.locator("body").bounding_box()
    assert size
    assert size["width"] <= WIDTHS[width]
    assert [] == complaints
    context.close()
    context = browser.new_context(viewport={"width": WIDTHS[width], "height": 900})
    page = context.new_page()
    page.goto(f"{home.address}/sign-in")
    page.fill("#name", "finance")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.goto(home.address + household_path(home))
    assert [] == faults_of(page)
    context.close()


def test_a_policy_works_out_two_members(home: Desk) -> None:
    """What the first of two members leaves of the household's cap is what the second gets, in both languages."""
    sha256 = policies(POLICY).releases[0].sha256
    for language, heading, reached in (
        ("zh", "一户两人,各看一次病", "已到上限"),
        ("en", "Two members of a household, a stay each", "the cap is reached"),
    ):
        said = words(home.visitor("finance", language).get(f"/policies/{sha256}").text)
        assert heading in said
        assert re.search(rf"village_mutual_aid 1,000\.00 0\.00 \S+ × 50%[;;] ?{reached}", said), said
