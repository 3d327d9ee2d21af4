"""What must be true when all is idle, looked up with plain SQL and in the topics, and worked out a second time.

Nothing here uses the product's code: the expected money comes from `tests.oracle.calculator`, the hashes from hashlib.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter, defaultdict
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from tests.oracle.calculator import Ledger, RefusalError, adjudicate, instant_of, read_event
from tests.oracle.payees import owed_to
from tests.oracle.treaties import Change, Order, orders, payer_of
from tests.simulation.group_laws import nobody_waits, recoveries_come_first
from tests.simulation.pool_laws import pools_are_at_rest, waiting_by_rows
from tests.simulation.witness import OUTBOUND, Evidence, expect
from tests.support.clearing_laws import books_are_the_oracles, statements_are_the_oracles

INBOUND = (
    *("hospital.discharges", "hospital.expenses", "registry.coverages", "registry.persons", "payouts.results"),
    *("insurance.answers", "registry.households", "funds.movements", "calendar.days"),
)
HOME = dict(zip(("encounter", "settlement", "coverage", "person", "payout"), INBOUND, strict=False))
HOME["membership"] = INBOUND[6]
HOME["pool"] = HOME["contribution"] = INBOUND[7]
PRINTED = (
    *("claim_id", "person_id", "status", "policy_id", "personal_burden", "benefits", "total_benefit", "patient_pays"),
)


def check(evidence: Evidence) -> None:
    """Raises Broken for the first law that does not hold."""
    everything_is_accounted_for(evidence)
    nothing_is_waiting(evidence)
    each_instruction_once(evidence)
    topics_are_the_outbox(evidence)
    audit_chains_verify(evidence)
    recoveries_come_first(evidence)
    decisions_and_money_are_the_oracles(evidence)
    payers_are_the_oracles(evidence)
    insurers_read_what_they_pay(evidence)
    for compared in statements_are_the_oracles(evidence.rows, evidence.values("insurance.statements")):
        expect(*compared)
    for compared in books_are_the_oracles(evidence.rows):
        expect(*compared)


def everything_is_accounted_for(evidence: Evidence) -> None:
    """Acknowledged = decided + waiting + refused: each message exactly once in the ledger, each offset passed."""
    posted = {
        (*place, offset): (stored.key, stored.value)
        for place in _inbound(evidence)
        for offset, stored in evidence.kafka.committed(place)
    }
    rows = evidence.rows('SELECT topic, partition, "offset", key, value FROM events WHERE "offset" IS NOT NULL')
    held = Counter(row[:3] for row in rows)
    expect("each message once in the ledger", Counter(posted.keys()), held)
    expect("the ledger holds the bytes that were posted", posted, {row[:3]: row[3:] for row in rows})
    reached = {row[:2]: row[2] for row in evidence.rows("SELECT topic, partition, next_offset FROM offsets")}
    ends = {place: len(evidence.kafka.logs[place]) for place in _inbound(evidence) if evidence.kafka.logs[place]}
    expect("each offset passed", ends, reached)
    refused = evidence.rows(
        'SELECT topic, partition, "offset", code FROM events JOIN refusals USING (event_no) ORDER BY 1, 2, 3'
    )
    letters = [(v["topic"], v["partition"], v["offset"], v["code"]) for v in evidence.values("claims.deadletter")]
    expect("each refusal in the dead letters once", refused, sorted(letters))


def nothing_is_waiting(evidence: Evidence) -> None:
    """Nothing is left to decide or to send, and no transaction is left open."""
    nobody_waits(evidence)
    pools_are_at_rest(evidence)
    for table in ("outbox", "outbox_batches"):
        expect("outbox empty", [(0,)], evidence.rows(f"SELECT count(*) FROM {table}"))
    behind = "SELECT shard, outbox_seq, relayed_seq FROM shards JOIN relays USING (shard) WHERE outbox_seq<>relayed_seq"
    expect("ledger knows all as sent", [], evidence.rows(behind))
    left = evidence.rows(
        "SELECT pid, state FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
    )
    expect("no open transaction", [], left)


def each_instruction_once(evidence: Evidence) -> None:
    """No payout twice, revisions 1..n in the topic's order; the same for decisions."""
    told = evidence.values("payouts.instructions")
    doubled = [name for name, times in Counter(each["payout_id"] for each in told).items() if times > 1]
    expect("no payout_id twice in the topic", [], doubled)
    twice = evidence.rows("SELECT payout_id FROM instructions GROUP BY 1 HAVING count(*) > 1")
    expect("no payout_id twice in the ledger", [], twice)
    _numbered(
        "instructions' revisions", told, lambda each: (each["claim_id"], each["scheme_id"], each.get("payee_id", ""))
    )
    _numbered("decisions' revisions", evidence.values("claims.decisions"), lambda each: each["claim_id"])
    in_ledger = {row[0] for row in evidence.rows("SELECT payout_id FROM instructions")}
    expect("the topic's payouts are the ledger's", in_ledger, {each["payout_id"] for each in told})


def topics_are_the_outbox(evidence: Evidence) -> None:
    """Each shard's messages were sent in the order of its outbox, without gaps."""
    for shard in range(evidence.shards):
        arrived = [
            (stored.number, topic, stored.key, stored.value)
            for topic in OUTBOUND
            for _, stored in evidence.kafka.committed((topic, shard))
        ]
        rows = evidence.rows(f"SELECT seq, topic, key, value FROM outbox_as_written WHERE shard = {shard} ORDER BY seq")
        expect("outbox numbers without gaps", list(range(1, len(rows) + 1)), [row[0] for row in rows])
        expect("sent in the outbox's order", [row[1:] for row in rows], [message[1:] for message in sorted(arrived)])


def audit_chains_verify(evidence: Evidence) -> None:
    """Each shard's audit sequence has no gaps, and every hash is that of the entry and the one before."""
    for shard in range(evidence.shards):
        last = "0" * 64
        for number, (_, value) in enumerate(evidence.topics["audit.events", shard], start=1):
            entry = json.loads(value)
            said = entry.pop("hash")
            expect("audit sequence without gaps", (shard, number), (entry["shard"], entry["seq"]))
            expect("audit chain", last, entry["prev_hash"])
            plain = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            expect("audit hash", sha256(plain.encode()).hexdigest(), said)
            last = said
    acts = "SELECT (SELECT count(*) FROM events)+(SELECT count(*) FROM decisions)+(SELECT count(*) FROM instructions)"
    told = evidence.rows(acts)[0][0] + len(evidence.values("alerts"))
    expect("one audit entry for each act and alert", told, len(evidence.values("audit.events")))


def decisions_and_money_are_the_oracles(evidence: Evidence) -> None:
    """Dispositions, last decisions and net sums are those of the oracle, fed in the ledger's order."""
    policies = [row[0] for row in evidence.rows("SELECT source_text FROM policies")]
    book, accepted = Ledger(), []
    for event_no, topic, key, value, taken_in, disposition in evidence.rows(
        "SELECT event_no, topic, key, value, recorded_at, disposition FROM events "
        "WHERE disposition NOT IN ('policy', 'treaty', 'statement', 'closing', 'group') ORDER BY event_no"
    ):
        expected = _expected(book, topic, key, value or b"", taken_in)
        expect("disposition as the oracle's", (event_no, expected), (event_no, disposition))
        if expected == "accepted":
            accepted.append(value)
    claims, _ = adjudicate(policies, accepted)
    newest = {each["claim_id"]: each for each in evidence.values("claims.decisions")}
    decided = [{name: newest[claim][name] for name in PRINTED} for claim in sorted(newest)]
    for found in decided:
        found["benefits"] = [{k: v for k, v in line.items() if k != "pool_id"} for line in found["benefits"]]
    for wanted, found in zip(claims, decided, strict=False):
        expect("last decision is the oracle's", wanted, found)
    expect("every claim decided", len(claims), len(decided))
    due = {
        (str(claim["claim_id"]), line["scheme_id"]): Decimal(line["benefit"])
        for claim in claims
        for line in claim["benefits"]  # type: ignore[attr-defined]
        if Decimal(line["benefit"])
    }
    net: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    lines: Counter[tuple[str, str, str]] = Counter()
    for each in evidence.values("payouts.instructions"):
        sign = {"payment": 1, "recovery": -1}[each["kind"]]
        net[each["claim_id"], each["scheme_id"]] += sign * Decimal(each["amount"])
        line = (each["claim_id"], each["scheme_id"], each.get("payee_id", ""))
        lines[line] += sign * int(Decimal(each["amount"]) * 100)
    waits = {
        (claim_id, line["scheme_id"]): Decimal(line["amount"])
        for claim_id, told in newest.items()
        for line in told.get("waiting", ())
    }
    expect("who waits is told so", waiting_by_rows(evidence), waits)
    released = {place: amount for place, amount in net.items() if amount}
    due = {place: amount - waits.get(place, 0) for place, amount in due.items() if amount != waits.get(place, 0)}
    expect("net instructed is what is due and does not wait", due, released)
    owed = owed_to([json.loads(value) for value in accepted], claims)
    owed = {line: amount for line, amount in owed.items() if line[:2] not in waits}
    told_to = {line: amount for line, amount in lines.items() if amount and line[:2] not in waits}
    expect("each payee is instructed its part", owed, told_to)


def payers_are_the_oracles(evidence: Evidence) -> None:
    """Who pays is in force for a day of the claim, and was then; who takes back is who had paid, the newest first."""
    published = evidence.rows("SELECT event_no, source_text FROM treaties ORDER BY event_no")
    days: dict[str, set[date]] = defaultdict(set)
    for (value,) in evidence.rows("SELECT value FROM events WHERE disposition = 'accepted'"):
        told = json.loads(value)
        if told["event_type"] == "encounter.discharged":
            days[told["encounter_id"]].add(date.fromisoformat(told["discharged_on"]))
    lines: dict[tuple[str, str, str], list[Order]] = defaultdict(list)
    for claim, scheme, payee, event_no, kind, amount, payer, treaty_id in evidence.rows(
        "SELECT claim_id, scheme_id, payee_id, event_no, kind, amount, payer, treaty_id FROM instructions "
        "WHERE reissue_of IS NULL AND reversal_of IS NULL AND (claim_id, scheme_id) NOT IN "
        "(SELECT claim_id, scheme_id FROM instructions WHERE pool_id IS NOT NULL) ORDER BY event_no, revision"
    ):
        lines[claim, scheme, payee].append(Order(kind, amount, payer, treaty_id))
        if kind == "payment":
            known = [tomllib.loads(text) for number, text in published if number < event_no]
            possible = {payer_of(known, scheme, day) for day in days[claim]}
            expect("the payer is in force", (claim, True), (claim, (payer, treaty_id) in possible))
    for line, made in sorted(lines.items()):
        due, changes = 0, list[Change]()
        for order in made:
            due += order.amount if order.kind == "payment" else -order.amount
            changes.append(Change(due, order.payer, order.treaty_id))
        expect("who had paid takes back", (line, orders(changes)), (line, made))


def insurers_read_what_they_pay(evidence: Evidence) -> None:
    """An insurer's topic holds the instructions that it pays, each once and in order, byte for byte."""
    for shard in range(evidence.shards):
        common = evidence.topics["payouts.instructions", shard]
        for insurer in ("insurer-a", "insurer-b"):
            place = (f"payouts.instructions.{insurer}", shard)
            own = [(stored.key, stored.value) for _, stored in evidence.kafka.committed(place)]
            paid = [(key, value) for key, value in common if json.loads(value)["payer"] == insurer]
            expect("an insurer reads what it pays", paid, own)


def _expected(book: Ledger, topic: str, key: bytes | None, value: bytes, taken_in: datetime) -> str:
    """What the oracle makes of one event; it knows neither keys nor topics, so these two rules stand here."""
    try:
        event = read_event(value, instant_of(taken_in.isoformat()))
        if topic != HOME[event.type.split(".")[0]] or key != event.owner.encode():
            return "refused"
        return book.consider(event)
    except (RefusalError, KeyError):
        return "refused"


def _inbound(evidence: Evidence) -> list[tuple[str, int]]:
    return [(topic, shard) for topic in INBOUND for shard in range(evidence.shards)]


def _numbered(law: str, values: list[dict[str, Any]], line: Any) -> None:
    lines: dict[Any, list[int]] = defaultdict(list)
    for value in values:
        lines[line(value)].append(value["revision"])
    for name, revisions in sorted(lines.items()):
        expect(law, (name, list(range(1, len(revisions) + 1))), (name, revisions))
