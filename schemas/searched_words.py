"""What people type to find something, brought into the forms in which it may be kept."""

from __future__ import annotations

import unicodedata

from schemas.person_numbers import is_identity_number


def without_blanks(text: str) -> str:
    """Text with full-width letters and digits as usual ones (NFKC), without blanks and what cannot be seen."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(each for each in plain if not each.isspace() and unicodedata.category(each) != "Cf")


def possible_ids(typed: str) -> list[str]:
    """The ids that may be meant: what was typed, the same in usual characters, an identity number with a large X."""
    plain = without_blanks(typed)
    forms = [typed.strip(), plain, plain.upper() if is_identity_number(plain) else plain]
    return [each for each in dict.fromkeys(forms) if each]
