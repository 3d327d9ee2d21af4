"""Whether the caps of households hold for what a ledger has instructed, added up a second time."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

PAID = """
    SELECT scheme_id, policy_id, coalesce('household ' || household_id, 'person ' || person_id), claims.discharged_on,
        claim_id, benefit
    FROM claims JOIN benefits USING (claim_id) WHERE benefit > 0
"""
"""What is paid for each claim and scheme now, with the unit to which the claim was counted when it was decided."""


class Paid(NamedTuple):
    """A row of it; ``benefit`` is in fen."""

    scheme_id: str
    policy_id: str
    unit: str
    discharged_on: date
    claim_id: str
    benefit: int


def over_the_caps(paid: Iterable[Paid], policies: Sequence[str]) -> list[str]:
    """A sentence for each claim whose benefit lies above its policy's cap of a household.

    Of a unit's claims of one policy year the later one in canonical order gets less. All policies begin their years on
    one day.
    """
    texts = [tomllib.loads(text) for text in policies]
    caps = {
        (text["policy"]["id"], scheme["id"]): int(Decimal(scheme["cap_per_household_year"]) * 100)
        for text in texts
        for scheme in text["scheme"]
        if "cap_per_household_year" in scheme
    }
    sums: dict[tuple[str, str, int], int] = {}
    found = []
    for each in sorted(paid, key=lambda row: (row.discharged_on, row.claim_id)):
        year = each.discharged_on.year - (f"{each.discharged_on:%m-%d}" < texts[0]["policy"]["year_starts"])
        place = (each.scheme_id, each.unit, year)
        sums[place] = sums.get(place, 0) + each.benefit
        cap = caps.get((each.policy_id, each.scheme_id))
        if cap is not None and sums[place] > cap:
            found.append(f"claim {each.claim_id}: {each.scheme_id} pays {sums[place]} fen to {each.unit}, cap {cap}")
    return found
