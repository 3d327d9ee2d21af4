"""A ledger with an alert of each newer kind, claims that are held, and aid that was paid: what an office works on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from acts import propose_aid
from schemas.aid_records import AidWanted
from schemas.canonical import derived_id
from schemas.ids import PersonId
from tests.ledger.held_stays import POLICY_THAT_HOLDS
from tests.ledger.held_stays import stay as covered_stay
from tests.support.acts import match_list, publish_watches_text
from tests.support.assured import AID
from tests.support.builders import SHARDS, Json, coverage, death
from tests.support.funeral_lists import listed
from tests.support.outbox import waiting_messages
from tests.support.watches import stay, watch_text, watches_text
from tests.web.desk import Desk, open_desk
from tests.web.town import now, post, publish_text

MANY = 52
"""So many stays of one person after their death: the work list has a second page."""
POOR = ("zh", "en", "seen")
"""Persons whose own payments are high: one to be helped in each language, and one whose pages are looked at."""


def last_stay(person: str) -> str:
    """The claim that brings a person's own payments over the step."""
    return f"H320211ZY20240500000012345678901234567890{person}"


def high_alert(person: str) -> str:
    """The alert about it."""
    return derived_id("AT", "SELF_PAY_HIGH", "own-payments", last_stay(person), 2_000_000)


@contextmanager
def open_office(engine: Engine, folder: Path) -> Iterator[Desk]:
    """The console on this ledger, once everything is in it."""
    publish_text(engine, POLICY_THAT_HOLDS + AID)
    with open_desk(engine, folder) as desk:
        _stays(engine)
        match_list(engine, listed(("gone", "2024-06-05")), "2024-06", "li.na", SHARDS, now, None)
        watch = watch_text("own-payments", steps='"20000.00"')
        publish_watches_text(engine, watches_text(watch), "li.na", SHARDS, now)
        _help(engine)
        desk.catch_up()
        yield desk


def paths(desk: Desk) -> dict[str, str]:
    """The pages about alerts, held claims and aid."""
    seen, claim = desk.keys.token("seen", "person"), last_stay("seen")
    by_claim = {
        "DUPLICATE_INVOICE": "E-zh-1",
        "OVERLAPPING_STAYS": "E-late",
        "AFTER_DEATH": "E-dead-0",
    }
    found = {code: _alert_of(desk, code, claim_id) for code, claim_id in by_claim.items()}
    return {
        "alerts": "/alerts",
        "alerts-second": "/alerts?page=2&area=binhu",
        "alerts-filtered": "/alerts?code=SELF_PAY_HIGH&area=binhu&days=0&taken=-&gone=1",
        "alerts-none": "/alerts?days=90",
        "high": f"/alerts/{high_alert('seen')}",
        **{code.lower(): f"/alerts/{alert_id}" for code, alert_id in found.items()},
        "death_reported": f"/alerts/{derived_id('AT', 'DEATH_REPORTED', 'gone')}",
        "holds": "/holds",
        "hold": "/holds/E-late",
        "aids": "/aids",
        "aid": "/aids/1",
        "aid-form": f"/persons/{seen}/aid?alert={high_alert('seen')}",
        "claim": f"/claims/{claim}",
        "claim-held": "/claims/E-late",
        "person": f"/persons/{seen}",
    }


def _alert_of(desk: Desk, code: str, claim_id: str) -> str:
    query = "SELECT alert_id FROM alerts WHERE code = :code AND claim_id = :claim"
    return str(desk.value(query, code=code, claim=claim_id))


def _stays(engine: Engine) -> None:
    """Everybody's stays and bills; what is there twice comes in later than what it repeats."""
    first, again = list(_of_poor()), list[Json]()
    for language in ("zh", "en"):
        for which, events in ((1, first), (2, again)):
            claim, invoice = f"E-{language}-{which}", f"NO.0032000-{language}"
            events += covered_stay(f"{language}{which}", claim=claim, invoice_no=invoice)
    first += covered_stay("twice", "2024-03-01", "2024-03-10", claim="E-early")
    again += covered_stay("twice", "2024-03-09", "2024-03-12", claim="E-late")
    first += [coverage("C-gone", person_id="gone", area="binhu")]
    first += [coverage("C-dead", person_id="dead", area="binhu"), death("2024-02-29", person_id="dead")]
    for number in range(MANY):
        first += stay(f"E-dead-{number}", f"2024-{3 + number // 28:02}-{1 + number % 28:02}", 800, person_id="dead")
    post(engine, first)
    post(engine, again)


def _of_poor() -> Iterator[Json]:
    """Three stays each, the last of which brings their own payments over the step."""
    for person in POOR:
        yield coverage(f"C-{person}", person_id=person, area="binhu")
        names = (f"ZY2024-0200-{person}", f"ZY2024-0300-{person}", last_stay(person))
        for name, day in zip(names, ("2024-02-10", "2024-03-12", "2024-05-20"), strict=True):
            yield from stay(name, day, 7_500, out_of_catalogue=1_200, person_id=person)


def _help(engine: Engine) -> None:
    """Two people grant aid to the person whose pages are looked at, and the event comes in."""
    wanted = AidWanted(PersonId("seen"), "city", 500_000, True, high_alert("seen"), "入户核实,家庭困难 / visited")
    with engine.begin() as connection:
        number = propose_aid.propose_aid(connection, wanted, "li.na", now)
    with engine.begin() as connection:
        propose_aid.countersign_aid(connection, number, "wang.wei", SHARDS, now)
    post(engine, [json.loads(each.value) for each in waiting_messages(engine, "registry.aids")])
