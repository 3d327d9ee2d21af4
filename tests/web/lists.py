"""What the lists of the console should hold, read from the ledger claim by claim; and how they are read."""

from __future__ import annotations

import html
import json
import re
from collections import defaultdict
from decimal import Decimal
from typing import Any

from tests.web.desk import Desk, Visitor

FACTS = """
    SELECT f.kind, f.subject_id, f.person_id, e.value FROM facts f JOIN events e USING (event_no)
    WHERE f.kind IN ('encounter', 'settlement', 'coverage') ORDER BY f.version, f.event_no
"""
ORDERS = """
    SELECT i.claim_id, i.kind, coalesce(r."left", i.amount) AS amount FROM instructions i
        LEFT JOIN payout_states s ON s.payout_id = i.payout_id AND s.person_id = i.person_id
        LEFT JOIN settled_recoveries r ON r.payout_id = i.payout_id
    WHERE i.reversal_of IS NULL AND i.set_off_of IS NULL
        AND NOT EXISTS (SELECT FROM instructions o WHERE o.reversal_of = i.payout_id)
        AND (r.payout_id IS NOT NULL OR s.state IS DISTINCT FROM 'paid')
"""


def claims_by_hand(desk: Desk) -> list[tuple[Any, ...]]:
    """Each claim with its day, status, facility, area, what is due and what is outstanding, in order of ids."""
    facility: dict[str, str] = {}
    newest: dict[str, tuple[str, dict[str, Any]]] = {}
    for kind in ("settlement", "encounter"):
        for row in desk.rows(FACTS):
            told = json.loads(bytes(row.value))
            if row.kind == kind and told.get("facility_id"):
                facility[told["encounter_id"]] = told["facility_id"]
            if row.kind == "coverage":
                newest[row.subject_id] = row.person_id, told
    areas: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for name, (person, told) in newest.items():
        if told["event_type"] == "coverage.recorded" and told.get("area"):
            areas[person].append((told["valid_from"], name, told["area"]))
    outstanding: defaultdict[str, int] = defaultdict(int)
    for row in desk.rows(ORDERS):
        outstanding[row.claim_id] += row.amount if row.kind == "payment" else -row.amount
    claims = desk.rows("SELECT claim_id, person_id, discharged_on, status, total_benefit FROM claims ORDER BY claim_id")
    return [
        (
            each.claim_id,
            each.discharged_on,
            each.status,
            facility.get(each.claim_id, ""),
            max(areas[each.person_id])[2] if areas[each.person_id] else "",
            each.total_benefit,
            outstanding[each.claim_id],
        )
        for each in claims
    ]


def claims_listed(desk: Desk) -> list[tuple[Any, ...]]:
    """The same from the digest."""
    return [
        tuple(row)
        for row in desk.rows(
            "SELECT claim_id, nullif(day, DATE '0001-01-01'), status, facility_id, area, due, outstanding "
            "FROM digest_claim_list ORDER BY claim_id"
        )
    ]


def lines(visitor: Visitor, address: str) -> list[list[str]]:
    """The cells of all lines of a list, through all its pages."""
    found: list[list[str]] = []
    while address:
        page = visitor.get(address).text
        body = page.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in page else ""
        for row in re.findall(r"<tr>(.*?)</tr>", body):
            cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)
            found.append([html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in cells])
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = html.unescape(following[1]) if following else ""
    return found


def figure(page: str, name: str) -> Decimal:
    """A figure at the top of a page, by its name."""
    found = re.search(rf"<dt>{re.escape(name)}</dt><dd>([^<]+)</dd>", page)
    assert found, name
    return Decimal(found[1].replace(",", ""))


def yuan(cell: str) -> Decimal:
    return Decimal(cell.replace(",", ""))
