"""Every field of every event is either shown to those who may not see who somebody is, or covered."""

from __future__ import annotations

from handlers.words.masking import OPEN_FIELDS
from schemas.facts import FACT_TYPES

COVERED = {
    "person_id",
    "diagnoses",
    "invoice_no",
    "national",
    "reason",
    "household_id",
    "area",
    "reference",
}
"""What says, or could say, who somebody is."""


def test_each_field_of_an_event_is_open_or_covered() -> None:
    """A field that is added to an event, renamed or taken away must be decided about here."""
    fields = {name for model in FACT_TYPES.values() for name in model.model_fields}
    assert fields == OPEN_FIELDS | COVERED
    assert not OPEN_FIELDS & COVERED
