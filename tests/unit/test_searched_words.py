"""Names and numbers are found in whatever form they are typed, and only those."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.keys.blind_index import BlindIndex
from schemas.searched_words import PersonalKind, normalised, personal_kinds

KEYS = BlindIndex({"k1": b"1" * 32, "k2": b"2" * 32})
BLANKS = st.sampled_from(["", " ", "\u3000", "\u00a0", "\u200b", "\t"])
KINDS = st.sampled_from(list(PersonalKind))
NAMES = st.text(st.characters(categories=["L"]), min_size=2, max_size=12)


def wide(text: str) -> str:
    """Digits and Latin letters as Chinese keyboards write them."""
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


@example(PersonalKind.NAME, "A\u00b4")
@given(KINDS, st.text(max_size=30))
def test_a_form_is_its_own_form(kind: PersonalKind, text: str) -> None:
    """What is stored and what is typed meet: full-width, decomposed or with blanks, it is the same form."""
    form = normalised(kind, text)
    assert form == normalised(kind, wide(text)) == normalised(kind, f" {text}\u3000")
    if kind is not PersonalKind.PHONE:
        assert form == normalised(kind, form) == normalised(kind, unicodedata.normalize("NFD", text))


@example("13000008600", "", "")
@given(
    st.from_regex("1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "+86", "86", "0086", "+86-", "(+86)"]), BLANKS
)
def test_a_telephone_number_has_one_form(number: str, country: str, blank: str) -> None:
    """With or without the country, in groups or not, in full width."""
    typed = f"{country}{blank}{number[:3]}{blank}{number[3:7]}-{number[7:]}"
    assert number == normalised(PersonalKind.PHONE, typed) == normalised(PersonalKind.PHONE, wide(typed))
    assert [PersonalKind.PHONE] == personal_kinds(typed)


@example("11010519491231002X", " ")
@given(st.from_regex("[1-9][0-9]{16}[0-9X]", fullmatch=True), BLANKS)
def test_an_identity_number_ends_in_any_x(number: str, blank: str) -> None:
    """Small, large or full-width, with blanks between its parts."""
    typed = f"{number[:6]}{blank}{number[6:14]}{blank}{number[14:]}"
    for each in (typed, typed.lower(), wide(typed)):
        assert number == normalised(PersonalKind.ID_NUMBER, each)
        assert PersonalKind.ID_NUMBER in personal_kinds(each)


@given(NAMES, BLANKS)
def test_a_name_has_one_form(name: str, blank: str) -> None:
    """Blanks within it and the case of its letters do not matter; a letter more does."""
    form = normalised(PersonalKind.NAME, name)
    assert form == normalised(PersonalKind.NAME, f"{name[:1]}{blank}{name[1:]}")
    assert form == normalised(PersonalKind.NAME, name.casefold())
    assert form != normalised(PersonalKind.NAME, name + "\u4e00")


@pytest.mark.parametrize("dot", ["\u00b7", ".", "\u2022", "\u2027", "\u30fb", "\uff65", " \u00b7 "])
def test_the_dot_of_a_name_is_any_dot(dot: str) -> None:
    """Registries and keyboards have many."""
    assert normalised(PersonalKind.NAME, "阿依古丽·买买提") == normalised(PersonalKind.NAME, f"阿依古丽{dot}买买提")


@pytest.mark.parametrize("typed", ["E-2024-001", "S1", "张", "", "  ", "P00012", "bank-1", "\u00b7-\u00b7"])
def test_a_number_of_something_else_is_nobody_s(typed: str) -> None:
    """What can be no name, identity or telephone number is no search for a person."""
    assert [] == personal_kinds(typed)


def test_a_fixed_number_keeps_its_own_86() -> None:
    """Without a country before it, 86 is the beginning of a number."""
    assert "8623456" == normalised(PersonalKind.PHONE, "862-3456")
    assert "051082345678" == normalised(PersonalKind.PHONE, "+86 (0510) 8234 5678")


@given(KINDS, KINDS, NAMES, NAMES)
def test_hashes_are_equal_only_for_the_same_form_and_kind(
    kind: PersonalKind, other_kind: PersonalKind, name: str, other: str
) -> None:
    """Under one key; under another one they are all different, and none of them is empty."""
    first, second = KEYS.digest(kind, name, "k1"), KEYS.digest(other_kind, other, "k1")
    assert first is not None
    assert (first == second) == (kind is other_kind and normalised(kind, name) == normalised(kind, other))
    assert first != KEYS.digest(kind, name, "k2")
    assert 32 == len(first)


@pytest.mark.parametrize("kind", list(PersonalKind))
def test_nothing_has_no_hash(kind: PersonalKind) -> None:
    """Persons of whom nothing is known are not all found by each other's emptiness."""
    assert KEYS.digest(kind, " \u3000\u200b", "k1") is None
