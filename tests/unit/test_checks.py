"""What a policy's checks make of a claim twice, by example (time.md, section 2)."""

from __future__ import annotations

from handlers.claims.twice import found_twice
from handlers.offline.book import Book
from tests.properties.strategies import Body, decide
from tests.support.builders import VILLAGE, bill, coverage, discharge, encode, policy_text


def policy_of(checks: str, start: str = "2020-01-01", end: str | None = None) -> str:
    return policy_text(f"from-{start}", start, end, VILLAGE) + f"\n[checks]\n{checks}\n"


def stay(name: str, first: str, last: str, invoice: str) -> list[Body]:
    return [discharge(name, last, admitted_on=first), bill(f"S-{name}", name, invoice_no=invoice)]


def found(*policies: str, facts: list[Body]) -> dict[str, tuple[list[str], bool]]:
    """The alerts of each claim, and whether it is held."""
    decided = decide(policies, coverage(), *facts)
    return {name: (list(each.get("alerts", [])), "held" in each) for name, each in sorted(decided.items())}


def test_what_is_off_is_not_told_and_each_check_is_about_its_own_finding() -> None:
    facts = [*stay("E1", "2024-03-01", "2024-03-05", "X"), *stay("E2", "2024-03-04", "2024-03-06", "X")]
    stays_off = found(policy_of('duplicate_invoice = "hold"\noverlapping_stays = "off"'), facts=facts)
    assert {name: (["DUPLICATE_INVOICE"], True) for name in ("E1", "E2")} == stays_off
    invoices_off = found(policy_of('duplicate_invoice = "off"\noverlapping_stays = "hold"'), facts=facts)
    assert {name: (["OVERLAPPING_STAYS"], True) for name in ("E1", "E2")} == invoices_off


def test_the_policy_of_each_claims_own_day_says_what_follows() -> None:
    before = policy_of('duplicate_invoice = "hold"', "2020-01-01", "2024-04-01")
    after = policy_of('duplicate_invoice = "off"', "2024-04-01")
    facts = [*stay("E1", "2024-03-01", "2024-03-05", "X"), *stay("E2", "2024-05-01", "2024-05-05", "X")]
    assert {"E1": (["DUPLICATE_INVOICE"], True), "E2": ([], False)} == found(before, after, facts=facts)


def test_a_finding_names_the_other_claim_alone() -> None:
    book = Book()
    for body in (*stay("E1", "2024-03-01", "2024-03-05", "X"), *stay("E2", "2024-05-01", "2024-05-05", "X")):
        book.take(encode(body))
    twice = found_twice(list(book.accounts.values()))
    assert {"E1": [("E2",)], "E2": [("E1",)]} == {name: [each.others for each in of] for name, of in twice.items()}


def test_two_bills_of_one_stay_may_have_one_invoice() -> None:
    """It is shared with another encounter or with none."""
    facts = [*stay("E1", "2024-03-01", "2024-03-05", "X"), bill("S-more", "E1", final=False, invoice_no="X")]
    assert {"E1": ([], False)} == found(policy_of('duplicate_invoice = "hold"'), facts=facts)
