"""Chooses Chinese or English from Accept-Language (RFC 9110, section 12.5.4)."""

from __future__ import annotations

from typing import Literal

from schemas.bilingual import Saying

Language = Literal["zh", "en"]
DEFAULT: Language = "zh"


def language_of(header: str | None) -> Language:
    """Chinese unless English is preferred."""
    weights: dict[Language, float] = {}
    for part in (header or "").split(","):
        tag, _, parameter = part.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if name == "zh":
            weights["zh"] = max(weights.get("zh", 0.0), weight)
        elif name == "en":
            weights["en"] = max(weights.get("en", 0.0), weight)
    return "en" if weights.get("en", 0.0) > weights.get("zh", 0.0) else DEFAULT


def text_in(saying: Saying, language: Language) -> str:
    """The text of a saying in one language."""
    return saying.zh if language == "zh" else saying.en


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
