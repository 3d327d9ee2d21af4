"""Whoever reads Chinese is told as much as whoever reads English: every refusal and every hint."""

from __future__ import annotations

from collections import Counter

import pytest

from handlers.claims.read import read
from handlers.words.alert_sentences import TITLES
from handlers.words.field_hints import field_hint
from schemas.outbound import AlertCode
from schemas.refusals import Refusal, RefusalCode, refuse
from tests.support.builders import (
    Json,
    answer,
    bill,
    coverage,
    coverage_void,
    death,
    discharge,
    encode,
    membership,
    membership_void,
    report,
    void,
)
from tests.support.languages import difference, hint_of
from web.api.problems import CODES

DISPUTE = answer(lines=[3, 1], reasons=["paid by another insurer", "the amount is 5.00"])
ADVANCE = {"scheme_id": "s", "amount": "1.00"}
EVENTS = [
    discharge(),
    bill(),
    bill(advances=[ADVANCE]),
    void(),
    coverage(),
    coverage_void(),
    membership(role="head"),
    membership_void(),
    death(),
    report(),
    answer(),
    DISPUTE,
]
MISSING = object()
STRANGE = [
    *(MISSING, None, "", "x", "x\n", "x" * 2001, "1.234", "9" * 15),
    *(-1, 0, 2**60, 10**15, 1.5, True, [], [1], ["\x00"], {}, {"a": 1}),
    *("2024-02-30", "2024-13-01T00:00:00+08:00", "2024-03-01T00:00:00", "0001-01-01T00:00:00+08:00"),
]
BYTES = [
    *(b"", b"{", b"[]", b'"x"', b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"a": "\\ud800"}', b'{\n"a": }'),
    *(b"[" * 70 + b"]" * 70, b"[" * 100_000, b" " * (2**20 + 1), b'{"event_type": 1}', b'{"event_type": "x"}'),
]


def refused_anyhow() -> list[Refusal]:
    """The refusals of every field of every event with every strange value, and of strange bytes."""
    values = list(BYTES)
    for event in EVENTS:
        for name in event:
            for strange in STRANGE:
                changed: Json = {**event, name: strange}
                values.append(encode({field: value for field, value in changed.items() if value is not MISSING}))
    values += [encode(bill(advances=[{"scheme_id": "s", "amount": amount}])) for amount in (0, "900000.00", "1.234")]
    disputes: list[Json] = [{"lines": [2] * 10_001}, {"lines": [2, 2]}, {"reasons": [" "]}, {"lines": [0]}]
    values += [encode({**DISPUTE, **said}) for said in disputes]
    outcomes = [read(value, b"P1") for value in values]
    return [outcome for outcome in outcomes if isinstance(outcome, Refusal)]


def test_every_hint_stands_in_both_languages() -> None:
    """With the same values, limits and places in it, whatever is wrong with an event."""
    refusals = refused_anyhow()
    differences = Counter(difference(refusal.zh, refusal.en) for refusal in refusals)
    assert [""] == list(differences)
    hints = {hint_of(refusal.en) for refusal in refusals}
    for said in ("'inpatient' or 'outpatient_special'", "line 2 column 6", "RFC 3339", "YYYY-MM-DD", "at most 200"):
        assert any(said in hint for hint in hints), (said, sorted(hints))
    assert {code.value for code in RefusalCode} - {refusal.code.value for refusal in refusals} <= {
        "VERSION_CONFLICT",  # these two need an event before
        "PERSON_MISMATCH",
        "DATES_OUT_OF_ORDER",
        "FUTURE_DATED",
        "DAY_AHEAD",  # these two are of closed days, which are no facts
        "DAY_OUT_OF_ORDER",
    }


def test_every_sentence_stands_in_both_languages() -> None:
    """Those of refusals, and those of the API's own codes."""
    sentences = [(refusal.zh, refusal.en) for refusal in (refuse(code) for code in RefusalCode)]
    sentences += [(kind.zh, kind.en) for kind in CODES.values()]
    assert {""} == {difference(zh, en) for zh, en in sentences}


def test_every_alert_has_a_title() -> None:
    """Lists of alerts show it, so one without a title would end the page."""
    assert set(AlertCode) == TITLES.keys()


def test_the_comparison_sees_a_language_that_says_less() -> None:
    """A hint that is missing, untranslated or names another value is seen."""
    assert difference("错。", "Wrong. [line 1]")
    assert difference("错。 [line 1]", "Wrong. [line 1]")
    assert difference("错。 [第 2 行]", "Wrong. [line 1]")
    assert difference("错。 (/a)", "Wrong. (/b)")
    assert not difference("错。 (/a) [第 1 行]", "Wrong. (/a) [line 1]")


@pytest.mark.parametrize(
    ("total", "zh", "en"),
    [("2724.46", "多 0.01 元", "0.01 yuan too much"), ("2724.44", "少 0.01 元", "0.01 yuan too little")],
)
def test_a_bill_that_does_not_balance_says_by_how_much(total: str, zh: str, en: str) -> None:
    """Both sums and the difference to the fen, and which of the two is larger."""
    refusal = read(encode({**bill(), "total_charge": total, "copay": "2724.45"}))
    assert isinstance(refusal, Refusal)
    assert "AMOUNTS_DO_NOT_BALANCE" == refusal.code
    for message, ending in ((refusal.zh, zh), (refusal.en, en)):
        assert total in hint_of(message)
        assert "2724.45" in hint_of(message)
        assert hint_of(message).endswith(ending)


def test_an_error_that_pydantic_learns_later_is_not_lost() -> None:
    """Its own message stands in for a translation that is not there yet."""
    error = {"type": "brand_new", "loc": ("x",), "msg": "Input should be nicer", "input": None}
    assert ("Input should be nicer",) * 2 == field_hint(error)  # type: ignore[arg-type]
