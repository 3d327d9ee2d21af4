"""The alerts that a ledger in memory has told, as they stand."""

from __future__ import annotations

import json

from schemas.alert_records import LIVE, AlertRow, changed
from tests.properties.strategies import Body, Ledger

ENVELOPE = ("event_id", "occurred_at")


def alert_rows(ledger: Ledger) -> dict[str, AlertRow]:
    """The alerts that a ledger has told, by their ids."""
    found = dict[str, AlertRow]()
    for batch in ledger.batches:
        for each in batch.outcome.alerts:
            found[each.alert_id] = changed(found.get(each.alert_id), each)
    return found


def live(ledger: Ledger) -> dict[str, Body]:
    """What the live alerts about claims say, without what numbers and dates the message."""
    return {
        name: {key: value for key, value in json.loads(row.value or b"").items() if key not in ENVELOPE}
        for name, row in alert_rows(ledger).items()
        if row.state in LIVE and row.pool_id is None
    }
