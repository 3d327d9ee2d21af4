"""The demo's village, whose money runs out: one is paid, the others wait, and a contribution pays the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from cli.demo.demo_events import event, stay
from cli.terminal.output import out
from handlers.words.claim_sentences import yuan
from schemas.money import parse_yuan

POOL, SCHEME = "demo-village", "village_mutual_aid"


class Villager(NamedTuple):
    """When somebody was admitted and discharged, and the copay of the bill (yuan)."""

    person_id: str
    admitted_on: str
    discharged_on: str
    copay: str

    def stay(self) -> list[bytes]:
        return stay(*self)


FIRST = Villager("demo-villager-1", "2026-01-05", "2026-01-12", "8000.00")
SECOND = Villager("demo-villager-2", "2026-01-14", "2026-01-20", "6000.00")
THIRD = Villager("demo-villager-3", "2026-01-19", "2026-01-24", "5000.00")
VILLAGERS = (FIRST, SECOND, THIRD)
HAD, ARRIVED = "2000.00", "1000.00"
"""What the village had paid in before, and what the government adds (yuan)."""


def village() -> list[bytes]:
    """The village has a pool that queues, and all three belong to it; the first one has been in hospital."""
    pool = {"version": 1, "title": "Demo village", "on_shortage": "queue", "opened_on": "2026-01-01"}
    recorded = event("pool.recorded", "2026-01-02", pool_id=POOL, **pool)
    return [recorded, _given("villager", HAD), *(_covered(each) for each in VILLAGERS), *FIRST.stay()]


def later_stays() -> list[bytes]:
    """The two others have been in hospital as well."""
    return [*SECOND.stay(), *THIRD.stay()]


def money_arrives() -> list[bytes]:
    """The contribution that the second one waits for."""
    return [_given("government", ARRIVED)]


def show_village(folder: Path) -> None:
    """Prints who is paid at once, what the second one reads meanwhile, and who is paid when money arrives."""
    said = [each for each in _lines(folder / "decisions.jsonl") if each["person_id"] == SECOND.person_id]
    (waited,) = (line for each in said for line in each.get("waiting", ()))
    newest = {each["person_id"]: each for each in _lines(folder / "decisions.jsonl")}
    due = {each: yuan(parse_yuan(newest[each.person_id]["total_benefit"])) for each in VILLAGERS}
    (left,) = newest[THIRD.person_id]["waiting"]
    had, arrived = (yuan(parse_yuan(each)) for each in (HAD, ARRIVED))
    out.print(
        f"a village's pool has {had} yuan: the first gets {due[FIRST]}, and the second has to wait for {due[SECOND]}\n"
        f"某村互助金有 {had} 元:第一位补 {due[FIRST]} 元,第二位的 {due[SECOND]} 元排队等待"
    )
    out.print(f"  {waited['zh']}\n  {waited['en']}")
    out.print(
        f"then {arrived} yuan arrive: the second is paid, and {left['amount']} yuan of the third wait for more\n"
        f"到账 {arrived} 元后:第二位的补助自动发放,第三位的 {left['amount']} 元继续排队"
    )


def _covered(villager: Villager) -> bytes:
    person_id, since = villager.person_id, {"version": 1, "valid_from": "2026-01-01"}
    member = {"coverage_id": f"C-{person_id}", "programme": SCHEME, "category": "member", "pool_id": POOL}
    return event("coverage.recorded", "2026-01-02", person_id=person_id, **since, **member)


def _given(kind: str, amount: str) -> bytes:
    name = {"contribution_id": f"demo-{kind}", "version": 1, "reference": f"demo-{kind}"}
    what = {"kind": kind, "amount": amount, "received_on": "2026-01-03"}
    return event("contribution.received", "2026-01-03", pool_id=POOL, **name, **what)


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]
