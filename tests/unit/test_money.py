"""Money: exact to the fen, read from what was written, never through a float."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from handlers.claims.read import Reading, read
from schemas.facts import SettlementPosted
from schemas.money import FEN_MAX, Fen, WireYuan, format_yuan, parse_yuan, round_half_up
from schemas.number_literals import NumberLiteral
from schemas.policy.policy_values import decimal_text, quotient_text
from schemas.refusals import Refusal
from tests.support.builders import bill, encode, unhurried

fens = st.integers(-FEN_MAX, FEN_MAX)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0", 0),
        ("0.00", 0),
        ("-0.00", 0),
        ("0.01", 1),
        ("0.1", 10),
        ("1234.5", 123_450),
        ("1234.56", 123_456),
        ("-0.07", -7),
        ("-12.3", -1_230),
        ("007.50", 750),
        ("999999999999.99", FEN_MAX),
        ("-999999999999.99", -FEN_MAX),
    ],
)
def test_a_decimal_amount_is_read_to_the_fen(text: str, fen: int) -> None:
    """At most two decimals, one of them filled up with a zero, a minus in front."""
    assert fen == parse_yuan(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " 1.00",
        "1.00 ",
        "1.00\n",
        "+1.00",
        "--1",
        "- 1",
        "1.",
        ".5",
        ".",
        "-",
        "1.234",
        "0.000",
        "1e2",
        "1E2",
        "1.0e0",
        "0x10",
        "1,234.50",
        "1_000",
        "1.2.3",
        "¥1.00",
        "1.00元",
        "NaN",
        "Infinity",
        "-Infinity",
        "one",
        "\u0661.00",  # an Arabic-Indic one
        "\uff11.00",  # a full-width one
        "1\u066b00",  # an Arabic decimal separator
        "1000000000000.00",
        "-1000000000000.00",
        "9" * 41,
        "9" * 5000,
    ],
)
def test_every_other_spelling_is_refused(text: str) -> None:
    """Exponents, blanks, signs, separators, foreign digits, three decimals and amounts that are too large."""
    with pytest.raises(ValueError, match="an amount is"):
        parse_yuan(text)


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (1, "0.01"), (-7, "-0.07"), (100, "1.00"), (-100, "-1.00"), (123_450, "1234.50")],
)
def test_an_amount_is_written_with_exactly_two_decimals(fen: int, text: str) -> None:
    """The sign stands once, in front, also below one yuan."""
    assert text == format_yuan(fen)


@unhurried
@given(fens)
def test_what_is_written_is_read_back(fen: int) -> None:
    """Reading a written amount gives the amount."""
    assert fen == parse_yuan(format_yuan(fen))


@unhurried
@given(fens)
def test_what_is_written_is_what_decimal_arithmetic_writes(fen: int) -> None:
    """An independent decimal arithmetic writes the same digits."""
    expected = str((Decimal(fen) / 100).quantize(Decimal("0.01")))
    assert expected == format_yuan(fen)


@pytest.mark.parametrize(
    ("numerator", "denominator", "whole"),
    [(0, 1, 0), (1, 2, 1), (3, 2, 2), (5, 2, 3), (1, 3, 0), (2, 3, 1), (149, 100, 1), (150, 100, 2), (4999, 10_000, 0)],
)
def test_a_half_is_rounded_up(numerator: int, denominator: int, whole: int) -> None:
    """Half-up (四舍五入) and not half-even: 0.5, 1.5 and 2.5 become 1, 2 and 3."""
    assert whole == round_half_up(numerator, denominator)


@unhurried
@given(st.integers(0, 10**18), st.integers(1, 10**9))
def test_rounding_leaves_at_most_a_half_and_never_less_than_minus_a_half(numerator: int, denominator: int) -> None:
    """The rounded number lies above the exact one by at most 1/2, and below it by less."""
    error = round_half_up(numerator, denominator) - Fraction(numerator, denominator)
    assert Fraction(-1, 2) < error <= Fraction(1, 2)


@unhurried
@given(st.integers(0, 10**15), st.integers(0, 6))
def test_rounding_agrees_with_decimal_half_up(numerator: int, places: int) -> None:
    """For decimal fractions the standard library's ROUND_HALF_UP gives the same."""
    exact = Decimal(numerator).scaleb(-places)
    assert int(exact.to_integral_value(ROUND_HALF_UP)) == round_half_up(numerator, 10**places)


def amounts_of(number: str) -> SettlementPosted | Refusal:
    """A bill whose copay and total are this JSON text."""
    text = encode(bill(copay=0)).decode()
    for name in ("copay", "total_charge"):
        text = text.replace(f'"{name}": "0.00"', f'"{name}": {number}')
    outcome = read(text.encode())
    if isinstance(outcome, Reading):
        assert isinstance(outcome.fact, SettlementPosted)
        return outcome.fact
    return outcome


@pytest.mark.parametrize(
    ("number", "fen"),
    [
        ("0", 0),
        ("-0", 0),
        ("-0.0", 0),
        ("12", 1_200),
        ("0.1", 10),
        ("1.10", 110),
        ("0.29", 29),  # 0.29 * 100 is 28.999999999999996 as a float
        ("1.15", 115),
        ("90071992547.93", 9_007_199_254_793),
        ("999999999999.99", FEN_MAX),
        ('"1.1"', 110),
    ],
)
def test_a_json_number_is_read_from_its_literal(number: str, fen: int) -> None:
    """A number with at most two decimals means exactly what was written."""
    settlement = amounts_of(number)
    assert isinstance(settlement, SettlementPosted)
    assert (fen, fen) == (settlement.copay, settlement.total_charge)


@pytest.mark.parametrize(
    "number",
    [
        "1.000",
        "1.230",
        "1e2",
        "1E-1",
        "1.0e1",
        "0.001",
        "1000000000000",
        "1" + "0" * 30,
        "9" * 5000,
        "1." + "0" * 5000,
        "true",
        "false",
        "null",
        "[]",
        "{}",
        '""',
        '"1.000"',
        '"1e2"',
    ],
)
def test_a_json_number_with_another_literal_is_refused(number: str) -> None:
    """Three decimals, exponents, booleans and too large amounts are named, each with its pointer."""
    refusal = amounts_of(number)
    assert isinstance(refusal, Refusal)
    assert ("SCHEMA_INVALID", ("/total_charge", "/copay")) == (refusal.code, refusal.pointers)


@unhurried
@given(st.integers(0, 10**9))
def test_a_number_and_a_string_of_the_same_digits_are_one_amount(fen: int) -> None:
    """``12.30`` and ``"12.30"`` are read alike."""
    text = format_yuan(fen)
    assert amounts_of(text) == amounts_of(json.dumps(text))


def test_a_float_is_no_amount() -> None:
    """A float that slipped in, whatever its value, is refused where yuan come in and where fen go out."""
    for adapter in (TypeAdapter[int](WireYuan), TypeAdapter[int](Fen)):
        for wrong in (1.0, 0.1, True, None):
            with pytest.raises(ValidationError):
                adapter.validate_python(wrong)


def test_whole_numbers_are_yuan_on_the_way_in_and_fen_inside() -> None:
    """The same integer is yuan for what others write, and fen for what Huzhu writes."""
    assert 500 == TypeAdapter[int](WireYuan).validate_python(5)
    assert 5 == TypeAdapter[int](Fen).validate_python(5)
    assert 500 == TypeAdapter[int](Fen).validate_python("5.00")
    assert 505 == TypeAdapter[int](WireYuan).validate_python(NumberLiteral("5.05"))


@unhurried
@given(st.integers(0, FEN_MAX), st.integers(0, 12), st.integers(0, 12))
def test_an_exact_amount_is_written_in_full_and_no_longer(numerator: int, twos: int, fives: int) -> None:
    """A quotient by twos and fives is a finite decimal, without a zero at its end; cancelled down or not."""
    denominator = 2**twos * 5**fives
    text = quotient_text(numerator, denominator)
    assert Fraction(text) == Fraction(numerator, denominator)
    whole, point, decimals = text.partition(".")
    assert str(int(whole)) == whole
    assert point == "" or (decimals and not decimals.endswith("0"))
    assert decimal_text(Fraction(numerator, denominator)) == text
