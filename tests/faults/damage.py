"""Damage done on purpose to the evidence of a sound run: each must be seen, or the oracle is worth nothing."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from json import dumps, loads
from typing import Any

from tests.faults import damage_of_pools
from tests.faults.books import Books
from tests.faults.evidence import INSURERS, STATEMENTS, Evidence
from tests.faults.kcat import Message

Damage = Callable[[Evidence], tuple[Evidence, str]]
"""A damaged copy, and the name of the check that has to see it."""

ONCE = "instructions are sent once, in order"
TAKEN = "acknowledged events are in the ledger, once"
STANDS = "the ledger holds what the inbound topics hold"
PARTS = "each payee is instructed its part"
ORDERS = "payouts.instructions"
OWN = f"{INSURERS}insurer-a"


def instruction_sent_twice(evidence: Evidence) -> tuple[Evidence, str]:
    return _topic(evidence, ORDERS, lambda sent: [*sent, sent[0]]), ONCE


def instruction_never_sent(evidence: Evidence) -> tuple[Evidence, str]:
    return _topic(evidence, ORDERS, lambda sent: sent[1:]), ONCE


def revisions_out_of_order(evidence: Evidence) -> tuple[Evidence, str]:
    return _topic(evidence, ORDERS, lambda sent: sent[::-1]), ONCE


def instruction_twice_in_the_ledger(evidence: Evidence) -> tuple[Evidence, str]:
    rows = evidence.books.instructions
    return _books(evidence, instructions=[*rows, rows[0]]), ONCE


def a_fen_too_much_in_the_topic(evidence: Evidence) -> tuple[Evidence, str]:
    return _topic(evidence, ORDERS, lambda sent: [_a_fen_more(sent[0]), *sent[1:]]), "instructions pay what is due"


def a_fen_too_much_in_the_ledger(evidence: Evidence) -> tuple[Evidence, str]:
    first, *rest = evidence.books.instructions
    damaged = [first._replace(amount=first.amount + 1), *rest]
    return _books(evidence, instructions=damaged), "instructions pay what is due"


def a_hospitals_money_to_the_person(evidence: Evidence) -> tuple[Evidence, str]:
    """Their sum is still right."""
    sent = evidence.topics[ORDERS]
    at = next(index for index, message in enumerate(sent) if "payee_id" in loads(message.value or b""))
    order = loads(sent[at].value or b"")
    del order["payee_id"]
    changed = sent[at]._replace(value=dumps(order | {"payee": "person"}).encode())
    return _topic(evidence, ORDERS, lambda sent: [*sent[:at], changed, *sent[at + 1 :]]), PARTS


def an_insurers_instruction_sent_twice(evidence: Evidence) -> tuple[Evidence, str]:
    return _topic(evidence, OWN, lambda sent: [*sent, sent[0]]), "insurers read what they pay"


def an_insurers_instruction_never_sent(evidence: Evidence) -> tuple[Evidence, str]:
    return _topic(evidence, OWN, lambda sent: sent[:-1]), "insurers read what they pay"


def a_statement_never_sent(evidence: Evidence) -> tuple[Evidence, str]:
    own = f"{STATEMENTS}insurer-a"
    return _topic(evidence, own, lambda sent: sent[:-1]), "insurers read their statements"


def books_that_nobody_posted(evidence: Evidence) -> tuple[Evidence, str]:
    law = "the books are the oracle's"
    damaged = [(name, expected, {} if name == law else found) for name, expected, found in evidence.clearing]
    return replace(evidence, clearing=damaged), "statements and books are as the oracles say"


def acknowledged_event_gone(evidence: Evidence) -> tuple[Evidence, str]:
    return _books(evidence, events=_without_an_acknowledged_event(evidence)), TAKEN


def event_taken_twice(evidence: Evidence) -> tuple[Evidence, str]:
    return _books(evidence, events=[*evidence.books.events, evidence.came_in[0]]), TAKEN


def other_bytes_than_acknowledged(evidence: Evidence) -> tuple[Evidence, str]:
    gone = _without_an_acknowledged_event(evidence)
    (event,) = set(evidence.books.events) - set(gone)
    return _books(evidence, events=[*gone, event._replace(value=b"{}")]), TAKEN


def aborted_message_taken(evidence: Evidence) -> tuple[Evidence, str]:
    event = evidence.came_in[0]
    return _books(evidence, events=[*evidence.books.events, event._replace(offset=10**9)]), STANDS


def standing_message_not_taken(evidence: Evidence) -> tuple[Evidence, str]:
    return _topic(evidence, "hospital.expenses", lambda sent: [*sent, Message(0, 10**9, None, b"{}")]), STANDS


def ledger_behind_the_topic(evidence: Evidence) -> tuple[Evidence, str]:
    place = max(evidence.books.offsets, key=lambda place: evidence.books.offsets[place])
    offsets = evidence.books.offsets | {place: evidence.books.offsets[place] - 1}
    return _books(evidence, offsets=offsets), "every offset up to the end is accounted for"


def accepted_event_refused(evidence: Evidence) -> tuple[Evidence, str]:
    first, *rest = evidence.came_in
    damaged = [first._replace(disposition="refused", code="NEGATIVE_AMOUNT"), *rest]
    return _books(evidence, events=damaged), "each event has one fate, and the right one"


def event_without_audit(evidence: Evidence) -> tuple[Evidence, str]:
    entries = evidence.books.audit
    gone = next(each for each in entries if each.kind == "event.accepted")
    return _books(evidence, audit=[each for each in entries if each is not gone]), "every event has its audit entry"


def audit_entry_gone(evidence: Evidence) -> tuple[Evidence, str]:
    return _books(evidence, audit=evidence.books.audit[1:]), "the audit chain is whole"


def audit_entry_changed(evidence: Evidence) -> tuple[Evidence, str]:
    first, *rest = evidence.books.audit
    changed = first._replace(value=first.value.replace(b'"actor":"', b'"actor":"x'))
    return _books(evidence, audit=[changed, *rest]), "the audit chain is whole"


def claim_decided_wrongly(evidence: Evidence) -> tuple[Evidence, str]:
    (claim, person, status, burden, benefit), *rest = evidence.books.claims
    damaged = [(claim, person, status, burden, benefit + 1), *rest]
    return _books(evidence, claims=damaged), "claims are as the calculator says"


def a_group_not_decided(evidence: Evidence) -> tuple[Evidence, str]:
    return _books(evidence, undecided=1), "nobody waits for a group step"


def a_household_over_its_cap(evidence: Evidence) -> tuple[Evidence, str]:
    """A scheme pays one of its members as much again as its year's cap, and more."""
    at, member = next((at, row) for at, row in enumerate(evidence.books.paid) if row.unit.startswith("household "))
    paid = list(evidence.books.paid)
    paid[at] = member._replace(benefit=member.benefit + 10**8)
    return _books(evidence, paid=paid), "caps of households hold"


def group_step_without_audit(evidence: Evidence) -> tuple[Evidence, str]:
    entries = evidence.books.audit
    gone = next(each for each in entries if each.kind == "group.recomputed")
    return _books(evidence, audit=[each for each in entries if each is not gone]), "every event has its audit entry"


def decision_never_sent(evidence: Evidence) -> tuple[Evidence, str]:
    return _topic(evidence, "claims.decisions", lambda sent: sent[1:]), "decisions are sent once, in order"


def refusal_sent_twice(evidence: Evidence) -> tuple[Evidence, str]:
    return _topic(evidence, "claims.deadletter", lambda sent: [*sent, sent[0]]), "refusals are sent once"


def message_from_nowhere(evidence: Evidence) -> tuple[Evidence, str]:
    damaged = _topic(evidence, "alerts", lambda sent: [*sent, Message(0, 10**9, None, b'{"event_id":"x"}')])
    return damaged, "nothing else was sent, and nothing is left to send"


def message_left_to_send(evidence: Evidence) -> tuple[Evidence, str]:
    return _books(evidence, outbox_rows=1), "nothing else was sent, and nothing is left to send"


def open_transaction(evidence: Evidence) -> tuple[Evidence, str]:
    place = (ORDERS, 0)
    uncommitted = evidence.ends_uncommitted | {place: evidence.ends_uncommitted[place] + 1}
    return replace(evidence, ends_uncommitted=uncommitted), "no transaction hangs"


ALL: tuple[Damage, ...] = (
    instruction_sent_twice,
    instruction_never_sent,
    revisions_out_of_order,
    instruction_twice_in_the_ledger,
    a_fen_too_much_in_the_topic,
    a_fen_too_much_in_the_ledger,
    a_hospitals_money_to_the_person,
    an_insurers_instruction_sent_twice,
    an_insurers_instruction_never_sent,
    a_statement_never_sent,
    books_that_nobody_posted,
    acknowledged_event_gone,
    event_taken_twice,
    other_bytes_than_acknowledged,
    aborted_message_taken,
    standing_message_not_taken,
    ledger_behind_the_topic,
    accepted_event_refused,
    event_without_audit,
    audit_entry_gone,
    audit_entry_changed,
    claim_decided_wrongly,
    a_group_not_decided,
    a_household_over_its_cap,
    group_step_without_audit,
    decision_never_sent,
    refusal_sent_twice,
    message_from_nowhere,
    message_left_to_send,
    open_transaction,
    *damage_of_pools.ALL,
)


def unreadable_instruction(evidence: Evidence) -> Evidence:
    """A message that is no JSON."""
    return _topic(evidence, ORDERS, lambda sent: [*sent, Message(0, 10**9, None, b"{")])


def unanswered_event(evidence: Evidence) -> Evidence:
    """An event that was posted, and neither acknowledged nor given up."""
    first = copy(evidence.journals[0])
    first.posted = first.posted | {10**9: "0" * 64}
    return replace(evidence, journals=[first, *evidence.journals[1:]])


def _topic(evidence: Evidence, name: str, change: Callable[[list[Message]], list[Message]]) -> Evidence:
    return replace(evidence, topics=evidence.topics | {name: change(evidence.topics[name])})


def _books(evidence: Evidence, **changed: Any) -> Evidence:
    books: Books = replace(evidence.books, **changed)
    return replace(evidence, books=books)


def _without_an_acknowledged_event(evidence: Evidence) -> list[Any]:
    place = min(evidence.journals[0].by_place)
    return [each for each in evidence.books.events if (each.topic, each.partition, each.offset) != place]


def _a_fen_more(message: Message) -> Message:
    order = loads(message.value or b"")
    yuan, fen = order["amount"].split(".")
    total = int(yuan) * 100 + int(fen) + 1
    return message._replace(value=dumps(order | {"amount": f"{total // 100}.{total % 100:02d}"}).encode())
