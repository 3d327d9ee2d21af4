"""How facts are laid out as columns: one row per person with all that decides, then one per refused line."""

from __future__ import annotations

import pyarrow as pa

PACKING = "5"
"""Version of the layout and of the rules of acceptance that the facts went through. Raise it when either changes."""

_TEXT = pa.string()
_DAY = pa.date32()
_FEN = pa.int64()


def _always(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


ADVANCE = pa.struct([_always("facility_id", _TEXT), _always("scheme_id", _TEXT), _always("amount", _FEN)])
"""What a facility took off a live bill for a scheme (fen)."""

OCCASION = pa.struct(
    [
        pa.field("trigger", _TEXT),
        pa.field("kind", _TEXT),
        pa.field("degree", _TEXT),
        pa.field("verified_loss", _FEN),
        pa.field("days", pa.int64()),
        pa.field("amount", _FEN),
    ]
)
"""An incident, or an aid, whose ``kind`` is its level; only it has an ``amount`` (fen)."""

CLAIM = pa.struct(
    [
        _always("claim_id", _TEXT),
        _always("settlements", pa.int64()),
        _always("live", pa.int64()),
        _always("copay", _FEN),
        _always("out_of_catalogue", _FEN),
        pa.field("filed_on", _DAY),
        pa.field("facility_level", _TEXT),
        pa.field("care_type", _TEXT),
        pa.field("admitted_on", _DAY),
        pa.field("discharged_on", _DAY),
        _always("diagnoses", pa.list_(_always("element", _TEXT))),
        _always("advances", pa.list_(_always("element", ADVANCE))),
        pa.field("occasion", OCCASION),
        _always("invoices", pa.list_(_always("element", _TEXT))),
    ]
)
"""``settlements`` counts bills and ``live`` those not voided; amounts are the sums of the live ones (fen).

``filed_on`` is the day of the first live final bill in Shanghai. What comes from the discharge is null without one.
Advances are in the order in which they are paid back. A claim for another ``occasion`` has its day in place of both
days of a stay; if that was voided, it is a claim with one bill that is not live. ``invoices`` are those of the live
bills, each once and in order; of persons who name none that is named in two encounters they may be left out.
"""

COVERAGE = pa.struct(
    [
        _always("programme", _TEXT),
        _always("category", _TEXT),
        pa.field("area", _TEXT),
        pa.field("pool_id", _TEXT),
        pa.field("ended_reason", _TEXT),
        _always("valid_from", _DAY),
        pa.field("valid_to", _DAY),
    ]
)
"""A coverage that was not voided. Its id is not kept: its place among the others is that of its id."""

MEMBERSHIP = pa.struct(
    [
        _always("membership_id", _TEXT),
        _always("household_id", _TEXT),
        _always("unit", _TEXT),
        _always("valid_from", _DAY),
        pa.field("valid_to", _DAY),
    ]
)
"""A membership of a household that was not voided."""

SCHEMA = pa.schema(
    [
        _always("person_id", _TEXT),
        pa.field("died_on", _DAY),
        _always("claims", pa.list_(_always("element", CLAIM))),
        _always("coverages", pa.list_(_always("element", COVERAGE))),
        _always("memberships", pa.list_(_always("element", MEMBERSHIP))),
        _always("line", pa.int64()),
        _always("refusal", _TEXT),
    ]
)
"""Claims are in canonical order, coverages and memberships in order of their ids. In the row of a person ``line`` is 0
and ``refusal`` empty; in the row of a refused line these say which and why (JSON), and the others are empty.

Persons whom memberships of households or invoices link are in one row group (`column_groups`)."""
