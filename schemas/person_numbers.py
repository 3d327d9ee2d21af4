"""Identity and telephone numbers of persons in China: whether one can be real."""

from __future__ import annotations

import re
from datetime import date

_IDENTITY = re.compile(r"[1-9][0-9]{5}((?:18|19|20)[0-9]{6})[0-9]{3}[0-9Xx]", re.ASCII)
_OLD_IDENTITY = re.compile(r"[1-9][0-9]{5}([0-9]{6})[0-9]{3}", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_MOBILE = re.compile(r"(?:\+?86)?1[3-9][0-9]{9}", re.ASCII)
_FIXED = re.compile(r"(?:(?:\+?86)?0[1-9][0-9]{1,2})?[2-9][0-9]{6,7}(?:(?:转|x|ext)[0-9]{1,6})?", re.ASCII)


def is_identity_number(text: str) -> bool:
    """Whether it is an identity number: 18 characters with the check character of GB 11643, or the old 15 digits.

    Both hold a day of birth, which must exist.
    """
    if match := _IDENTITY.fullmatch(text):
        total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text[:17], strict=True))
        return _is_day(match[1]) and text[17].upper() == _CHECK_CHARACTERS[total % 11]
    if match := _OLD_IDENTITY.fullmatch(text):
        return _is_day(f"19{match[1]}")
    return False


def is_phone_number(text: str) -> bool:
    """Whether it is a mobile or fixed number, with or without +86, area code, spaces, hyphens and an extension."""
    plain = re.sub(r"[\s()()-]", "", text)
    return bool(_MOBILE.fullmatch(plain) or _FIXED.fullmatch(plain))


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
