"""Finding things in the console: what leads to a claim, and what each hit says about why it was found."""

from __future__ import annotations

import re

import pytest

from infra.ledger import digest
from tests.support.builders import Json, bill, coverage, discharge, report
from tests.web.desk import Desk, Visitor
from tests.web.town import post, publish_two
from tests.web.words import words

PERSON = "11010519491231002X"


@pytest.fixture
def stays(desk: Desk) -> Desk:
    """Two stays of one person under one invoice; a payout of E1 was paid, and then came back."""
    publish_two(desk.engine)
    ids: Json = {"person_id": PERSON}
    post(desk.engine, [coverage("C1", "member", **ids), discharge("E1", **ids)])
    post(desk.engine, [bill("S1", "E1", 5000, out_of_catalogue=1000, invoice_no="INV-77", **ids)])
    post(desk.engine, [discharge("E2", "2024-05-10", admitted_on="2024-05-01", **ids)])
    post(desk.engine, [bill("S2", "E2", 400, invoice_no="INV-77", **ids)])
    payout = desk.value("SELECT payout_id FROM instructions WHERE claim_id = 'E1' ORDER BY payout_id LIMIT 1")
    told = [("paid", "2024-04-01", "流水-1"), ("returned", "2024-04-09", "流水-2")]
    at = "T10:00:00+08:00"
    reports = [report(payout, status=each, reported_at=day + at, reference=name, **ids) for each, day, name in told]
    post(desk.engine, reports)
    desk.catch_up()
    return desk


def rows(visitor: Visitor, wanted: str) -> dict[str, str]:
    """The claims that a search finds, and why each was found."""
    page = visitor.search(wanted).text
    found = re.findall(r'<tr><td[^>]*><a href="/claims/([^"]+)">.*?<td[^>]*>((?:<div>.*?</div>)+)</td></tr>', page)
    return {claim: words(why).strip() for claim, why in found}


def test_every_reference_of_a_payout_leads_to_its_claim(stays: Desk) -> None:
    """Also that of a report which a later one has overtaken, in the reader's language."""
    for reference in ("流水-1", "流水-2"):
        assert {"E1": "银行流水号一致"} == rows(stays.visitor("finance"), reference)
        english = rows(stays.visitor("finance", "en"), reference)
        assert {"E1": "the bank reference of its payout"} == english


def test_claims_with_one_invoice_name_each_other(stays: Desk) -> None:
    """Each hit says which other claims have the same number, and leads to them."""
    assert {
        "E1": "发票号一致,与这些理赔相同: E2",
        "E2": "发票号一致,与这些理赔相同: E1",
    } == rows(stays.visitor("finance"), "INV-77")
    assert {
        "E1": "its invoice number, the same invoice number as claim E2",
        "E2": "its invoice number, the same invoice number as claim E1",
    } == rows(stays.visitor("auditor", "en"), "INV-77")


def test_a_claim_found_twice_says_both(stays: Desk) -> None:
    """A number that is a claim's and an invoice's at once: one row, both reasons."""
    ids: Json = {"person_id": PERSON}
    post(stays.engine, [discharge("E3", **ids), bill("S3", "E3", 400, invoice_no="E3", **ids)])
    stays.catch_up()
    assert {"E3": "理赔编号一致 发票号一致"} == rows(stays.visitor("finance"), "E3")


@pytest.mark.parametrize(
    "typed", ["\uff29\uff2e\uff36-\uff17\uff17", "INV -77", "11010519491231002x", "110105 19491231 002\uff58"]
)
def test_numbers_are_found_as_they_are_typed(stays: Desk, typed: str) -> None:
    """In full-width characters, with blanks in between, and with a small x at the end of an identity number."""
    assert ["E1", "E2"] == sorted(rows(stays.visitor("operator"), typed))


def test_references_are_gathered_entry_by_entry_and_again(stays: Desk) -> None:
    """Emptied tables fill again, one audit entry at a time."""
    with stays.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE digest_references, digest_reference_marks")
    digest.bring_forward(stays.engine, stays.now(), 1)
    assert ["流水-1", "流水-2"] == [row[0] for row in stays.rows("SELECT reference FROM digest_references ORDER BY 1")]
