"""Reissuing a failed payout: how much may be ordered, and the two instructions that order it."""

from __future__ import annotations

from handlers.audit.operator_acts import payout_reissued
from handlers.claims.payees import persons_part
from handlers.claims.payout_reports import NotReissuable, amount_to_reissue, states_of
from handlers.claims.process import Processor
from handlers.claims.settle import reissued
from handlers.claims.world import World
from schemas.bilingual import Saying
from schemas.ids import FacilityId, PayoutId
from schemas.outbound import InstructionKind
from schemas.records import Reissue


def reissuable(world: World, payout_id: PayoutId) -> int:
    """How many fen of a failed or returned payout can be ordered again. Raises NotReissuable."""
    failed = world.instructed[payout_id]
    place = (failed.claim_id, failed.scheme_id, failed.payee_id)
    line = [row for row in world.instructed.values() if (row.claim_id, row.scheme_id, row.payee_id) == place]
    if failed.kind == InstructionKind.PAYMENT and world.claims[failed.claim_id].held:
        raise NotReissuable(
            Saying(
                f"理赔 {failed.claim_id} 暂缓支付:请先核对并解除暂缓,再重新下达 {payout_id}。",
                f"Claim {failed.claim_id} is held: look at it and release it before {payout_id} is ordered again.",
            )
        )
    return amount_to_reissue(failed, line, states_of(line, world.reports), world.settled)


def reissue(processor: Processor, act: Reissue) -> tuple[str, int]:
    """Reissues a failed or returned payout; returns the new payout's id and its fen.

    Two instructions, so that law 3 holds for readers that know nothing of reissues: one takes the failed payout off
    the books, the other orders the same amount again. Raises NotReissuable; then nothing was journalled.
    """
    world = processor.world
    failed = world.instructed[act.payout_id]
    claim_id, scheme_id = failed.claim_id, failed.scheme_id
    amount = reissuable(world, act.payout_id)
    number = payout_reissued(processor.journal, world.shard_of(failed.person_id), act, failed)
    row, facilities = world.benefits[claim_id][scheme_id], world.facilities.get(claim_id, {})
    if failed.payee_id:
        line = facilities[scheme_id, FacilityId(failed.payee_id)]
        dues = reissued(failed, amount, row, line.amount, line.instruction_revision)
        line = line._replace(instruction_revision=dues[-1].revision)
        facilities[scheme_id, line.facility_id] = line
        processor.outcome.facilities[claim_id, scheme_id, line.facility_id] = line
    else:
        own = persons_part(row, facilities.values())
        dues = reissued(failed, amount, row, own, row.instruction_revision)
        row = row._replace(instruction_revision=dues[-1].revision)
        world.benefits[claim_id][scheme_id] = processor.outcome.benefits[claim_id, scheme_id] = row
    for due in dues:
        processor.instruct(world.accounts[failed.person_id], due, number)
    return next(due.payout_id for due in dues if due.reissue_of), amount
