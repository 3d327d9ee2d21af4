"""Every field of every event is either shown to those who may not see who somebody is, or covered."""

from __future__ import annotations

import json

import pytest

from handlers.words.masking import OPEN_FIELDS, mask_id, mask_phone, mask_text, mask_value, masked_event
from schemas.contract.json_schema import INBOUND_TYPES
from schemas.facts import Advance
from tests.support.builders import answer, bill, contribution, coverage, discharge, encode

COVERED = {
    "person_id",
    "diagnoses",
    "invoice_no",
    "national",
    "reason",
    "reasons",
    "household_id",
    "role",
    "area",
    "reference",
    "title",
    "payer",
    "restricted_to",
    "degree",
    "event_code",
    "evidence",
    "decided_by",
    "countersigned_by",
    "recorded_by",
    "verified_by",
}
"""What says, or could say, who somebody is."""


def test_each_field_of_an_event_is_open_or_covered() -> None:
    """A field that is added to an event, renamed or taken away must be decided about here."""
    fields = {
        info.alias or name for model in INBOUND_TYPES.values() for name, info in model.model_fields.items()
    } | Advance.model_fields.keys()
    assert fields == OPEN_FIELDS | COVERED
    assert not OPEN_FIELDS & COVERED


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("11010519491231002X", "110105********002X"),
        ("110105491231002", "110105*****1002"),
        ("11010549123100", "11**********00"),
        ("12345678", "12****78"),
        ("1234567", "1******"),
        ("1", "1**"),
    ],
)
def test_a_number_keeps_as_much_as_its_kind_allows(number: str, masked: str) -> None:
    """Identity numbers of 18 and of 15 digits, which old people still have, show place and check digits; ids less."""
    assert masked == mask_id(number)


def test_an_old_identity_number_is_covered_in_free_text() -> None:
    """Fifteen digits as well as eighteen; longer numbers are no identity numbers."""
    assert "of 110105*****1002, he says" == mask_text("of 110105491231002, he says")
    assert "invoice 1101054912310021" == mask_text("invoice 1101054912310021")


def test_text_shows_no_more_than_its_first_character() -> None:
    """Where an event has free text, it may begin or end with a name; only what looks like an id shows its ends."""
    event = {
        **coverage(),
        "reason": "张小明的账户已注销,请联系他的女儿张小红",
        "remark": "call Zhang Xiaoming of Linhe",
    }
    shown = json.loads(masked_event(encode(event)) or "")
    assert ("张", "c") == (shown["reason"].strip("*"), shown["remark"].strip("*"))
    assert ("张" + "*" * 4, "no****99") == (mask_value("张小明注销"), mask_value("no-12-99"))


def test_what_could_name_somebody_is_covered_in_an_event() -> None:
    """The household, the area, the diagnosis: an event shows them to nobody without a reason."""
    events = [coverage(household_id="HH-2024-0117", area="320206"), discharge(diagnoses=["B20"])]
    shown = [json.loads(masked_event(encode(event)) or "") for event in events]
    assert ("HH********17", "3*****", "***") == (shown[0]["household_id"], shown[0]["area"], shown[1]["diagnoses"])
    assert ("member", "2024-03-10") == (shown[0]["category"], shown[1]["discharged_on"])


def test_who_gave_money_to_a_pool_is_covered() -> None:
    """A donor may be a person, and the bank's reference may name one; how much came and from what kind is open."""
    event = contribution(kind="donation", payer="张小明", reference="张小明转账", heads=3)
    shown = json.loads(masked_event(encode(event)) or "")
    assert ("张**", "张****") == (shown["payer"], shown["reference"])
    assert ("V1", "donation", "1000.00", 3) == tuple(shown[name] for name in ("pool_id", "kind", "amount", "heads"))


def test_a_field_that_nobody_knows_is_covered_whatever_it_holds() -> None:
    """Yes or no about somebody, a number, a list, an object with fields of known names: only the known ones show."""
    known = {"final": True, "version": 3, "copay": 12, "status": "paid"}
    unknown = {"pregnant": True, "age": 71, "allergies": ["nuts"], "contact": {"status": "divorced", "final": False}}
    shown = json.loads(masked_event(encode(known | unknown | {"nothing": None})) or "")
    assert known | dict.fromkeys(unknown, "***") | {"nothing": None} == shown


@pytest.mark.parametrize("number", ["11010519491231002X", "11010519491231002x", "110105194912310021", "13812345678"])
@pytest.mark.parametrize("field", ["encounter_id", "source", "note"])
def test_a_number_of_a_person_is_covered_wherever_a_sender_puts_it(number: str, field: str) -> None:
    """In a field that is shown, too: a stay that is named after its patient."""
    assert number not in (masked_event(encode({field: f"{number}-2024/1"})) or number)


@pytest.mark.parametrize("phone", ["13812345678", "14712345678", "16612345678", "17312345678", "19912345678"])
def test_every_mobile_number_is_covered_in_free_text(phone: str) -> None:
    assert f"call {phone[:3]}****{phone[-4:]}." == mask_text(f"call {phone}.")


@pytest.mark.parametrize("phone", ["1", "1234567", "12345678", "123456789", "051012345678", "+8613812345678"])
def test_a_telephone_number_of_any_length_is_not_shown_whole(phone: str) -> None:
    """At most seven digits of a long one, none of a short one."""
    shown = mask_phone(phone)
    assert len([each for each in shown if each != "*"]) == (7 if len(phone) >= 9 else 0)


def test_of_an_answer_all_is_shown_but_the_reasons() -> None:
    """An insurer is nobody's name; what it writes about a line may hold one."""
    event = answer(lines=[3, 1], reasons=["张三未参保", "the amount is 5.00"])
    shown = json.loads(masked_event(encode(event)) or "")
    assert shown == {**event, "reasons": "***"}


def test_advances_are_shown_but_for_what_nobody_knows() -> None:
    """Scheme and amount of each; what a sender adds to one is covered, and so is what is no advance."""
    value = encode(bill(advances=[{"scheme_id": "s", "amount": "1.00", "note": "张三"}, "张三"]))
    shown = json.loads(masked_event(value) or "")
    assert shown["advances"] == [{"scheme_id": "s", "amount": "1.00", "note": mask_value("张三")}, "***"]
