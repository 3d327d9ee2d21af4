"""Bills of hospitals that settle in one stop: what they take off at the cashier (payers.md, section 1).

Decided by the bill alone, so that a bill that is sent twice is the same, and nothing else of the city changes.
"""

import json
from collections.abc import Iterable, Iterator
from random import Random

_BILL = b'"event_type":"settlement.posted"'
_OVER_FEN = 2_000_00
_WHOLE, _TOO_MUCH = 0.7, 0.05  # shares of advances that are what the sample policy pays, and that are more


def with_advances(lines: Iterable[bytes], share: float) -> Iterator[bytes]:
    """The events, of whose bills that can be read about ``share`` have advances for the sample policy's schemes.

    Most take off what a member and a family with low income would be paid, some less, few more.
    """
    for line in lines:
        yield _advanced(line, share) if _BILL in line else line


def _advanced(line: bytes, share: float) -> bytes:
    try:
        event = json.loads(line)
        rng = Random(f"{event['settlement_id']}:{event['version']}")
        if rng.random() >= share:
            return line
        copay, own = (_fen(event[name]) for name in ("copay", "out_of_catalogue"))
    except (ValueError, KeyError, TypeError):
        return line
    left, advances = copay + own, []
    parts = (("village_mutual_aid", max(0, copay - _OVER_FEN), 0.3), ("self_pay_assistance", own, 0.6))
    for scheme_id, measured, rate in parts:
        luck = rng.random()
        factor = 1.0 if luck < _WHOLE else 1.2 if luck > 1 - _TOO_MUCH else rng.uniform(0.2, 0.9)
        amount = min(left, int(measured * rate * factor))
        if amount > 0:
            left -= amount
            advances.append({"scheme_id": scheme_id, "amount": f"{amount // 100}.{amount % 100:02}"})
    if not advances:
        return line
    event["advances"] = advances
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _fen(amount: object) -> int:
    """Of an amount as text with two decimals; any other makes the bill stay as it is."""
    if not isinstance(amount, str):
        raise ValueError(amount)
    yuan, _, fen = amount.partition(".")
    return int(yuan) * 100 + int(fen.ljust(2, "0"))
