"""Incidents, aid and sums assured drawn at random: dense in shared days, corrections, voids and edges."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.properties.strategies import (
    AMOUNTS,
    CATEGORIES,
    DAYS,
    SCHEME_IDS,
    Body,
    History,
    bill_of,
    brackets,
    coverage_from,
    coverages,
    discharge_of,
    encounters,
    policy,
    schemes,
    seldom,
    yuan,
)
from tests.support.builders import aid, aid_void, death, incident, incident_void

KINDS = ("accident", "disability")
DEGREES = ("1", "2", "9")
LEVELS = ("city", "district", "street")
SUMS = (0, 1, 9_999, 50_000, 200_000)
INCIDENT_DAYS = ("2020-02-28", "2020-03-01", "2020-07-01", "2020-12-30", "2020-12-31", "2021-01-01")


@st.composite
def occasions(draw: st.DrawFn, name: str) -> list[Body]:
    """The versions of an incident or an aid: recorded, corrected, voided, recorded again."""
    of_aid, facts = draw(st.booleans()), list[Body]()
    for version in range(1, draw(st.sampled_from((1, 1, 2, 3))) + 1):
        if draw(seldom):
            facts.append((aid_void if of_aid else incident_void)(name, version))
            continue
        day = draw(st.sampled_from(INCIDENT_DAYS))
        if of_aid:
            amount = yuan(draw(st.sampled_from([each for each in AMOUNTS if each])))
            facts.append(aid(name, amount, version=version, decided_on=day, level=draw(st.sampled_from(LEVELS))))
            continue
        told: dict[str, Any] = {
            "degree": draw(st.sampled_from((None, *DEGREES))),
            "days": draw(st.sampled_from((None, 0, 1, 3, 200))),
            "verified_loss": draw(st.sampled_from((None, *map(yuan, AMOUNTS)))),
        }
        given = {key: value for key, value in told.items() if value is not None}
        facts.append(incident(name, draw(st.sampled_from(KINDS)), version=version, occurred_on=day, **given))
    return facts


@st.composite
def measures(draw: st.DrawFn, trigger: str) -> str:
    """What a tier pays: brackets, or one of the sums assured."""
    ways = ("fixed", "per_day", "per_day", "brackets") + (("by_degree",) if trigger == "incident" else ())
    way = draw(st.sampled_from(ways))
    if way == "brackets":
        rates = draw(brackets())
        listed = ", ".join(f'{{ over = "{over}", rate = "{rate}" }}' for over, rate in rates.items())
        return f"brackets = [{listed}]"
    amount = draw(st.sampled_from(SUMS))
    if way == "fixed":
        return f'fixed = "{yuan(amount)}"'
    if way == "by_degree":
        return f'by_degree = {{ "1" = "{yuan(amount)}", "2" = "{yuan(draw(st.sampled_from(SUMS)))}" }}'
    limits = draw(st.sampled_from(("", "from_day = 2\n", "days_max = 3\n", "from_day = 3\ndays_max = 1\n")))
    return f'per_day = "{yuan(amount)}"\n{limits}'


@st.composite
def assuring_schemes(draw: st.DrawFn, scheme_id: str) -> str:
    """A scheme for stays, incidents or aid, with any measure, paid as often as it says."""
    trigger = draw(st.sampled_from(("stay", "incident", "incident", "aid")))
    fields: dict[str, Any] = {"id": scheme_id, "trigger": trigger}
    for cap in sorted(draw(st.sets(st.sampled_from(("cap_per_year", "cap_per_household_year")), max_size=1))):
        fields[cap] = yuan(draw(st.sampled_from((9_999, 40_000, 150_000))))
    fields["once_per"] = draw(st.sampled_from(("claim", "claim", "year", "life")))
    if trigger == "aid":
        levels = f'levels = {{ city = "{yuan(draw(st.sampled_from(SUMS)))}", district = "400.00" }}'
        return "\n".join(["[[scheme]]", *_toml(fields), levels, ""])
    fields["programme"] = "aid"
    tiers = [draw(measures(trigger)) for _ in CATEGORIES]
    if any(tier.startswith("brackets") for tier in tiers) or draw(st.booleans()):
        fields["basis"] = (
            "verified_loss"
            if trigger == "incident"
            else draw(st.sampled_from(("copay", "out_of_catalogue", "personal_burden")))
        )
        fields["measured_on"] = draw(st.sampled_from(("billed", "remaining")))
        fields["accumulates"] = draw(st.sampled_from(("stay", "person_year")))
    if trigger == "incident" and draw(st.booleans()):
        fields["incident_kinds"] = [draw(st.sampled_from(KINDS))]
    fields |= draw(st.sampled_from(({}, {}, {"waiting_days": 1}, {"cap_per_stay": "400.00"}, {"floor_per_stay": "5"})))
    lines = ["[[scheme]]", *_toml(fields)]
    for category, tier in zip(CATEGORIES, tiers, strict=True):
        lines += ["[[scheme.tier]]", f'name = "{category}"', f'categories = ["{category}"]', tier]
    return "\n".join([*lines, ""])


def _toml(fields: dict[str, Any]) -> list[str]:
    return [f"{name} = {json.dumps(value)}" for name, value in fields.items()]


@st.composite
def assuring_releases(draw: st.DrawFn) -> tuple[str, ...]:
    """One or two policies that follow each other, with schemes of the same ids, whatever these look at."""
    ids = SCHEME_IDS[: draw(st.integers(1, 3))]
    cut = draw(st.sampled_from((None, None, "2020-07-01", "2020-12-31")))
    starts = ["2000-01-01"] if cut is None else ["2000-01-01", cut]
    texts = []
    for number, start in enumerate(starts):
        drawn = [draw(st.one_of(assuring_schemes(name), assuring_schemes(name), schemes(name))) for name in ids]
        end = starts[number + 1] if number + 1 < len(starts) else ""
        texts.append(policy(*drawn, start=start, end=end, name=f"release-{number}"))
    return tuple(texts)


@st.composite
def occasional_histories(draw: st.DrawFn) -> History:
    """A person with stays, incidents and aid, corrections included."""
    facts: list[Body] = draw(coverages("C1")) if draw(seldom) else []
    if not facts:
        from_start = {"valid_from": "2000-01-01", "category": draw(st.sampled_from(CATEGORIES))}
        facts = [{**body, **from_start} for body in draw(coverages("C1")) if body["event_type"] == "coverage.recorded"]
    for encounter in draw(st.permutations(("E1", "E10", "e3")))[: draw(st.sampled_from((0, 1, 2, 3)))]:
        facts += draw(encounters(encounter))
    for name in draw(st.permutations(("A", "B", "c", "D")))[: draw(st.sampled_from((1, 2, 3, 4)))]:
        facts += draw(occasions(name))
    if draw(seldom):
        facts.append(death(draw(st.sampled_from(DAYS))))
    return History(draw(assuring_releases()), tuple(facts))


@st.composite
def days_in_hospital(draw: st.DrawFn) -> History:
    """Two or three stays of one week, most of which share days, under a scheme that pays by the day."""
    limits = draw(st.sampled_from(("", "from_day = 2\n", "days_max = 3\n", "from_day = 2\ndays_max = 2\n")))
    cap = draw(st.sampled_from(("", 'cap_per_stay = "0.02"\n')))
    tier = f'[[scheme.tier]]\nname = "member"\ncategories = ["member"]\nper_day = "0.01"\n{limits}'
    facts: list[Body] = [coverage_from()]
    for encounter in ("E1", "E10", "e3")[: draw(st.sampled_from((2, 3)))]:
        first = draw(st.integers(1, 4))
        last = first + draw(st.sampled_from((0, 0, 1, 2, 3, 5)))
        facts += [discharge_of(encounter, f"2020-03-0{last}", f"2020-03-0{first}"), bill_of(encounter, "1.00")]
    return History((policy(f'[[scheme]]\nid = "days"\nprogramme = "aid"\n{cap}{tier}'),), tuple(facts))
