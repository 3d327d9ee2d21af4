"""The step of a pool: what its money covers is released, and who has to wait is told (groups.md, sections 1 and 3).

A numbered event of the pool's shard. Its bytes say what is released and told, so a replay of the ledger does the same
(law 7), and its audit entry how many that are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from handlers.audit.journal import ACTOR
from handlers.claims import pool_alerts
from handlers.claims.process import Processor
from handlers.claims.settle import Due, in_order, release
from handlers.pools.pool_money import PoolMoney
from handlers.pools.shortage import releases
from handlers.words import pool_sentences
from schemas.canonical import canonical_json, derived_id
from schemas.facts import OnShortage
from schemas.ids import ClaimId
from schemas.money import format_yuan
from schemas.outbound import AlertCode, AuditKind
from schemas.pool_records import PoolStep, WaitingBenefit
from schemas.records import BenefitRow, DecisionRow
from schemas.topics import DECISIONS


@dataclass(slots=True)
class Pool:
    """A pool as its step finds it; ``on_shortage`` is None if nobody recorded it.

    ``queue`` are the first of those who wait, in canonical order, and ``untold`` those who wait, or do no longer, and
    of whom the last decision does not say so, with their position. ``waiting`` fen wait in all. ``alerts`` were raised.
    """

    pool_id: str
    on_shortage: OnShortage | None
    money: PoolMoney
    queue: Sequence[WaitingBenefit]
    untold: Sequence[tuple[WaitingBenefit, int]]
    waiting: int
    alerts: frozenset[str]


def plan(pool: Pool, reach: Callable[[WaitingBenefit], bool], most: int) -> tuple[PoolStep, bool]:
    """What the step of a pool does now, and whether another one has to go on.

    It pays, and tells, those within ``reach``, of whom the transaction holds the shards; it knows the first ``most`` of
    the queue. Nobody is told to wait while somebody else may still be paid: the money may cover both. The money counts
    what is released afterwards.
    """
    queue, out = within_reach(pool, reach)
    released = releases(pool.on_shortage, pool.money, queue)
    more = len(released) >= most or (len(released) == len(queue) and _pays(pool, out[:1]))
    paid = {(each.claim_id, each.scheme_id): each.amount for each in released}
    places = {(each.claim_id, each.scheme_id): place for each, place in pool.untold}
    told = list[tuple[str, str, int, int | None]]()
    for each in dict.fromkeys((*queue, *(untold for untold, _ in pool.untold if reach(untold)))):
        key = (each.claim_id, each.scheme_id)
        waiting = each.waiting - paid.get(key, 0)
        if waiting != each.told and (key in paid or (key in places and not (more and each.open))):
            queued = pool.on_shortage is OnShortage.QUEUE and key not in paid and each.open and waiting
            told.append((*key, waiting, places[key] - len(released) if queued else None))
    unfinished = more or len(pool.untold) >= most or any(not reach(each) for each, _ in pool.untold)
    alerts = dict[str, int]()
    left = pool.waiting - sum(paid.values())
    if pool.money.balance < 0:
        alerts[AlertCode.POOL_OVERDRAWN] = -pool.money.balance
    if pool.on_shortage is None and left > 0:
        alerts[AlertCode.NO_POOL] = left
    raised = [(code, amount) for code, amount in sorted(alerts.items()) if code not in pool.alerts]
    withdrawn = sorted(pool.alerts - alerts.keys())
    return PoolStep(pool.pool_id, [(*each,) for each in released], told, raised, withdrawn), unfinished


def does_something(step: PoolStep) -> bool:
    """Whether the step would change anything but sums."""
    return bool(step.released or step.told or step.raised or step.withdrawn)


def take_step(processor: Processor, step: PoolStep, on_shortage: OnShortage | None) -> None:
    """Does a pool's step as one event. The world holds the persons, claims and decisions that it names."""
    value, journal = canonical_json({**step._asdict(), "on_shortage": on_shortage}), processor.journal
    shard = processor.world.shard_of(step.pool_id)
    number = journal.step(shard, value)
    subject = {"released": str(len(step.released)), "told": str(len(step.told))}
    journal.audit(shard, number, AuditKind.GROUP_RECOMPUTED, ACTOR, subject, value)
    seq, now = journal.shards[shard].audit_seq, journal.recorded_at
    for code, fen in step.raised:
        journal.alert(shard, number, pool_alerts.raised(AlertCode(code), step.pool_id, fen, seq, now))
    for code in step.withdrawn:
        journal.alert(shard, number, pool_alerts.withdrawn(AlertCode(code), step.pool_id, seq, now))
    carry_out(processor, step, on_shortage, number)


def carry_out(processor: Processor, step: PoolStep, on_shortage: OnShortage | None, number: int) -> None:
    """Instructs what a step releases, and revises the decisions that it changes, because of event ``number``."""
    world, dues = processor.world, list[Due]()
    for claim_id, scheme_id, amount in step.released:
        claim = world.claims[ClaimId(claim_id)]
        account = world.accounts[claim.person_id]
        found = release(
            account.claim(claim.claim_id),
            world.benefits[claim.claim_id][scheme_id],
            amount,
            world.facilities.get(claim.claim_id, {}),
            world.treaties,
            world.set_offs.get(claim.person_id, ()),
        )
        processor.keep(claim, found)
        dues += found.dues
    for name in dict.fromkeys(claim_id for claim_id, *_ in step.told):
        positions = {scheme_id: (fen, place) for claim_id, scheme_id, fen, place in step.told if claim_id == name}
        _revise(processor, ClaimId(name), positions, on_shortage, number)
    for due in in_order(dues):
        processor.instruct(world.accounts[world.claims[due.row.claim_id].person_id], due, number)


def step_of(value: bytes) -> tuple[PoolStep, OnShortage | None] | None:
    """The pool's step that the bytes of an event of the ledger say; None if they say another one."""
    document = json.loads(value)
    if "pool_id" not in document:
        return None
    rule = document.pop("on_shortage")
    return PoolStep(**document), None if rule is None else OnShortage(rule)


def _revise(
    processor: Processor,
    claim_id: ClaimId,
    told: dict[str, tuple[int, int | None]],
    on_shortage: OnShortage | None,
    number: int,
) -> None:
    """Publishes the claim's newest decision again, with what waits now."""
    world, journal = processor.world, processor.journal
    benefits = world.benefits[claim_id]
    for scheme_id, (fen, _) in told.items():
        benefits[scheme_id] = benefits[scheme_id]._replace(told=fen)
        processor.outcome.benefits[claim_id, scheme_id] = benefits[scheme_id]
    before = json.loads(world.decided[claim_id])
    said_before = {line["scheme_id"]: line for line in before.pop("waiting", ())}
    row = world.claims[claim_id]
    row = row._replace(revision=row.revision + 1)
    lines = list[dict[str, object]]()
    for benefit in sorted(benefits.values(), key=lambda each: (each.place, each.scheme_id)):
        if benefit.told and benefit.scheme_id in told:
            lines.append(_line(benefit, told[benefit.scheme_id][1], on_shortage))
        elif benefit.told:
            lines.append(said_before[benefit.scheme_id])
    event_id = derived_id("DE", claim_id, row.revision)
    document = {**before, "event_id": event_id, "occurred_at": journal.occurred_at, "revision": row.revision}
    value = canonical_json({**document, "waiting": lines} if lines else document)
    world.claims[claim_id] = processor.outcome.claims[claim_id] = row
    world.decided[claim_id] = value
    processor.outcome.decisions.append(DecisionRow(claim_id, row.revision, number, value))
    journal.send(row.shard, DECISIONS.name, row.person_id.encode(), value)
    subject = {"claim_id": claim_id, "revision": str(row.revision), "status": row.status}
    journal.audit(row.shard, number, AuditKind.CLAIM_DECIDED, ACTOR, subject, value)


def _line(benefit: BenefitRow, position: int | None, on_shortage: OnShortage | None) -> dict[str, object]:
    said = pool_sentences.waits_now(on_shortage, position, benefit.told, benefit.left_by_close)
    line: dict[str, object] = {
        "amount": format_yuan(benefit.told),
        "en": said.en,
        "pool_id": benefit.pool_id,
        "scheme_id": benefit.scheme_id,
        "zh": said.zh,
    }
    return line if position is None else {**line, "position": position}


def within_reach(
    pool: Pool, reach: Callable[[WaitingBenefit], bool]
) -> tuple[list[WaitingBenefit], list[WaitingBenefit]]:
    """Whom of its queue a pool's step can pay, and whom it leaves to another one, as they are out of reach.

    In a queue nobody is overtaken: it ends at the first who is out of reach.
    """
    queue, out = list[WaitingBenefit](), list[WaitingBenefit]()
    for each in pool.queue:
        if not reach(each):
            out.append(each)
        elif not out or pool.on_shortage is not OnShortage.QUEUE:
            queue.append(each)
    return queue, out


def _pays(pool: Pool, waiting: Sequence[WaitingBenefit]) -> bool:
    """Whether a pool's money would pay those who wait."""
    return bool(releases(pool.on_shortage, PoolMoney(pool.money.received, {**pool.money.released}), waiting))


def waiting_in(pool: Pool) -> list[WaitingBenefit]:
    """Everybody whom the pool's step may pay, or tell that they wait."""
    return [*pool.queue, *(each for each, _ in pool.untold)]
