"""What each payer owes each payee by age, down to the payouts, and held to the books."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from infra.ledger.write import move_offsets
from schemas.access.console_rights import RIGHTS, ConsoleRole, Right
from schemas.records import Manner
from tests.support.builders import Json, bill, coverage, discharge
from tests.support.debtor import Debtor
from tests.support.ledgers import for_person, give, held, in_order
from tests.support.owed_person import OwedPerson
from tests.web.desk import Desk, Visitor
from tests.web.downloads import summed, table
from tests.web.open_money import check_books, links
from tests.web.town import publish_two
from tests.web.words import words
from web.console import payables_page


def total_of(page: str) -> Decimal:
    """The figure at the top of a list of payouts."""
    found = re.search(r"<dt>合计\(元\)</dt><dd>([^<]+)</dd>", page)
    assert found
    return Decimal(found[1].replace(",", ""))


def listed(visitor: Visitor, address: str) -> list[tuple[str, Decimal]]:
    """The payouts under a figure, with their amounts, through all pages."""
    rows: list[tuple[str, Decimal]] = []
    while address:
        page = visitor.get(address).text
        for row in re.findall(r"<tr>(.*?)</tr>", page.split("<tbody>")[1].split("</tbody>")[0]):
            cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
            rows.append((cells[0], Decimal(cells[-1].replace(",", ""))))
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = html.unescape(following[1]) if following else ""
    return rows


def test_a_towns_payables_are_those_of_its_books(town: Desk) -> None:
    """Account by account, and the page's total is what the books owe."""
    check_books(town)
    owed = town.value("SELECT -sum(amount) FROM postings WHERE account LIKE 'payable:%'")
    page = town.visitor("finance").get("/payables").text
    assert f"{owed / 100:,.2f}" in page.split("<tfoot>")[1]
    assert 'class="alert"' not in page


def test_books_that_say_otherwise_are_shown(desk: Desk) -> None:
    """Both sums stand there, account by account, once everything is counted."""
    OwedPerson(desk.engine)
    desk.catch_up()
    visitor = desk.visitor("auditor", "en")
    assert 'class="alert"' not in visitor.get("/payables").text
    legs = ((1, "cash:fund", 100), (2, "payable:fund:person", -100))
    with desk.engine.begin() as connection:
        values = ", ".join(
            f"(1, 99, {leg}, '{name}', {fen}, '2025-03-01', '2025-03-01', 'x')" for leg, name, fen in legs
        )
        columns = "event_no, entry, leg, account, amount, effective_on, booked_on, reference"
        connection.execute(text(f"INSERT INTO postings ({columns}) VALUES {values}"))
    desk.catch_up()
    assert "payable: public fund to persons: payouts 300.00, books 301.00" in words(visitor.get("/payables").text)


def test_what_is_open_can_be_exported(town: Desk) -> None:
    """The rows of each kind add up to what the page says, and name people by token and mask."""
    visitor = town.visitor("finance")
    for kind, path in (("payment", "/payables"), ("recovery", "/recoveries")):
        file = visitor.post("/exports", seen="/exports", what="open", format="csv", status=kind)
        rows = table("csv", file.content)
        owed = town.value("SELECT coalesce(sum(amount), 0) FROM digest_open WHERE kind = :kind", kind=kind)
        assert Decimal(owed) / 100 == abs(summed(rows, "amount"))
        assert not rows or f"{owed / 100:,.2f}" in visitor.get(path).text
        assert all("*" in row["person_id"] for row in rows)


def test_each_figure_leads_to_its_payouts(town: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The payouts under a figure add up to it, page by page, without one that comes twice."""
    monkeypatch.setattr(payables_page, "PAGE_ROWS", 5)
    visitor = town.visitor("finance")
    addresses = links(visitor.get("/payables").text)
    assert addresses
    for address in addresses:
        rows = listed(visitor, address)
        assert len(dict(rows)) == len(rows)
        assert total_of(visitor.get(address).text) == sum(amount for _, amount in rows)
    assert max(len(listed(visitor, address)) for address in addresses) > 10, "no list had a third page"


def test_the_books_agree_through_failures_and_reissues(desk: Desk) -> None:
    """A failed payout stays payable until a reissue takes its place; a return brings the debt back; paid is gone."""
    owed = OwedPerson(desk.engine)

    def open_now() -> list[str]:
        desk.catch_up()
        check_books(desk)
        return [row.payout_id for row in desk.rows("SELECT payout_id FROM digest_open ORDER BY event_no, kind")]

    (first,) = owed.payouts
    assert [first] == open_now()
    owed.report(first, "failed")
    assert [first] == open_now()
    owed.reissue(first)
    (again,) = open_now()
    assert again not in (first, owed.payouts[1])
    owed.report(again, "paid", 2)
    assert [] == open_now()
    owed.correct(2500, 2)
    (recovery,) = open_now()
    assert [("recovery", 15_000)] == [tuple(row) for row in desk.rows("SELECT kind, amount FROM digest_open")]
    owed.report(recovery, "failed", 3)
    owed.reissue(recovery)
    (recovered,) = open_now()
    assert recovered != recovery
    owed.report(recovered, "paid", 4)
    assert [] == open_now()
    owed.report(again, "returned", 5)
    assert [again] == open_now()


def test_what_was_set_off_or_waived_is_not_owed(desk: Desk) -> None:
    """Of a set-off so much as is left, until payments have kept it back; of what was waived nothing."""
    debtor = Debtor(desk.engine)

    def open_now() -> list[tuple[str, int]]:
        desk.catch_up()
        check_books(desk)
        return [tuple(row) for row in desk.rows("SELECT kind, amount FROM digest_open ORDER BY event_no, kind")]

    payment, owed = ("payment", 30_000), ("recovery", 15_000)
    assert [payment, owed] == open_now()
    debtor.settle(Manner.SET_OFF)
    assert [payment, owed] == open_now()
    debtor.stay(4, 2100)
    assert [payment, ("recovery", 12_000)] == open_now()
    debtor.stay(5)
    assert [payment, ("payment", 18_000)] == open_now()
    debtor.take(bill("S5", "E5", 2500, version=2))
    assert [payment, ("payment", 18_000), owed] == open_now()
    debtor.settle(Manner.WAIVED, debtor.payouts[-1])
    assert [payment, ("payment", 18_000)] == open_now()


def test_the_age_of_a_debt(desk: Desk) -> None:
    """Counts days in Shanghai from the instruction: 30 are young, 31 older, and over 90 the oldest."""
    publish_two(desk.engine)
    held(desk.engine)
    for number, back in enumerate((91, 90, 61, 60, 31, 30, 0)):
        stay = (coverage(f"C{number}"), discharge(f"E{number}"), bill(f"S{number}", f"E{number}", 3000 + number))
        messages = in_order(for_person(f"P{number}", *stay))
        moment = desk.now() - timedelta(days=back)
        messages = [each._replace(offset=1000 * number + each.offset) for each in messages]
        with desk.engine.begin() as connection:
            move_offsets(connection, {each[:2]: 1000 * number for each in messages})
        give(desk.engine, messages, lambda moment=moment: moment)  # type: ignore[misc]
    desk.catch_up()
    said = {"zh": "0–30 天 31–60 天 61–90 天 90 天以上", "en": "0–30 days 31–60 days 61–90 days over 90 days"}
    for language, ages in said.items():
        visitor = desk.visitor("auditor", language)
        page = visitor.get("/payables").text
        assert ages in words(page)
    *by_age, everything = links(page)
    claims = [re.findall(r'href="/claims/(E\d)"', visitor.get(each).text) for each in (*by_age, everything)]
    assert [["E5", "E6"], ["E3", "E4"], ["E1", "E2"], ["E0"], [f"E{at}" for at in range(7)]] == claims


def test_facilities_have_their_own_lines(desk: Desk) -> None:
    """What a hospital advanced is owed to it, by its id; all persons are one line, and none of them is named."""
    publish_two(desk.engine)
    held(desk.engine)
    events = []
    for number, person in enumerate(("P1", "P2")):
        advance = [{"scheme_id": "village_mutual_aid", "amount": "100.00"}] if person == "P1" else []
        fields: Json = {"advances": advance} if advance else {}
        stay = discharge(f"E{number}"), bill(f"S{number}", f"E{number}", **fields)
        events += for_person(person, coverage(f"C{number}"), *stay)
    give(desk.engine, in_order(events))
    desk.catch_up()
    check_books(desk)
    page = desk.visitor("operator").get("/payables").text
    assert "公共基金 个人(含继承人) 0.00 0.00 0.00 500.00 500.00 2" in words(page)
    assert "公共基金 H1 0.00 0.00 0.00 100.00" in words(page)
    facility = next(each for each in links(page) if "facility%3AH1" in each)
    said = words(desk.visitor("operator").get(facility).text)
    assert "E0 village_mutual_aid" in said
    assert "P1" not in said.replace("PO-", "")


@pytest.mark.parametrize("role", list(ConsoleRole))
def test_who_sees_what_is_owed(town: Desk, role: ConsoleRole) -> None:
    """Everybody but administrators; only finance changes anything."""
    sees = Right.BOOKS in RIGHTS[role]
    assert sees == (role is not ConsoleRole.ADMIN)
    assert (Right.CLEAR in RIGHTS[role]) == (role is ConsoleRole.FINANCE)
    visitor = town.visitor(role.value)
    assert (200 if sees else 403) == visitor.get("/payables").status_code
    assert (200 if sees else 403) == visitor.get("/payables/payouts?payer=fund&payee=person").status_code
    assert sees == ('href="/payables"' in visitor.get("/").text)


@pytest.mark.parametrize(
    "asked", ["kind=gift", "age=7", "age=x", "after=x", "after=2025-01-01.x.y", f"after=2025-01-01.{2**63}.y"]
)
def test_an_address_that_no_link_has(town: Desk, asked: str) -> None:
    """Is not found, and no fault."""
    assert 404 == town.visitor("finance").get(f"/payables/payouts?payer=fund&payee=person&{asked}").status_code


def test_nobody_is_owed_anything(town: Desk) -> None:
    """A payer or payee that does not exist has an empty list."""
    assert "没有。" in town.visitor("finance").get("/payables/payouts?payer=fund&payee=facility:nobody").text
