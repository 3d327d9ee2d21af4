"""Persons of four shards who form households, split and move, in events of any order; and a guard of their cap."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from sqlalchemy import Engine, select, text

from handlers.offline.book import Book
from infra.ledger import tables
from schemas.decisions import to_json
from schemas.policy.model import Policies
from tests.support.builders import (
    YEARLY,
    Json,
    bill,
    coverage,
    coverage_void,
    death,
    discharge,
    encode,
    membership,
    membership_void,
    policy_text,
    void,
)

CAP = "1500.00"
SHARED = f"""
[[scheme]]
id = "village_mutual_aid"
programme = "village_mutual_aid"
basis = "copay"
measured_on = "billed"
accumulates = "household_year"
cap_per_household_year = "{CAP}"
[[scheme.tier]]
name = "member"
categories = ["member"]
brackets = [{{ over = "2000.00", rate = "0.333" }}, {{ over = "6000.00", rate = "0.60" }}]
"""
"""Counted and capped by household and calendar year."""

POLICY = policy_text("households", "2020-01-01", None, SHARED, YEARLY)

_GUARD = """
CREATE FUNCTION cap_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE over record;
BEGIN
    SELECT c.household_id, sum(b.benefit) AS paid INTO over
    FROM claims c JOIN benefits b USING (claim_id)
    WHERE c.household_id IS NOT NULL AND b.scheme_id = 'village_mutual_aid'
    GROUP BY c.household_id, date_trunc('year', c.discharged_on)
    HAVING sum(b.benefit) > {cap} LIMIT 1;
    IF FOUND THEN RAISE EXCEPTION 'household % got % fen in a year', over.household_id, over.paid; END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER cap_holds AFTER INSERT OR UPDATE ON benefits
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cap_holds();
CREATE CONSTRAINT TRIGGER cap_holds AFTER INSERT OR UPDATE ON claims
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cap_holds();
"""


def guard_the_cap(ledger: Engine, cap: int = 150_000) -> None:
    """From now on no commit leaves a household more than the cap (fen) in a year; one that does fails."""
    with ledger.begin() as connection:
        connection.execute(text(_GUARD.format(cap=cap)))


def lives(rng: Random, persons: Sequence[str], households: int) -> list[Json]:
    """What happens to some persons, each fact in some versions, in no order: the greatest version counts."""
    events: list[Json] = []
    for number, person in enumerate(persons):
        events.append(coverage(f"C{number}", person_id=person))
        if rng.random() < 0.6:
            events.append(coverage(f"D{number}", rng.choice(("dibao", "ordinary")), person_id=person))
        if rng.random() < 0.1:
            events.append(coverage_void(f"C{number}", person_id=person))
        for name in range(rng.choice((0, 1, 1, 2))):
            events += _membership(rng, f"M{number}-{name}", person, households)
        for stay in range(rng.choice((1, 1, 2, 3))):
            events += _stay(rng, f"{number}-{stay}", person)
        if rng.random() < 0.1:
            events.append(death(_day(rng), person_id=person))
    rng.shuffle(events)
    return events


def _day(rng: Random) -> str:
    return f"{rng.choice((2023, 2024))}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _membership(rng: Random, name: str, person: str, households: int) -> list[Json]:
    found: list[Json] = []
    for version in range(1, rng.choice((2, 2, 3, 4))):
        if version > 1 and rng.random() < 0.3:
            found.append(membership_void(name, version, person_id=person))
            continue
        begin, end = sorted((_day(rng), _day(rng)))
        days: Json = {"valid_from": rng.choice(("2020-01-01", begin))}
        if begin < end and rng.random() < 0.4:
            days = {"valid_from": begin, "valid_to": end}
        unit = rng.choice(("household",) * 6 + ("single", "collective"))
        home = f"HH{rng.randrange(households)}"
        found.append(membership(name, home, version=version, person_id=person, unit=unit, **days))
    return found


def _stay(rng: Random, name: str, person: str) -> list[Json]:
    found: list[Json] = []
    for version in range(1, rng.choice((2, 2, 3))):
        day = _day(rng)
        found.append(discharge(f"E{name}", day, version=version, person_id=person, admitted_on=f"{day[:4]}-01-01"))
    for version in range(1, rng.choice((2, 2, 3))):
        copay, rest = rng.randrange(500, 9000), rng.randrange(0, 3000)
        found.append(bill(f"S{name}", f"E{name}", copay, out_of_catalogue=rest, version=version, person_id=person))
    if rng.random() < 0.15:
        found.append(void(f"S{name}", f"E{name}", 9, person_id=person))
    return found


def decided_offline(events: Iterable[Json], policies: Policies) -> dict[str, Json]:
    """What the same events give without a ledger, by claim."""
    book = Book()
    for each in events:
        book.take(encode(each))
    return {each.claim_id: to_json(each) for each in book.decide(policies)}


def decided_in(ledger: Engine) -> dict[str, Json]:
    """What the ledger has published last, by claim, without what only messages have."""
    decisions = tables.decisions
    with ledger.connect() as connection:
        rows = connection.execute(select(decisions.c.value).order_by(decisions.c.revision))
        found: dict[str, Any] = {}
        for (value,) in rows:
            told = json.loads(value)
            found[told["claim_id"]] = told
    return found


def assert_decided_as_offline(ledger: Engine, events: Iterable[Json], policies: Policies) -> None:
    """Every claim of the ledger says what offline adjudication says, explanation and all."""
    expected, actual = decided_offline(events, policies), decided_in(ledger)
    assert expected.keys() == actual.keys()
    for name, decision in expected.items():
        assert decision == {part: actual[name].get(part) for part in decision}
