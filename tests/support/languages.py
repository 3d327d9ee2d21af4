"""Whether a message says the same in Chinese and in English, as far as a program can tell."""

from __future__ import annotations

import re

_HINT = re.compile(r" \[(.*)\]$", re.DOTALL)
_POINTERS = re.compile(r" \(([^()]*)\)")
_FACTS = re.compile(r"'[^']*'|[0-9]+(?:[.:T+-]+[0-9]+)*|[A-Z]{3,}")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def hint_of(message: str) -> str:
    """What stands in brackets at the end."""
    found = _HINT.search(message)
    return found[1] if found else ""


def difference(zh: str, en: str) -> str:
    """What one language says and the other does not; empty when both say it all."""
    hints = hint_of(zh), hint_of(en)
    if bool(hints[0]) != bool(hints[1]):
        return f"only one has a hint: {hints}"
    if not _HAN.search(zh) or _HAN.search(en):
        return "a language is missing"
    if hints[0] and not _HAN.search(hints[0]):
        return f"the hint is not Chinese: {hints[0]}"
    facts = [set(_FACTS.findall(hint)) for hint in hints]
    if facts[0] != facts[1]:
        return f"the hints name other values: {facts}"
    pointers = [[p for p in _POINTERS.findall(message) if p.startswith("/")] for message in (zh, en)]
    return "" if pointers[0] == pointers[1] else f"other fields: {pointers}"
