"""The list of claims: what is in it, by filter and order, what it adds up to, and the file of it."""

from __future__ import annotations

import re
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from infra.ledger import claim_list, digest
from schemas.access.console_rights import RIGHTS, ConsoleRole, Right
from schemas.records import Manner
from tests.support.builders import Json, bill, coverage, coverage_void, discharge, void
from tests.support.debtor import Debtor
from tests.support.owed_person import OwedPerson
from tests.web.desk import Desk
from tests.web.downloads import summed, table
from tests.web.lists import claims_by_hand, claims_listed, figure, lines, yuan
from tests.web.town import post, publish_two
from web.console import claims_page


def check(desk: Desk) -> None:
    assert claims_by_hand(desk) == claims_listed(desk)
    wrong = "SELECT * FROM digest_claim_list l JOIN claims c USING (claim_id) WHERE l.due <> c.total_benefit"
    assert [] == desk.rows(wrong)


def test_a_towns_claims(town: Desk) -> None:
    """Each with day, status, facility, area, due and outstanding, as somebody finds them who reads the whole ledger."""
    check(town)
    assert town.value("SELECT count(DISTINCT facility_id) FROM digest_claim_list") > 1
    assert town.value("SELECT count(*) FROM digest_claim_list WHERE outstanding <> 0") > 10


@pytest.mark.parametrize("chunk", [1, 5000])
def test_the_pieces_do_not_matter_to_the_list(desk: Desk, chunk: int) -> None:
    """One entry at a time or all at once, with bills before discharges, another hospital, voids and another area."""
    publish_two(desk.engine)
    ids: Json = {"person_id": "P1"}
    post(desk.engine, [bill("S1", "E1", 3000, facility_id="H2", **ids)])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    assert [("E1", "H2")] == [tuple(row) for row in desk.rows("SELECT claim_id, facility_id FROM digest_claim_list")]
    post(desk.engine, [coverage("C1", area="east", **ids), discharge("E1", **ids), discharge("E2", **ids)])
    post(desk.engine, [discharge("E1", version=2, facility_id="H3", **ids), bill("S2", "E2", 4000, **ids)])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    post(desk.engine, [coverage("C2", area="west", valid_from="2022-01-01", **ids), void("S2", "E2", **ids)])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    post(desk.engine, [coverage_void("C1", area="east", **ids)])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    assert {"west"} == {row.area for row in desk.rows("SELECT area FROM digest_claim_list")}


def test_no_other_event_is_read_as_json(desk: Desk) -> None:
    """However PostgreSQL finds those that are: texts of policies and bytes that are no JSON stand beside them."""
    publish_two(desk.engine)
    post(desk.engine, [coverage(area="east"), discharge(facility_id="H2"), bill(invoice_no="I1"), b"{"])
    for way in ("enable_nestloop", "enable_mergejoin", "enable_indexscan", "enable_bitmapscan"):
        with desk.engine.begin() as connection:
            name = connection.scalar(text("SELECT current_database()"))
            connection.execute(text(f"ALTER DATABASE {name} SET {way} = off"))
    desk.engine.dispose()
    digest.bring_forward(desk.engine, desk.now())
    check(desk)
    assert [("H2", "east")] == [tuple(row) for row in desk.rows("SELECT facility_id, area FROM digest_claim_list")]


def test_what_is_outstanding_follows_reports_and_set_offs(desk: Desk) -> None:
    """A report, a reissue, a correction, a set-off: what is outstanding is what is open, claim by claim."""
    owed = OwedPerson(desk.engine)
    (first,) = owed.payouts
    for step in (
        lambda: owed.report(first, "failed"),
        lambda: owed.reissue(first),
        lambda: owed.report(owed.payouts[-1], "paid", 2),
        lambda: owed.correct(2500, 2),
    ):
        step()
        desk.catch_up()
        check(desk)
    assert [-15_000] == [row.outstanding for row in desk.rows("SELECT outstanding FROM digest_claim_list")]


def test_what_is_outstanding_follows_a_set_off(desk: Desk) -> None:
    """What a payment keeps back of a recovery is outstanding in neither claim; nothing is once it was waived."""
    debtor = Debtor(desk.engine)
    debtor.settle(Manner.SET_OFF)
    debtor.stay(4, 2100)
    desk.catch_up()
    check(desk)
    debtor.stay(5)
    desk.catch_up()
    check(desk)


@pytest.mark.parametrize("few", [0, 5000])
@pytest.mark.parametrize("sort", ["newest", "oldest", "largest", "smallest"])
def test_each_claim_is_listed_once_in_order(town: Desk, monkeypatch: pytest.MonkeyPatch, sort: str, few: int) -> None:
    """Through all pages, each of which begins where the one before ended, whatever the order and however many."""
    monkeypatch.setattr(claim_list, "FEW", few)
    monkeypatch.setattr(claims_page, "PAGE_ROWS", 7)
    found = lines(town.visitor("auditor"), f"/claims?sort={sort}")
    ids = [row.claim_id for row in town.rows("SELECT claim_id FROM claims ORDER BY 1")]
    assert sorted(ids) == sorted(row[0] for row in found)
    keys = [row[1].replace("–", "") if sort in ("newest", "oldest") else yuan(row[5]) for row in found]
    assert keys == sorted(keys, reverse=sort in ("newest", "largest"))


FILTERS = {
    "since=2025-03-01&until=2025-06-01": "discharged_on >= '2025-03-01' AND discharged_on < '2025-06-01'",
    "until=2025-03-01": "discharged_on < '2025-03-01'",
    "status=incomplete": "status = 'incomplete'",
    "scheme=village_mutual_aid": "EXISTS (SELECT FROM benefits b WHERE b.claim_id = claims.claim_id "
    "AND scheme_id = 'village_mutual_aid' AND benefit > 0)",
    "low=1000&high=5,000.00": "total_benefit BETWEEN 100000 AND 500000",
}


@pytest.mark.parametrize("asked", FILTERS)
def test_a_filter_leaves_what_the_file_holds(town: Desk, asked: str) -> None:
    """The claims of the ledger that match, the figures at the top, and the export with the same fields: all alike."""
    visitor = town.visitor("finance")
    expected = town.rows(f"SELECT claim_id, total_benefit FROM claims WHERE {FILTERS[asked]} ORDER BY 1")
    assert expected
    assert sorted(row.claim_id for row in expected) == sorted(row[0] for row in lines(visitor, f"/claims?{asked}"))
    page = visitor.get(f"/claims?{asked}").text
    assert len(expected) == figure(page, "件数")
    due = Decimal(sum(row.total_benefit for row in expected)) / 100
    assert due == figure(page, "应发放(元)")
    given = dict(each.split("=") for each in asked.split("&"))
    file = visitor.post("/exports", seen=f"/claims?{asked}", what="claims", format="csv", **given)
    rows = table("csv", file.content)
    assert sorted(row.claim_id for row in expected) == sorted(row["claim_id"] for row in rows)
    assert due == summed(rows, "total_benefit")


def test_places_and_tiers_filter_the_list_and_its_file(town: Desk) -> None:
    """By facility, area, and a scheme's tier; they leave each what the digest's rows of them are, and not all."""
    visitor, everything = town.visitor("finance"), town.value("SELECT count(*) FROM claims")
    tier = town.rows("SELECT scheme_id, tier FROM benefits WHERE benefit > 0 AND tier IS NOT NULL ORDER BY 1, 2")[0]
    by_hand = claims_by_hand(town)
    expected = {
        "tier": [
            row.claim_id
            for row in town.rows(
                "SELECT claim_id FROM benefits WHERE benefit > 0 AND scheme_id = :scheme AND tier = :tier",
                scheme=tier.scheme_id,
                tier=tier.tier,
            )
        ],
        "facility": [row[0] for row in by_hand if row[3] == by_hand[0][3]],
    }
    for name, given in (
        ("tier", {"scheme": tier.scheme_id, "tier": tier.tier}),
        ("facility", {"facility": by_hand[0][3]}),
    ):
        assert 0 < len(expected[name]) < everything
        listed = [row[0] for row in lines(visitor, f"/claims?{urlencode(given)}")]
        assert sorted(expected[name]) == sorted(listed)
        file = visitor.post("/exports", seen="/exports", what="claims", format="csv", **given)
        assert sorted(expected[name]) == sorted(row["claim_id"] for row in table("csv", file.content))


def test_the_sums_of_a_list_add_up(town: Desk) -> None:
    """Due less paid, held and waiting is outstanding, in the figures and line by line."""
    visitor = town.visitor("finance")
    page = visitor.get("/claims").text
    found = lines(visitor, "/claims")
    for name, at in (("应发放(元)", 5), ("已到账(元)", 6), ("待支付(元)", 7)):
        assert figure(page, name) == sum(yuan(row[at]) for row in found)
    owed = town.value("SELECT sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END) FROM digest_open")
    assert Decimal(owed) / 100 == figure(page, "待支付(元)")
    assert figure(page, "应发放(元)") == figure(page, "已到账(元)") + figure(page, "待支付(元)")


def test_each_number_of_claims_leads_to_them(town: Desk) -> None:
    """The overview's number of each status, and of all, is that of the list it leads to, and of its file."""
    visitor = town.visitor("finance")
    found = re.findall(r'href="(/claims(?:\?status=\w+)?)" aria-label="[^"]+">([\d,]+)</a>', visitor.get("/").text)
    assert len(found) == 1 + town.value("SELECT count(DISTINCT status) FROM claims")
    for address, number in found:
        assert yuan(number) == figure(visitor.get(address).text, "件数") == len(lines(visitor, address))
        status = address.partition("=")[2]
        file = visitor.post("/exports", seen="/exports", what="claims", format="csv", status=status)
        assert yuan(number) == int(file.headers["X-Rows"])
    assert 'href="/claims' not in town.visitor("admin").get("/").text


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("since=soon", 422),
        ("since=2025-02-01&until=2025-02-01", 422),
        ("status=paid", 422),
        ("scheme=nope", 422),
        ("tier=ordinary", 422),
        ("low=x", 422),
        ("low=2&high=1", 422),
        ("sort=random", 404),
        ("after=x", 404),
        ("after=tomorrow.E1", 404),
        (f"sort=largest&after={2**63}.E1", 404),
    ],
)
def test_an_address_that_makes_no_sense(town: Desk, asked: str, status: int) -> None:
    """Is refused with a page that says why, and is no fault."""
    assert status == town.visitor("auditor").get(f"/claims?{asked}").status_code


@pytest.mark.parametrize("role", list(ConsoleRole))
def test_who_sees_the_list(town: Desk, role: ConsoleRole) -> None:
    """Whoever may see claims; only who may export has the form for it."""
    answer = town.visitor(role.value).get("/claims")
    assert (200 if Right.CLAIMS in RIGHTS[role] else 403) == answer.status_code
    assert (Right.EXPORT in RIGHTS[role]) == ('action="/exports"' in answer.text)
