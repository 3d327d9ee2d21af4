"""Rows of a ledger as wrong code could write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def event(number: int, offset: int | None = None, **columns: Any) -> dict[str, Any]:
    place = {"event_no": number, "shard": 0, "topic": "hospital.expenses", "partition": 0, "offset": offset}
    return {**place, "value": b"{}", "recorded_at": NOW, "disposition": "accepted", **columns}


def instruction(revision: int, before: int, after: int, **columns: Any) -> dict[str, Any]:
    """The instruction of revision ``revision`` that moves the balance of E1 and the scheme ``s``."""
    kind = "payment" if after > before else "recovery"
    row = {"payout_id": f"PO-{revision}", "claim_id": "E1", "scheme_id": "s", "revision": revision, "kind": kind}
    amounts = {"amount": abs(after - before), "balance_before": before, "balance_after": after}
    return {**row, **amounts, "person_id": "P1", "event_no": 1, "value": b"{}", **columns}


def benefit(amount: int, **columns: Any) -> dict[str, Any]:
    row = {"claim_id": "E1", "scheme_id": "s", "basis": "copay", "measured": amount, "benefit": amount}
    return {**row, "released": amount, "instruction_revision": 1, **columns}
