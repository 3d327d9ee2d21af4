"""Settling a recovery that nobody collects: set off against the person's next payments (抵扣), or waived (核销)."""

from __future__ import annotations

from handlers.audit.operator_acts import recovery_settled
from handlers.books import entries
from handlers.claims.payers import Payer
from handlers.claims.payout_reports import may_move, missing_of, states_of
from handlers.claims.process import Processor
from handlers.claims.set_off import SetOff
from handlers.claims.world import World
from handlers.words.claim_sentences import yuan
from schemas.bilingual import Saying
from schemas.facts import PayoutStatus
from schemas.ids import PayoutId
from schemas.outbound import InstructionKind
from schemas.records import InstructionRow, Manner, SettledRecovery, SettleRecovery


class NotSettleable(Exception):
    """A recovery that can be neither set off nor waived, or not so; the message says why, in Chinese and English."""

    def __init__(self, why: Saying) -> None:
        super().__init__(f"{why.zh}\n{why.en}")
        self.why = why


def settleable(world: World, payout_id: PayoutId, manner: Manner) -> InstructionRow:
    """A recovery that can be set off or waived, whole. Raises NotSettleable.

    The world holds all instructions of its claim, scheme and payee, with their reports. What the payer has too little
    to get back is no debt: then a payment of the same line failed, and was not ordered again.
    """
    row = world.instructed[payout_id]
    place = (row.claim_id, row.scheme_id, row.payee_id)
    line = [other for other in world.instructed.values() if (other.claim_id, other.scheme_id, other.payee_id) == place]
    why = _why_not(world, row, line, manner)
    if why is None:
        states = states_of(line, world.reports)
        owed = (row.amount if may_move(row, states) else 0) - missing_of(row, line, states, world.settled)
        if owed >= row.amount:
            return row
        amount, today = yuan(row.amount), yuan(max(0, owed))
        why = Saying(
            f"{payout_id} 为 {amount} 元,而今天应收回的只有 {today} 元:同一理赔的另一笔支付没有到账。"
            "请先重新下达没有到账的支付。",
            f"{payout_id} is of {amount} yuan, but only {today} are to be recovered today: another payout of the same "
            "claim did not arrive. Reissue what did not arrive first.",
        )
    raise NotSettleable(why)


def settle_recovery(processor: Processor, act: SettleRecovery) -> SettledRecovery:
    """Sets a recovery off, or waives it. Raises NotSettleable; then nothing was journalled.

    The instruction stays, so payments less recoveries are still what is due (law 3). One that is set off waits for
    payments; one that is waived is a loss in the books.
    """
    world, journal = processor.world, processor.journal
    manner = Manner(act.manner)
    row = settleable(world, act.payout_id, manner)
    number = recovery_settled(journal, world.shard_of(row.person_id), act, row)
    left = row.amount if manner is Manner.SET_OFF else 0
    place = (row.payout_id, row.person_id, manner.value)
    settled = SettledRecovery(
        *place, row.amount, left, row.payer, row.treaty_id, act.reason, act.operator, number, row.pool_id
    )
    processor.outcome.settled.append(settled)
    world.settled[row.payout_id] = settled
    if manner is Manner.SET_OFF:
        waiting = SetOff(row.payout_id, Payer(row.payer, row.treaty_id, row.pool_id), left)
        world.set_offs.setdefault(row.person_id, []).append(waiting)
    else:
        day = world.claims[row.claim_id].discharged_on or journal.booked_on
        journal.post(number, entries.waived(row, row.amount), day, row.payout_id)
    return settled


def _why_not(world: World, row: InstructionRow, line: list[InstructionRow], manner: Manner) -> Saying | None:
    name = row.payout_id
    again = next((other.payout_id for other in line if other.reissue_of == name), None)
    reports = world.reports.get((name, row.person_id), [])
    if row.kind != InstructionKind.RECOVERY or not row.moves_money:
        return Saying(f"{name} 不是收回指令。", f"{name} is no recovery that anybody has to collect.")
    if name in world.settled:
        before = MANNERS[Manner(world.settled[name].manner)]
        return Saying(f"{name} 已经{before.zh}。", f"{name} was already {before.en}.")
    if again is not None:
        return Saying(
            f"{name} 已经重新下达,新指令是 {again};请对新指令办理。",
            f"{name} was reissued as {again}: settle that one.",
        )
    if reports:
        (state,) = states_of([row], world.reports).values()
        if PayoutStatus.PAID in (state.state, state.last_status):
            return Saying(
                f"{name} 已报告收回。如果没有收到,请保险公司先补报 failed 或 returned。",
                f"{name} is reported as collected. If it was not, the insurer reports failed or returned first.",
            )
    if manner is Manner.SET_OFF and row.payee_id:
        return Saying(
            f"{name} 应由医院 {row.payee_id} 退还,不能从个人以后的补助中抵扣,只能核销。",
            f"{name} is to be given back by the hospital {row.payee_id}; only what a person owes can be set off.",
        )
    return None


MANNERS = {Manner.SET_OFF: Saying("办理抵扣", "set off"), Manner.WAIVED: Saying("核销", "waived")}
