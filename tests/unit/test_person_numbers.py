"""Identity and telephone numbers: what can be real and what cannot."""

from __future__ import annotations

import pytest

from schemas.person_numbers import is_identity_number, is_phone_number

GOOD = "11010519491231002X"


@pytest.mark.parametrize("number", [GOOD, GOOD.lower(), "440524188001010014", "320202491231002"])
def test_an_identity_number(number: str) -> None:
    """18 characters with the check character of GB 11643, or the old 15 digits."""
    assert is_identity_number(number)


@pytest.mark.parametrize(
    "number",
    ["1", "", "110105194912310021", "11010519490231002X", "11010519491231002", "320202499931002", "01010519491231002X"],
)
def test_no_identity_number(number: str) -> None:
    """A wrong check character, a day that does not exist, a wrong length or area."""
    assert not is_identity_number(number)


def test_every_single_wrong_digit_is_noticed() -> None:
    """As the standard promises: no digit can be mistyped without the check character telling."""
    for place in range(17):
        for digit in "0123456789":
            changed = GOOD[:place] + digit + GOOD[place + 1 :]
            assert is_identity_number(changed) == (changed == GOOD)


@pytest.mark.parametrize("number", ["13812345678", "+86 138 1234 5678", "0510-82345678", "(010)6234 5678", "82345678"])
def test_a_phone_number(number: str) -> None:
    """Mobile or fixed, with or without country and area code."""
    assert is_phone_number(number)


@pytest.mark.parametrize("number", ["2", "", "12812345678", "1381234567", "138123456789", "phone"])
def test_no_phone_number(number: str) -> None:
    """Too short, too long, or beginning as none does."""
    assert not is_phone_number(number)
