"""Whom the policy finds in the demo: who pays much and is given aid, one bill in two claims, and an accident."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from rich.table import Table
from sqlalchemy import Engine

from acts import propose_aid, release_hold
from acts.propose_aid import Granted
from acts.publish_watches import publish_watches
from acts.release_hold import Hold
from cli.demo.demo_events import event, stay
from cli.terminal.output import out
from handlers.words import twice_sentences
from handlers.words.alert_sentences import said
from handlers.words.claim_sentences import yuan
from infra.clock import utc_now
from infra.ledger import alert_lists, hold_rows
from infra.ledger.alert_lists import AlertFilter
from schemas.aid_records import AidWanted
from schemas.alert_records import AlertRow
from schemas.bilingual import Saying
from schemas.ids import PersonId, claim_of_incident
from schemas.money import parse_yuan
from schemas.outbound import AlertCode
from schemas.policy.policy_file import read_text

FIRST_OPERATOR, SECOND_OPERATOR = "demo-li", "demo-wang"
BURDENED, HURT = PersonId("demo-burdened"), PersonId("demo-hurt")
STAY = ("2026-01-08", "2026-01-19", "18000.00")
"""When who pays much was admitted and discharged, and the copay of the bill (yuan)."""
TWICE = {"demo-bill-1": ("2026-01-06", "2026-01-09"), "demo-bill-2": ("2026-01-12", "2026-01-15")}
"""Two whose hospital used one number for two bills, and when each was admitted and discharged."""
INVOICE, COPAY = "DEMO-0001", "5000.00"
WHY = "two stays; the hospital used one number twice"
LEVEL, AID = "city", 500_000
ALERTS_MAX = 10_000


class Discovered(NamedTuple):
    """What two people did about what the policy found, and all that its watches found."""

    alerts: list[AlertRow]
    led_to: AlertRow
    granted: Granted
    released: Hold
    kept: int


def publish_sample(engine: Engine, file: Path, shards: int) -> None:
    """From now on the ledger looks for who pays much."""
    with engine.begin() as connection:
        publish_watches(connection, read_text(file), "demo", shards, utc_now, str(file))


def not_asked_for() -> list[bytes]:
    """Somebody without any cover pays much, one number is on two bills, and somebody has an accident."""
    covered = [_covered(each, "household_aid") for each in TWICE] + [_covered(HURT, "accident_relief")]
    twice = [each for person_id, days in TWICE.items() for each in stay(person_id, *days, COPAY, invoice_no=INVOICE)]
    about = {"incident_id": "demo-accident", "version": 1, "kind": "accident", "occurred_on": "2026-01-16"}
    by = {"recorded_by": FIRST_OPERATOR, "verified_by": SECOND_OPERATOR}
    accident = event("incident.recorded", "2026-01-17", person_id=HURT, degree="9", **about, **by)
    return [*covered, *stay(BURDENED, *STAY), *twice, accident]


def decide(engine: Engine, shards: int) -> Discovered:
    """Two people release the claim that was kept back, and grant aid to whom an alert names."""
    with engine.connect() as connection:
        _, alerts = alert_lists.page(connection, AlertFilter(code=AlertCode.SELF_PAY_HIGH), ALERTS_MAX)
        led_to = next(each for each in alerts if each.person_id == BURDENED)
        held = next(each for each in hold_rows.all_held(connection) if each.kept)

    wanted = AidWanted(BURDENED, LEVEL, AID, False, led_to.alert_id, "visited: the family has debts for the stay")
    with engine.begin() as connection:
        number = release_hold.propose(connection, held.claim_id, WHY, FIRST_OPERATOR, shards, utc_now)
        released = release_hold.approve(connection, number, SECOND_OPERATOR, shards, utc_now)
    with engine.begin() as connection:
        number = propose_aid.propose_aid(connection, wanted, FIRST_OPERATOR, utc_now)
        granted = propose_aid.countersign_aid(connection, number, SECOND_OPERATOR, shards, utc_now)
    return Discovered(alerts, led_to, granted, released, held.kept)


def show_discovered(found: Discovered, payouts: Path) -> None:
    """Prints whom the watches found, and what was paid to those whom two people or an event spoke for."""
    table = Table(title="Whom the policy found 主动发现")
    table.add_column("watch 规则", overflow="fold")
    for name in ("over 超过(元)", "persons or households 人/户"):
        table.add_column(name, justify="right")
    units = defaultdict[tuple[str, int], set[str]](set)
    for each in found.alerts:
        told = json.loads(each.value or b"{}")
        units[told["watch"], parse_yuan(told["step"])].add(told["unit"])
    for (watch, step), those in sorted(units.items()):
        table.add_row(watch, yuan(step), f"{len(those):,}")
    out.print(table)
    paid = _paid(payouts)
    _print(said(found.led_to))
    aid = yuan(paid[found.granted.proposal.claim_id])
    out.print(
        f"{FIRST_OPERATOR} proposes aid from that alert, {SECOND_OPERATOR} countersigns: {aid} yuan are paid\n"
        f"{FIRST_OPERATOR} 从这条提醒提出临时救助,{SECOND_OPERATOR} 批准:发放 {aid} 元"
    )
    code, invoice, other = found.released.found[0]
    _print(twice_sentences.raised(AlertCode(code), invoice, (other,)))
    kept, late = yuan(found.kept), yuan(paid[found.released.claim_id])
    out.print(
        f"so {kept} yuan were kept back; two people looked at both bills and released them: {late} yuan are paid\n"
        f"因此暂缓 {kept} 元;两人核对票据后解除:发放 {late} 元"
    )
    hurt = yuan(paid[claim_of_incident("demo-accident")])
    out.print(
        f"an accident of degree 9 was reported, without a bill: {hurt} yuan are paid\n"
        f"登记了一起九级伤残的意外事故,无需票据:发放 {hurt} 元"
    )


def _paid(payouts: Path) -> defaultdict[str, int]:
    """What was instructed for each claim (fen), by the demo's file of payouts."""
    paid = defaultdict[str, int](int)
    for line in payouts.read_bytes().splitlines():
        order = json.loads(line)
        paid[order["claim_id"]] += parse_yuan(order["amount"]) * (1 if order["kind"] == "payment" else -1)
    return paid


def _print(sentence: Saying) -> None:
    out.print(f"  {sentence.zh}\n  {sentence.en}")


def _covered(person_id: str, programme: str) -> bytes:
    since = {"version": 1, "valid_from": "2026-01-01"}
    member = {"coverage_id": f"C-{person_id}", "programme": programme, "category": "member"}
    return event("coverage.recorded", "2026-01-02", person_id=person_id, **since, **member)
