"""Facts as tables of their own kind, in the order in which they were read: what is sorted by person afterwards.

Days are numbers of days since 1970-01-01, amounts fen. A table holds the facts that make one kind of line of versions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from handlers.offline.columns.arrays import NEVER, number_of
from schemas.dates import shanghai_date
from schemas.facts import (
    AidDecided,
    CoverageRecorded,
    CoverageVoided,
    EncounterDischarged,
    Fact,
    IncidentRecorded,
    MembershipRecorded,
    MembershipVoided,
    OccasionFact,
    PersonDied,
    PoolFact,
    SettlementPosted,
    SettlementVoided,
)

_TEXT, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.bool_()

_LINE = [("person_id", _TEXT), ("id", _TEXT), ("version", _NUMBER), ("position", _NUMBER)]
"""What every fact has: its person, the id of its line of versions, and where it was read."""

STAYS = pa.schema(
    [
        *_LINE,
        ("facility_level", _TEXT),
        ("care_type", _TEXT),
        ("admitted_on", _NUMBER),
        ("discharged_on", _NUMBER),
        ("diagnoses", pa.list_(pa.field("element", _TEXT, nullable=False))),
    ]
)
ADVANCES = pa.list_(
    pa.struct(
        [
            ("settled_at", pa.timestamp("us", "UTC")),
            ("settlement_id", _TEXT),
            ("facility_id", _TEXT),
            ("scheme_id", _TEXT),
            ("amount", _NUMBER),
        ]
    )
)
"""What a bill took off, with what says in which order it is paid back; null if it took off nothing."""

BILLS = pa.schema(
    [
        *_LINE,
        ("encounter_id", _TEXT),
        ("live", _FLAG),
        ("final", _FLAG),
        ("settled_on", _NUMBER),
        ("copay", _NUMBER),
        ("out_of_catalogue", _NUMBER),
        ("advances", ADVANCES),
        ("invoice_no", _TEXT),
    ]
)
"""Settlements and their voiding, which is not live, has no amounts and names no invoice."""

COVERAGES = pa.schema(
    [
        *_LINE,
        ("live", _FLAG),
        ("programme", _TEXT),
        ("category", _TEXT),
        ("area", _TEXT),
        ("pool_id", _TEXT),
        ("ended_reason", _TEXT),
        ("valid_from", _NUMBER),
        ("valid_to", _NUMBER),
    ]
)
"""Coverages and their voiding. The end of an open one never comes."""

DEATHS = pa.schema([*_LINE, ("died_on", _NUMBER)])

MEMBERSHIPS = pa.schema(
    [
        *_LINE,
        ("live", _FLAG),
        ("household_id", _TEXT),
        ("unit", _TEXT),
        ("valid_from", _NUMBER),
        ("valid_to", _NUMBER),
    ]
)
"""Memberships of households and their voiding, which names none."""

MOVEMENTS = pa.schema(_LINE)
"""What is told of pools and their contributions: it decides no claim, but two may contradict each other.

In the place of the person is the pool."""

OCCASIONS = pa.schema(
    [
        *_LINE,
        ("live", _FLAG),
        ("on", _NUMBER),
        ("trigger", _TEXT),
        ("kind", _TEXT),
        ("degree", _TEXT),
        ("verified_loss", _NUMBER),
        ("days", _NUMBER),
        ("amount", _NUMBER),
    ]
)
"""Incidents and aid, and their voiding, which comes on no day. The id is the claim's; the kind of an aid is its level.
"""

KINDS = (STAYS, BILLS, COVERAGES, DEATHS, MEMBERSHIPS, MOVEMENTS, OCCASIONS)
"""The tables of facts always come in this order."""

Tables = tuple[pa.Table, pa.Table, pa.Table, pa.Table, pa.Table, pa.Table, pa.Table]


def tables_of(facts: Iterable[tuple[int, Fact]]) -> Tables:
    """The tables of some facts, each with where it was read. What decides nothing is left out."""
    rows: tuple[list[tuple[Any, ...]], ...] = ([], [], [], [], [], [], [])
    for position, fact in facts:
        line = (fact.person_id, fact.subject.id, fact.line_version, position)
        match fact:
            case EncounterDischarged():
                days = number_of(fact.admitted_on), number_of(fact.discharged_on)
                rows[0].append((*line, str(fact.facility_level), str(fact.care_type), *days, fact.diagnoses))
            case SettlementPosted():
                settled = True, fact.final, number_of(shanghai_date(fact.settled_at))
                amounts = fact.copay, fact.out_of_catalogue, _advances(fact)
                rows[1].append((*line, fact.encounter_id, *settled, *amounts, fact.invoice_no))
            case SettlementVoided():
                rows[1].append((*line, fact.encounter_id, False, False, NEVER, 0, 0, None, None))
            case CoverageRecorded():
                end = NEVER if fact.valid_to is None else number_of(fact.valid_to)
                reason = None if fact.ended_reason is None else str(fact.ended_reason)
                named = fact.programme, fact.category, fact.area, fact.pool_id, reason
                rows[2].append((*line, True, *named, number_of(fact.valid_from), end))
            case CoverageVoided():
                rows[2].append((*line, False, None, None, None, None, None, NEVER, NEVER))
            case PersonDied():
                rows[3].append((*line, number_of(fact.died_on)))
            case MembershipRecorded():
                end = NEVER if fact.valid_to is None else number_of(fact.valid_to)
                rows[4].append((*line, True, fact.household_id, str(fact.unit), number_of(fact.valid_from), end))
            case MembershipVoided():
                rows[4].append((*line, False, None, None, NEVER, NEVER))
            case PoolFact():
                rows[5].append(line)
            case OccasionFact():
                rows[6].append((fact.person_id, fact.claim_id, fact.line_version, position, *_occasion(fact)))
    return in_kinds(_table(its, schema) for its, schema in zip(rows, KINDS, strict=True))


def without_invoices(tables: Tables) -> Tables:
    """The same facts, for whoever does not want to know what is there twice."""
    stays, bills, *others = tables
    place = bills.schema.get_field_index("invoice_no")
    nothing = bills.set_column(place, bills.schema.field(place), pa.nulls(len(bills), _TEXT))
    return in_kinds([stays, nothing, *others])


def in_kinds(tables: Iterable[pa.Table]) -> Tables:
    """A table for each kind, in their order."""
    stays, bills, coverages, deaths, memberships, movements, occasions = tables
    return stays, bills, coverages, deaths, memberships, movements, occasions


def _occasion(fact: OccasionFact) -> tuple[Any, ...]:
    """The columns of an incident or an aid after those of every line."""
    match fact:
        case IncidentRecorded():
            told = fact.kind, fact.degree, fact.verified_loss, fact.days, None
            return (True, number_of(fact.occurred_on), "incident", *told)
        case AidDecided():
            return (True, number_of(fact.decided_on), "aid", fact.level, None, None, None, fact.amount)
        case _:
            return (False, NEVER, None, None, None, None, None, None)


def _advances(bill: SettlementPosted) -> list[dict[str, Any]] | None:
    place = {"settled_at": bill.settled_at, "settlement_id": bill.settlement_id, "facility_id": bill.facility_id}
    return [{**place, "scheme_id": each.scheme_id, "amount": each.amount} for each in bill.advances] or None


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(column, each.type) for column, each in zip(columns, schema, strict=True)], schema)


def joined(parts: Iterable[Tables]) -> Tables:
    """Tables of several parts, one after the other."""
    by_kind = zip(KINDS, _by_kind(parts), strict=True)
    return in_kinds(pa.concat_tables([schema.empty_table(), *tables]) for schema, tables in by_kind)


def _by_kind(parts: Iterable[Tables]) -> list[list[pa.Table]]:
    by_kind: list[list[pa.Table]] = [[] for _ in KINDS]
    for tables in parts:
        for kind, table in zip(by_kind, tables, strict=True):
            kind.append(table)
    return by_kind
