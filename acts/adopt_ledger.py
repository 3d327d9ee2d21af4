"""Making a ledger that was restored, or another one, the topics' ledger: what they hold decides what is sent again.

Payout ids follow from claim, scheme and revision, so a ledger that decides again what was lost gives it the same ids.
What the topics hold of these is remembered, and the relay leaves it out: no insurer reads a payout twice. So that they
get the same amounts too, workers take in what was lost in the order of before (`stream.inbound.former_order`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from acts.reader import Reader, messages
from acts.record_operator_acts import record_operator_acts
from infra.clock import Clock
from infra.ledger import adopted_shards, outbox_rows, reads, treaty_rows
from infra.ledger.identity import Identity, renew
from schemas.access.console_rights import ConsoleAct
from schemas.outbound import AuditKind
from schemas.topics import INSTRUCTIONS, OUTBOUND
from schemas.treaty.treaty_model import FUND


class Survey(NamedTuple):
    """What a shard's topics hold, and what its ledger would send.

    ``topics_seq`` is the number of the last message sent, ``sent`` and ``written`` are what the ledger knows as sent
    and has numbered. Of its ``waiting`` messages ``left_out`` are in the topics. ``payouts_waiting`` and
    ``payouts_left_out`` count the instructions among these. ``payouts_ahead`` are payouts in the topics that the ledger
    does not have: it will decide them again, and not send them. ``differing`` payouts are in the topics with other
    money or another payer than in the ledger. ``treaties_missing`` are named in the topics and not published in the
    ledger.
    """

    shard: int
    topics_seq: int
    sent: int
    written: int
    waiting: int
    left_out: int
    payouts_waiting: int
    payouts_left_out: int
    payouts_ahead: int
    differing: tuple[str, ...]
    treaties_missing: tuple[str, ...]

    @property
    def to_send(self) -> int:
        return self.waiting - self.left_out

    @property
    def payouts_to_send(self) -> int:
        return self.payouts_waiting - self.payouts_left_out


class Surveyed(NamedTuple):
    """A survey, and the marks of what the relay has to leave out."""

    survey: Survey
    marks: dict[str, bytes | None]


def mark_of(topic: str, key: bytes | None, value: bytes) -> str:
    """What makes a message the same: of an instruction its payout's id, of any other every byte."""
    if topic == INSTRUCTIONS.name:
        return str(json.loads(value)["payout_id"])
    return outbox_rows.message_hash(topic, key, value).hex()


def money_of(instruction: bytes) -> tuple[Any, ...]:
    """What an insurer does because of an instruction."""
    told = json.loads(instruction)
    names = ("person_id", "kind", "amount", "payee", "payee_id", "treaty_id", "pool_id", "reissue_of", "reversal_of")
    return (*(told.get(name) for name in names), told.get("payer", FUND))


def survey(connection: Connection, reader: Reader, shard: int, topics_seq: int) -> Surveyed:
    """Compares the outbound topics of a shard with the ledger. Raises KafkaException."""
    sent = outbox_rows.last_sent(connection, shard)
    rows = {
        mark_of(row.topic, row.key, row.value): row for row in outbox_rows.waiting_after(connection, shard, sent.seq)
    }
    marks: dict[str, bytes | None] = {}
    ahead, differing, treaties = 0, [], set[str]()
    for topic in OUTBOUND:
        if topic is not INSTRUCTIONS and not any(row.topic == topic.name for row in rows.values()):
            continue
        for deliveries in messages(reader, topic.name, shard):
            found = {mark_of(topic.name, each.key, each.value or b""): each.value or b"" for each in deliveries}
            marks |= {mark: None for mark in found if mark in rows}
            if topic is INSTRUCTIONS:
                kept = {row.payout_id for row in reads.instructions(connection, list(found))}
                ahead += len(found.keys() - kept)
                treaties |= {json.loads(value)["treaty_id"] for value in found.values() if b'"treaty_id":' in value}
                marks |= {mark: value for mark, value in found.items() if mark in rows or mark not in kept}
                pairs = ((mark, rows[mark]) for mark in found if mark in rows)
                differing += [mark for mark, row in pairs if money_of(row.value) != money_of(found[mark])]
    counted = Survey(
        shard=shard,
        topics_seq=topics_seq,
        sent=sent.seq,
        written=outbox_rows.last_written(connection, shard),
        waiting=len(rows),
        left_out=len(marks.keys() & rows.keys()),
        payouts_waiting=sum(row.topic == INSTRUCTIONS.name for row in rows.values()),
        payouts_left_out=sum(rows[mark].topic == INSTRUCTIONS.name for mark in marks.keys() & rows.keys()),
        payouts_ahead=ahead,
        differing=tuple(sorted(differing)),
        treaties_missing=tuple(sorted(treaties - treaty_rows.ids(connection))),
    )
    return Surveyed(counted, marks)


def adopt_ledger(
    connection: Connection, surveyed: Sequence[Surveyed], operator: str, reason: str, now: Clock
) -> tuple[Identity, dict[int, outbox_rows.Sent]]:
    """Gives the ledger a new id, remembers what is not to be sent again, and leaves an audit entry.

    Returns the identity, and where each shard's cursor in Kafka has to stand.
    """
    mine = renew(connection)
    adopted_shards.mark(connection, [each.shard for each, _ in surveyed])
    subject = {"ledger": mine.id, "reason": reason}
    for each, marks in surveyed:
        outbox_rows.remember_sent_before(connection, each.shard, marks)
        told = each._asdict() | {"differing": len(each.differing), "treaties_missing": ",".join(each.treaties_missing)}
        subject[f"shard.{each.shard}"] = " ".join(f"{name}={told[name]}" for name in each._fields[1:])
    record_operator_acts(connection, now, [ConsoleAct(AuditKind.LEDGER_ADOPTED.value, operator, subject)])
    return mine, {each.shard: outbox_rows.last_sent(connection, each.shard) for each, _ in surveyed}
