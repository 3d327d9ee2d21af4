"""What people type to find something, brought into the forms in which it may be kept."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from schemas.person_numbers import is_phone_number

_DOTS = re.compile("[.\u2022\u2027\u2219\u22c5\u30fb]")
"""How registries write the dot between the parts of a name, besides U+00B7."""

_OF_PHONES = re.compile("[()\u2010\u2012-\u2015\u2212-]")
_CHINA = re.compile(r"\A(?:(?:\+|00)86|86(?=1[3-9][0-9]{9}$|0))", re.ASCII)
_LIKE_IDENTITY = re.compile(r"[0-9]{15}|[0-9]{17}[0-9X]", re.ASCII)


class PersonalKind(StrEnum):
    """By what of a person somebody can be found; the field's name in the directory."""

    NAME = "name"
    PHONE = "phone"
    ID_NUMBER = "id_number"


def without_blanks(text: str) -> str:
    """Text with full-width letters and digits as usual ones (NFKC), without blanks and what cannot be seen."""
    plain = unicodedata.normalize("NFKC", text)
    kept = "".join(each for each in plain if not each.isspace() and unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFKC", kept)  # a letter and its mark may have come together


def normalised(kind: PersonalKind, text: str) -> str:
    """The one form of a name or number: two texts mean the same person's if their forms are equal.

    Of names, letters count and neither case nor the kind of dot; of telephone numbers, digits and no 86 before them.
    """
    plain = without_blanks(text)
    match kind:
        case PersonalKind.NAME:
            return unicodedata.normalize("NFKC", _DOTS.sub("\u00b7", plain).casefold())
        case PersonalKind.PHONE:
            return _CHINA.sub("", _OF_PHONES.sub("", plain).lower(), count=1)
        case PersonalKind.ID_NUMBER:
            return plain.upper()


def personal_kinds(typed: str) -> list[PersonalKind]:
    """What of a person the text can be; nothing for what can only be the number of something else."""
    found = []
    if _is_name(normalised(PersonalKind.NAME, typed)):
        found.append(PersonalKind.NAME)
    if is_phone_number(normalised(PersonalKind.PHONE, typed)):
        found.append(PersonalKind.PHONE)
    if _LIKE_IDENTITY.fullmatch(normalised(PersonalKind.ID_NUMBER, typed)):
        found.append(PersonalKind.ID_NUMBER)
    return found


def possible_ids(typed: str) -> list[str]:
    """The ids that may be meant: what was typed, the same in usual characters, an identity number with a large X."""
    plain, number = without_blanks(typed), normalised(PersonalKind.ID_NUMBER, typed)
    forms = [typed.strip(), plain, number if _LIKE_IDENTITY.fullmatch(number) else plain]
    return [each for each in dict.fromkeys(forms) if each]


def _is_name(text: str) -> bool:
    """Two letters or more, and nothing but letters, their marks, and what stands between parts of a name."""
    letters = sum(each.isalpha() for each in text)
    rest = all(each.isalpha() or each in "\u00b7'-" or unicodedata.category(each).startswith("M") for each in text)
    return letters >= 2 and rest
