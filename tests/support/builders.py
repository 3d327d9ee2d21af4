"""Events as senders write them, and a world to take them into: what many tests start from, with as few words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings

from handlers.audit.journal import Journal
from handlers.claims.process import Processor
from handlers.claims.read import Reading, read
from handlers.claims.world import World
from handlers.days.close_day import take_message
from handlers.days.read_day import read_message
from infra.sharding import shard_of
from schemas.dates import format_instant
from schemas.policy.model import Policies
from schemas.policy.policy_file import parse_policy
from schemas.records import Delivery, Outcome, ShardState
from schemas.topics import EXPENSES, TOPIC_OF_EVENT
from tests.support.length import times

Json = dict[str, Any]

unhurried = settings(
    max_examples=times(30, 100), deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
"""How a property is tried: a busy machine is no failure."""

SHARDS = 4
RECORDED_AT = datetime(2025, 3, 1, 4, 0, 0, 250_000, tzinfo=UTC)
PAID_BY_OTHERS = ("basic_insurance_paid", "serious_illness_paid", "medical_assistance_paid", "other_fund_paid")

VILLAGE = """
[[scheme]]
id = "village_mutual_aid"
programme = "village_mutual_aid"
basis = "copay"
measured_on = "billed"
accumulates = "stay"
care_types = ["inpatient"]
threshold = "2000.00"
cap_per_stay = "10000.00"
[[scheme.tier]]
name = "member"
categories = ["member"]
brackets = [{ over = "2000.00", rate = "0.30" }]
"""

YEARLY = """
[[scheme]]
id = "self_pay_assistance"
programme = "self_pay_assistance"
basis = "personal_burden"
measured_on = "remaining"
accumulates = "person_year"
cap_per_year = "3000.00"
floor_per_stay = "1.00"
[[scheme.tier]]
name = "specific"
categories = ["dibao"]
brackets = [{ over = "500.00", rate = "0.333" }, { over = "4000.00", rate = "0.80" }]
[[scheme.tier]]
name = "ordinary"
categories = ["ordinary"]
brackets = [{ over = "0.00", rate = "0.6" }]
"""


def policy_text(name: str, start: str, end: str | None, *schemes: str) -> str:
    """A policy file of these schemes, in force on the days of ``[start, end)``."""
    until = f"effective_to = {end}\n" if end else ""
    head = f'[policy]\nid = "{name}"\nstatus = "sample"\neffective_from = {start}\n{until}year_starts = "01-01"\n'
    return head + "".join(schemes)


POLICY = policy_text("both-layers", "2020-01-01", None, VILLAGE, YEARLY)


def policies(*texts: str) -> Policies:
    return Policies(tuple(parse_policy(text) for text in texts))


def fact(event_type: str, person_id: str = "P1", **fields: Any) -> Json:
    """An event with the four fields of every event."""
    stamped = {"event_type": event_type, "event_id": f"ev-{event_type}", "occurred_at": "2024-12-31T12:00:00+08:00"}
    return {**stamped, "source": "test-sender", "person_id": person_id, **fields}


def discharge(encounter_id: str = "E1", discharged_on: str = "2024-03-10", **fields: Any) -> Json:
    stay: Json = {"encounter_id": encounter_id, "version": 1, "facility_id": "H1", "facility_level": "county"}
    dates: Json = {"admitted_on": "2024-03-01", "discharged_on": discharged_on}
    return fact("encounter.discharged", **{**stay, **dates, "care_type": "inpatient", "diagnoses": ["I10"], **fields})


def bill(
    settlement_id: str = "S1", encounter_id: str = "E1", copay: int = 3000, *, out_of_catalogue: int = 0, **fields: Any
) -> Json:
    """A final bill that balances: ``copay`` and ``out_of_catalogue`` in whole yuan, nothing paid by others."""
    amounts = {**dict.fromkeys(PAID_BY_OTHERS, "0.00"), "copay": f"{copay}.00"}
    amounts |= {"out_of_catalogue": f"{out_of_catalogue}.00", "total_charge": f"{copay + out_of_catalogue}.00"}
    ids: Json = {"settlement_id": settlement_id, "version": 1, "encounter_id": encounter_id, "facility_id": "H1"}
    when: Json = {"settled_at": "2024-03-10T15:00:00+08:00", "final": True, "currency": "CNY"}
    return fact("settlement.posted", **{**ids, **when, **amounts, **fields})


def void(settlement_id: str = "S1", encounter_id: str = "E1", version: int = 2, **fields: Any) -> Json:
    ids: Json = {"settlement_id": settlement_id, "version": version, "encounter_id": encounter_id, "reason": "refund"}
    return fact("settlement.voided", **{**ids, **fields})


def coverage(coverage_id: str = "C1", category: str = "member", **fields: Any) -> Json:
    programme = "village_mutual_aid" if category == "member" else "self_pay_assistance"
    record: Json = {"coverage_id": coverage_id, "version": 1, "programme": programme, "category": category}
    return fact("coverage.recorded", **{**record, "valid_from": "2020-01-01", **fields})


def coverage_void(coverage_id: str = "C1", version: int = 2, **fields: Any) -> Json:
    return fact("coverage.voided", **{"coverage_id": coverage_id, "version": version, "reason": "error", **fields})


def membership(membership_id: str = "M1", household_id: str = "HH1", **fields: Any) -> Json:
    record: Json = {"membership_id": membership_id, "version": 1, "household_id": household_id, "unit": "household"}
    return fact("membership.recorded", **{**record, "valid_from": "2020-01-01", **fields})


def membership_void(membership_id: str = "M1", version: int = 2, **fields: Any) -> Json:
    ids: Json = {"membership_id": membership_id, "version": version, "reason": "error"}
    return fact("membership.voided", **{**ids, **fields})


def aid(aid_id: str = "A1", amount: str = "3000.00", **fields: Any) -> Json:
    """Temporary aid was decided on 10 March 2024."""
    says: Json = {"aid_id": aid_id, "version": 1, "level": "city", "amount": amount, "emergency": False}
    who: Json = {"decided_by": "li.na", "countersigned_by": "wang.wei", "reason": "high bills"}
    return fact("aid.decided", **{**says, "decided_on": "2024-03-10", **who, **fields})


def aid_void(aid_id: str = "A1", version: int = 2, **fields: Any) -> Json:
    return fact("aid.voided", **{"aid_id": aid_id, "version": version, "reason": "error", **fields})


def incident(incident_id: str = "I1", kind: str = "accident", **fields: Any) -> Json:
    """An incident of 10 March 2024."""
    says: Json = {"incident_id": incident_id, "version": 1, "kind": kind, "occurred_on": "2024-03-10"}
    return fact("incident.recorded", **{**says, "recorded_by": "li.na", "verified_by": "wang.wei", **fields})


def incident_void(incident_id: str = "I1", version: int = 2, **fields: Any) -> Json:
    return fact("incident.voided", **{"incident_id": incident_id, "version": version, "reason": "error", **fields})


def death(died_on: str = "2024-03-05", **fields: Any) -> Json:
    return fact("person.died", **{"version": 1, "died_on": died_on, **fields})


def report(payout_id: str = "PO-1", **fields: Any) -> Json:
    when: Json = {"reported_at": "2024-04-01T10:00:00+08:00", "reference": "bank-1"}
    return fact("payout.reported", **{"payout_id": payout_id, "status": "paid", **when, **fields})


def answer(statement_id: str = "ST-1", insurer: str = "insurer-a", **fields: Any) -> Json:
    """An insurer confirms a statement; with ``lines`` and ``reasons`` it disputes it."""
    said = "disputed" if fields.get("reasons") else "confirmed"
    event = fact("statement.answered", **{"statement_id": statement_id, "version": 1, "verdict": said, **fields})
    del event["person_id"]
    return {**event, "insurer_id": insurer}


def _of_pool(event_type: str, pool_id: str, **fields: Any) -> Json:
    event = fact(event_type, **fields)
    del event["person_id"]
    return {**event, "pool_id": pool_id}


def pool(pool_id: str = "V1", on_shortage: str = "queue", version: int = 1, **fields: Any) -> Json:
    """A village's pool is recorded."""
    says: Json = {"version": version, "title": "Lihu village", "on_shortage": on_shortage, "opened_on": "2020-01-01"}
    return _of_pool("pool.recorded", pool_id, **{**says, **fields})


def contribution(contribution_id: str = "G1", pool_id: str = "V1", yuan: int = 1000, **fields: Any) -> Json:
    """A pool receives money, in whole yuan."""
    says: Json = {"contribution_id": contribution_id, "version": 1, "kind": "villager", "amount": f"{yuan}.00"}
    return _of_pool(
        "contribution.received", pool_id, **{**says, "received_on": "2024-01-02", "reference": "bank-1", **fields}
    )


def contribution_void(contribution_id: str = "G1", pool_id: str = "V1", version: int = 2, **fields: Any) -> Json:
    return _of_pool(
        "contribution.voided",
        pool_id,
        contribution_id=contribution_id,
        version=version,
        reason="booked twice",
        **fields,
    )


def owner_of(event: Json) -> str:
    """What is the key of an event's message: the person's id, of an answer the insurer's, of money the pool's."""
    return str(event[TOPIC_OF_EVENT[event["event_type"]].key])


def in_days(days: float) -> str:
    """The instant that lies so many days from now, as a sender's clock writes it that is that far ahead."""
    return format_instant(datetime.now(UTC) + timedelta(days=days))


def encode(event: Json) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode("utf-8")


def delivery(event: Json | bytes, offset: int = 0, shard: int | None = None) -> Delivery:
    """The message as a well-behaved sender would have it stand in Kafka; bytes go to the expenses without a key."""
    if isinstance(event, bytes):
        return Delivery(EXPENSES.name, shard or 0, offset, None, event)
    owner = owner_of(event)
    partition = shard_of(owner, SHARDS) if shard is None else shard
    topic = TOPIC_OF_EVENT[event["event_type"]].name
    return Delivery(topic, partition, offset, owner.encode("utf-8"), encode(event))


@dataclass(slots=True)
class EmptyLedger(World):
    """A world that begins with nothing, and the ends of its shards' sequences."""

    shards: dict[int, ShardState] = field(default_factory=lambda: {n: ShardState(n) for n in range(SHARDS)})

    def batch(self, recorded_at: datetime = RECORDED_AT) -> Processor:
        """The next batch on this world."""
        return Processor(self, Journal(self.shards, recorded_at))


def empty_world(published: Policies, shards: int = SHARDS) -> EmptyLedger:
    ends = {shard: ShardState(shard) for shard in range(shards)}
    return EmptyLedger(published, lambda person_id: shard_of(person_id, shards), shards=ends)


def take(world: EmptyLedger, deliveries: Iterable[Delivery], recorded_at: datetime = RECORDED_AT) -> Outcome:
    """What one batch adds."""
    processor = world.batch(recorded_at)
    for each in deliveries:
        take_message(processor, each, read_message(each))
    return processor.outcome


def process(events: Sequence[Json | bytes], published: Policies) -> Outcome:
    """What these events give, in one batch, to an empty ledger."""
    return take(empty_world(published), [delivery(event, offset) for offset, event in enumerate(events)])


def reading(event: Json) -> Reading:
    """The event as read; it must be readable."""
    outcome = read(encode(event))
    assert isinstance(outcome, Reading), outcome
    return outcome


def values(rows: Iterable[Any]) -> list[Json]:
    """The JSON of published rows."""
    return [json.loads(row.value) for row in rows]
