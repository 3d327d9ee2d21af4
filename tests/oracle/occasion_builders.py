"""Short aids, incidents and schemes for them, for worked examples and random cases."""

import json
from collections.abc import Mapping

from .builders import fact, scheme

FULL = '[{ over = "0.00", rate = "1" }]'


def aid(name: str, amount: str, level: str = "city", decided_on: str = "2020-01-01", **fields: object) -> bytes:
    """A decision of aid, signed by two."""
    said = {"aid_id": name, "amount": amount, "level": level, "decided_on": decided_on, "emergency": False}
    said |= {"decided_by": "operator 1", "countersigned_by": "operator 2", "reason": "r"}
    return fact("aid.decided", **{**said, **fields})


def aid_voided(name: str, version: int, **fields: object) -> bytes:
    return fact("aid.voided", aid_id=name, version=version, reason="r", **fields)


def incident(name: str, occurred_on: str = "2020-01-01", kind: str = "fire", **fields: object) -> bytes:
    said = {"incident_id": name, "kind": kind, "occurred_on": occurred_on}
    return fact("incident.recorded", **{**said, "recorded_by": "clerk 1", "verified_by": "clerk 2", **fields})


def incident_voided(name: str, version: int, **fields: object) -> bytes:
    return fact("incident.voided", incident_id=name, version=version, reason="r", **fields)


def aid_scheme(name: str, levels: Mapping[str, str], settings: str = "") -> str:
    """A scheme of aid: amounts by level, and neither programme nor tiers."""
    written = ", ".join(f"{json.dumps(level)} = {json.dumps(amount)}" for level, amount in levels.items())
    head = f'[[scheme]]\nid = "{name}"\ntitle = "t"\ntrigger = "aid"'
    return f"{head}\nlevels = {{ {written} }}\n{settings}\n"


def tier(pays: str, name: str = "member") -> str:
    """A tier for the category of its own name."""
    return f'[[scheme.tier]]\nname = "{name}"\ncategories = ["{name}"]\n{pays}\n'


def incident_scheme(name: str, *tiers: str, settings: str = "") -> str:
    """A scheme of the programme `aid` for incidents, with the tiers given."""
    return scheme(name, f'trigger = "incident"\nbasis = "verified_loss"\n{settings}', "", "".join(tiers))


def stay_scheme(name: str, *tiers: str, settings: str = "") -> str:
    """The same for stays, on the personal burden."""
    return scheme(name, settings, "", "".join(tiers))
