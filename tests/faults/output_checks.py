"""The promise to an insurer: a read_committed reader sees each message exactly once, in order."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.faults.evidence import CURSORS, INSURERS, OUTBOUND, STATEMENTS, Evidence
from tests.faults.journal import sha256


def instructions_once_in_order(evidence: Evidence) -> Iterator[str]:
    """No instruction twice, in topic or ledger; revisions 1, 2, 3... in the topic's order; topic = ledger, in bytes."""
    seen: Counter[str] = Counter()
    last: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    sent: dict[str, bytes] = {}
    for message in evidence.topics["payouts.instructions"]:
        order = json.loads(message.value or b"")
        seen[order["payout_id"]] += 1
        line = (order["claim_id"], order["scheme_id"], order.get("payee_id", ""))
        if order["revision"] != last[line] + 1:
            yield f"{line}: revision {order['revision']} comes after {last[line]}"
        last[line] = order["revision"]
        sent[order["payout_id"]] = message.value or b""
    yield from (f"{payout_id} was sent {times} times" for payout_id, times in seen.items() if times > 1)
    rows = evidence.books.instructions
    count = Counter(row.payout_id for row in rows)
    yield from (f"{payout_id} is in the ledger {times} times" for payout_id, times in count.items() if times > 1)
    written: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for row in rows:
        place = (row.claim_id, row.scheme_id, row.payee_id)
        if row.revision != written[place] + 1:
            yield f"{row.payout_id}: revision {row.revision} of the ledger does not follow the one before"
        written[place] = row.revision
    yield from _differences("instruction", sent, {row.payout_id: row.value for row in rows})


def insurers_read_what_they_pay(evidence: Evidence) -> Iterator[str]:
    """Each insurer's topic holds the instructions that it pays, as they stand in the common one."""
    for name in evidence.topics:
        if name.startswith(INSURERS):
            lead = name.removeprefix(INSURERS)
            paid = [
                each
                for each in evidence.topics["payouts.instructions"]
                if json.loads(each.value or b"")["payer"] == lead
            ]
            for shard in {each.partition for each in (*paid, *evidence.topics[name])}:
                expected = [(each.key, each.value) for each in paid if each.partition == shard]
                found = [(each.key, each.value) for each in evidence.topics[name] if each.partition == shard]
                if expected != found:
                    yield f"{name}-{shard}: {len(found)} instructions are not the {len(expected)} that {lead} pays"


def insurers_read_their_statements(evidence: Evidence) -> Iterator[str]:
    """Each insurer's topic of statements holds what the common one has under its key."""
    for name in evidence.topics:
        if name.startswith(STATEMENTS):
            key = name.removeprefix(STATEMENTS).encode()
            told = [each for each in evidence.topics["insurance.statements"] if each.key == key]
            found = [(each.partition, each.key, each.value) for each in evidence.topics[name]]
            if [(each.partition, each.key, each.value) for each in told] != found:
                yield f"{name}: {len(found)} messages are not the {len(told)} of this insurer"


def statements_and_books_agree(evidence: Evidence) -> Iterator[str]:
    """Statements and books say what their oracles make of the instructions and reports."""
    for law, expected, found in evidence.clearing:
        if expected != found:
            yield f"{law}: expected {str(expected)[:300]}, found {str(found)[:300]}"


def decisions_once_in_order(evidence: Evidence) -> Iterator[str]:
    """Each revision of each claim's decision stands in the topic once, after the one before, as the ledger has it."""
    last: defaultdict[str, int] = defaultdict(int)
    sent: dict[str, bytes] = {}
    for message in evidence.topics["claims.decisions"]:
        decision = json.loads(message.value or b"")
        claim_id = decision["claim_id"]
        if decision["revision"] != last[claim_id] + 1:
            yield f"claim {claim_id}: revision {decision['revision']} comes after {last[claim_id]}"
        last[claim_id] = decision["revision"]
        sent[f"{claim_id} {decision['revision']}"] = message.value or b""
    held = {f"{claim_id} {revision}": value for claim_id, revision, value in evidence.books.decisions}
    yield from _differences("decision", sent, held)


def audit_is_whole(evidence: Evidence) -> Iterator[str]:
    """Per shard: numbers without gaps from 1, each entry chained to the one before by its hash; topic = ledger."""
    topic: defaultdict[int, list[bytes]] = defaultdict(list)
    for message in evidence.topics["audit.events"]:
        topic[message.partition].append(message.value or b"")
    for shard, (last_seq, last_hash, _) in evidence.books.sequences.items():
        rows = [row for row in evidence.books.audit if row.shard == shard]
        if topic[shard] != [row.value for row in rows]:
            yield f"shard {shard}: {len(topic[shard])} entries in the topic are not the {len(rows)} of the ledger"
        previous = "0" * 64
        for number, row in enumerate(rows, start=1):
            entry: dict[str, Any] = json.loads(row.value)
            claimed = entry.pop("hash")
            spelled = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            if (row.seq, entry["seq"], entry["shard"]) != (number, number, shard):
                yield f"shard {shard}: entry {row.seq} stands at place {number}"
            if entry["prev_hash"] != previous or row.prev_hash not in (None, previous):
                yield f"shard {shard}: entry {row.seq} does not follow the one before"
            if hashlib.sha256(spelled).hexdigest() != claimed or row.hash not in (None, claimed):
                yield f"shard {shard}: entry {row.seq} is not what its hash says"
            previous = claimed
        if (last_seq, last_hash) != (len(rows), previous):
            yield f"shard {shard}: the chain ends at {len(rows)}, its shard says {last_seq}"


def refusals_once(evidence: Evidence) -> Iterator[str]:
    """Each refused event has one dead letter, with its code and the hash of its bytes; no alert stands twice."""
    sent: Counter[tuple[object, ...]] = Counter()
    for message in evidence.topics["claims.deadletter"]:
        letter = json.loads(message.value or b"")
        place = (letter["topic"], letter["partition"], letter["offset"])
        sent[(*place, letter["code"], letter["value_sha256"])] += 1
    refused: Counter[tuple[object, ...]] = Counter(
        (each.topic, each.partition, each.offset, each.code, sha256(each.value))
        for each in evidence.came_in
        if each.disposition == "refused"
    )
    for letter_of in (refused - sent) | (sent - refused):
        yield f"{letter_of[:4]}: {sent[letter_of]} dead letters, expected {refused[letter_of]}"
    alerts = Counter(json.loads(each.value or b"")["event_id"] for each in evidence.topics["alerts"])
    yield from (f"alert {event_id} was raised {times} times" for event_id, times in alerts.items() if times > 1)


def all_is_sent(evidence: Evidence) -> Iterator[str]:
    """Each shard's outbox is empty, and as many messages stand in its topics as were ever numbered."""
    count: Counter[int] = Counter(message.partition for name in OUTBOUND for message in evidence.topics[name])
    count += Counter(each.shard for each in evidence.books.events if each.disposition == "replay")
    cursors = {message.partition: json.loads(message.value or b"")["seq"] for message in evidence.topics[CURSORS]}
    if evidence.books.outbox_rows:
        yield f"{evidence.books.outbox_rows} messages are left in the outbox"
    for shard, (_, _, outbox_seq) in evidence.books.sequences.items():
        if count[shard] != outbox_seq:
            yield f"shard {shard}: {outbox_seq} messages were numbered, {count[shard]} stand in the topics"
        if not cursors.get(shard, 0) == evidence.books.sent.get(shard, 0) == outbox_seq:
            yield f"shard {shard}: numbered {outbox_seq}, cursor {cursors.get(shard)}, {evidence.books.sent.get(shard)}"


def nothing_hangs(evidence: Evidence) -> Iterator[str]:
    """No database transaction is left open, and every partition can be read to its end."""
    yield from evidence.books.hanging
    for place, end in evidence.ends_uncommitted.items():
        if evidence.ends[place] != end:
            yield f"{place} ends at {end}, but can be read only up to {evidence.ends[place]}: a transaction is open"


def _differences(what: str, sent: dict[str, bytes], held: dict[str, bytes]) -> Iterator[str]:
    for name in sorted(sent.keys() | held.keys()):
        if name not in sent:
            yield f"{what} {name} is in the ledger and was never sent"
        elif name not in held:
            yield f"{what} {name} was sent and is not in the ledger"
        elif sent[name] != held[name]:
            yield f"{what} {name} was sent with other bytes than the ledger has"
