"""A crossing as a program and a person read it: the amounts that add up to its sum, and a sentence."""

from __future__ import annotations

from typing import Any

from handlers.watches.crossings import Crossing
from handlers.words.watch_sentences import crossing_said
from schemas.money import format_yuan


def crossing_json(crossing: Crossing) -> dict[str, Any]:
    """A crossing as `huzhu watch` prints it; amounts in yuan."""
    return {
        "watch": crossing.watch.id,
        "claim_id": crossing.claim.claim_id,
        "person_id": crossing.claim.person_id,
        "unit": crossing.unit_id,
        "step": format_yuan(crossing.step),
        "sum": format_yuan(crossing.sum),
    }


def explanation(crossing: Crossing) -> dict[str, Any]:
    """Its ``lines``, whose amounts add up to the sum, in canonical order; and why somebody should look.

    They name the claims of a whole household: they are for those who look after it, not for its members.
    """
    of_household, day, stays = crossing.unit.household_id is not None, crossing.claim.day, len(crossing.counted)
    said = crossing_said(crossing.watch, of_household, day, stays, crossing.step, crossing.sum)
    lines = [
        {
            "claim_id": each.claim_id,
            "person_id": each.person_id,
            "discharged_on": each.day.isoformat(),
            "amount": format_yuan(each.amount),
        }
        for each in crossing.counted
    ]
    return {"lines": lines, "zh": said.zh, "en": said.en}
