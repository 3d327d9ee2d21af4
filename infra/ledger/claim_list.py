"""The list of claims: how the digest keeps it, and its pages, each found from where the one before ended.

What an audit entry touches is looked at as the ledger has it now, so it does not matter how often that is done, or
when. A fact touches all claims of its person: it can change their area, and a report changes what is outstanding.

What is asked of an event's JSON is asked behind OFFSET 0 or DISTINCT: among all events, where PostgreSQL could look
otherwise, are some that are no JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, literal, select, tuple_

from infra.ledger.list_tables import digest_claim_list
from infra.ledger.row_filter import Filter

NO_DAY = date.min
"""Stands for the day of discharge of a claim that has none."""

_BETWEEN = "\t"
"""Between scheme and tier; no id holds it."""

_LOOKED_AT = f"""
    INSERT INTO digest_claim_list (claim_id, day, status, facility_id, area, schemes, due, held, waiting, unpaid,
        outstanding)
    SELECT c.claim_id, coalesce(c.discharged_on, DATE '0001-01-01'), c.status, coalesce(f.facility_id, ''),
        coalesce(a.area, ''), b.schemes, c.total_benefit, b.held, b.waiting, b.unpaid, o.amount
    FROM (SELECT DISTINCT claim_id FROM touched) t JOIN claims c ON c.claim_id = t.claim_id
        LEFT JOIN LATERAL (
            SELECT n.told ->> 'facility_id' AS facility_id
            FROM (SELECT x.kind, x.version, x.event_no, convert_from(v.value, 'UTF8')::json AS told
                FROM facts x JOIN events v ON v.event_no = x.event_no
                WHERE x.person_id = c.person_id AND x.kind IN ('encounter', 'settlement') OFFSET 0) n
            WHERE n.told ->> 'encounter_id' = c.claim_id AND n.told ->> 'facility_id' IS NOT NULL
            ORDER BY n.kind, n.version DESC, n.event_no DESC LIMIT 1
        ) f ON true
        LEFT JOIN LATERAL (
            SELECT n.told ->> 'area' AS area
            FROM (SELECT DISTINCT ON (x.subject_id) x.subject_id, convert_from(v.value, 'UTF8')::json AS told
                FROM facts x JOIN events v ON v.event_no = x.event_no
                WHERE x.person_id = c.person_id AND x.kind = 'coverage' ORDER BY x.subject_id, x.version DESC) n
            WHERE n.told ->> 'event_type' = 'coverage.recorded' AND n.told ->> 'area' IS NOT NULL
            ORDER BY n.told ->> 'valid_from' DESC, n.subject_id COLLATE "C" DESC LIMIT 1
        ) a ON true
        CROSS JOIN LATERAL (
            SELECT coalesce(array_agg(p.name) FILTER (WHERE p.name IS NOT NULL AND r.benefit > 0), '{{}}') AS schemes,
                coalesce(sum(r.kept) FILTER (WHERE r.held AND p.first), 0) AS held,
                coalesce(sum(r.kept) FILTER (WHERE NOT r.held AND p.first), 0) AS waiting,
                coalesce(sum(r.benefit - r.released - r.kept) FILTER (WHERE p.first), 0) AS unpaid
            FROM (SELECT *, greatest(benefit - released - left_by_close, 0) AS kept FROM benefits
                WHERE claim_id = c.claim_id) r
                CROSS JOIN LATERAL (VALUES (r.scheme_id, true), (r.scheme_id || '{_BETWEEN}' || r.tier, false))
                    AS p (name, first)
        ) b
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(CASE d.kind WHEN 'payment' THEN d.amount ELSE -d.amount END), 0) AS amount
            FROM instructions i JOIN digest_open d ON d.payout_id = i.payout_id WHERE i.claim_id = c.claim_id
        ) o
    ON CONFLICT (claim_id) DO UPDATE SET day = excluded.day, status = excluded.status, area = excluded.area,
        facility_id = excluded.facility_id, schemes = excluded.schemes, due = excluded.due, held = excluded.held,
        waiting = excluded.waiting, unpaid = excluded.unpaid, outstanding = excluded.outstanding
"""

DECIDED = ", touched AS (SELECT told -> 'subject' ->> 'claim_id' AS claim_id FROM entry)" + _LOOKED_AT

ORDERED = (
    """
    , touched AS (
        SELECT i.claim_id FROM entry e JOIN instructions o ON o.payout_id = e.told -> 'subject' ->> 'payout_id'
            JOIN instructions i ON i.payout_id IN (o.payout_id, o.reversal_of, o.set_off_of)
    )
"""
    + _LOOKED_AT
)

ACCEPTED = (
    """
    , touched AS (
        SELECT c.claim_id FROM entry e JOIN subjects s ON s.kind = e.told -> 'subject' ->> 'kind'
                AND s.subject_id = e.told -> 'subject' ->> 'id'
            JOIN claims c ON c.person_id = s.person_id
        UNION ALL
        SELECT i.claim_id FROM entry e JOIN instructions i ON i.payout_id = e.told -> 'subject' ->> 'id'
        WHERE e.told -> 'subject' ->> 'kind' = 'payout'
    )
"""
    + _LOOKED_AT
)


FEW = 5_000
"""So many claims are put in order in some milliseconds."""


class Sort(StrEnum):
    """The order of a list; lines that are alike in it follow each other by their ids."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    SMALLEST = "smallest"


class ListedClaim(NamedTuple):
    """A claim in a list, in fen. ``day`` is that of discharge, or `NO_DAY`."""

    claim_id: str
    day: date
    status: str
    facility_id: str
    area: str
    schemes: list[str]
    due: int
    held: int
    waiting: int
    unpaid: int
    outstanding: int

    @property
    def paid(self) -> int:
        """What has arrived, less what came back; what was set off or waived counts as if it had."""
        return self.due - self.held - self.waiting - self.unpaid - self.outstanding


class ClaimSum(NamedTuple):
    """The sums over a list, in fen: due = paid + outstanding + held + waiting + unpaid."""

    claims: int
    due: int
    held: int
    waiting: int
    unpaid: int
    outstanding: int

    @property
    def paid(self) -> int:
        return self.due - self.held - self.waiting - self.unpaid - self.outstanding


class After(NamedTuple):
    """Where a page of a list ends: the value that it is sorted by, and the id of its last line."""

    value: date | int
    key: str


def of_tier(scheme_id: str, tier: str) -> str:
    """How a scheme with the tier in which it pays stands in a claim's ``schemes``."""
    return f"{scheme_id}{_BETWEEN}{tier}"


def total(connection: Connection, chosen: Filter) -> ClaimSum:
    """The sums over all pages."""
    line = digest_claim_list
    sums = (func.coalesce(func.sum(line.c[name]), 0) for name in ClaimSum._fields[1:])
    found = connection.execute(select(func.count(), *sums).where(*conditions(chosen))).one()
    return ClaimSum(*map(int, found))


def page(
    connection: Connection, chosen: Filter, sort: Sort, after: After | None, limit: int, *, few: bool = False
) -> list[ListedClaim]:
    """Claims in order, from a position on, so that every page costs the same.

    Where a filter leaves ``few``, they are found first and then put in order: along an index of all claims they would
    be far between.
    """
    chosen_lines = select(*(digest_claim_list.c[name] for name in ListedClaim._fields)).where(*conditions(chosen))
    line = (chosen_lines.offset(0) if few else chosen_lines).subquery()
    by = line.c.day if sort in (Sort.NEWEST, Sort.OLDEST) else line.c.due
    down = sort in (Sort.NEWEST, Sort.LARGEST)
    query = select(line).limit(limit)
    query = query.order_by(by.desc(), line.c.claim_id.desc()) if down else query.order_by(by, line.c.claim_id)
    if after is not None:
        here, last = tuple_(by, line.c.claim_id), tuple_(literal(after.value, by.type), literal(after.key))
        query = query.where(here < last if down else here > last)
    return [ListedClaim(*row) for row in connection.execute(query)]


def places(connection: Connection) -> tuple[list[str], list[str]]:
    """The facilities and the areas that the list holds."""
    return names_in(connection, digest_claim_list.c.facility_id), names_in(connection, digest_claim_list.c.area)


def names_in(connection: Connection, column: ColumnElement[str]) -> list[str]:
    """What a column of names holds but the empty one, found by skipping through its index."""
    found: list[str] = []
    while (
        name := connection.scalar(select(func.min(column)).where(column > (found[-1] if found else "")))
    ) is not None:
        found.append(name)
    return found


def conditions(chosen: Filter) -> Iterable[ColumnElement[bool]]:
    """What holds for the lines that a filter leaves."""
    line = digest_claim_list
    if chosen.since is not None or chosen.until is not None:
        yield line.c.day >= (chosen.since or NO_DAY + timedelta(days=1))
    if chosen.until is not None:
        yield line.c.day < chosen.until
    for wanted, column in ((chosen.status, line.c.status), (chosen.facility, line.c.facility_id)):
        if wanted:
            yield column == wanted
    if chosen.area:
        yield line.c.area == chosen.area
    if chosen.scheme:
        wanted = of_tier(chosen.scheme, chosen.tier) if chosen.tier else chosen.scheme
        yield line.c.schemes.contains([wanted])
    if chosen.low is not None:
        yield line.c.due >= chosen.low
    if chosen.high is not None:
        yield line.c.due <= chosen.high
