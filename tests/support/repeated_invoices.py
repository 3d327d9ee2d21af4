"""Facts in which one invoice is named in several encounters, of one person or more, and policies that mind it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

CHECKS = (
    '\n[checks]\nduplicate_invoice = "hold"\n',
    '\n[checks]\nduplicate_invoice = "off"\noverlapping_stays = "hold"\n',
    "",
)
"""What the policies say of a claim that is there twice, in turns."""


def with_repeated_invoices(lines: Sequence[bytes], seed: int, numbers: int = 8) -> list[bytes]:
    """The same lines, where half of the bills name one of so many invoices; an event that comes again says the same."""
    return [_with_invoice(line, seed, numbers) for line in lines]


def minding(texts: Sequence[str], first: int = 0) -> list[str]:
    """The policies with checks, some of which hold, and some of which want to know nothing."""
    return [text + CHECKS[(first + number) % len(CHECKS)] for number, text in enumerate(texts)]


def _with_invoice(line: bytes, seed: int, numbers: int) -> bytes:
    if b'"settlement.posted"' not in line:
        return line
    try:
        event = json.loads(line)
    except ValueError:
        return line
    if not isinstance(event, dict):
        return line
    random = Random(f"{seed} {event.get('settlement_id')} {event.get('version')}")
    if random.random() < 0.5:
        return line
    event["invoice_no"] = f"INV-{random.randrange(numbers)}"
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")
