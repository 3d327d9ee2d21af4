"""Releasing a claim that is held: two people have looked at why it may be there twice (time.md, section 2)."""

from __future__ import annotations

from handlers.audit.operator_acts import hold_released
from handlers.claims.process import Processor
from handlers.claims.twice import as_written, checks_on, released_of
from handlers.claims.twice_alerts import alert_id
from handlers.claims.world import World
from schemas.alert_records import AlertChange, AlertState
from schemas.canonical import canonical_json
from schemas.ids import ClaimId
from schemas.policy.model import Check
from schemas.records import GroupStep, ReleaseHold


def what_holds(world: World, claim_id: ClaimId) -> list[list[str]]:
    """Code, invoice and other claim of all that holds a claim, in order; nothing if it is not held."""
    row = world.claims[claim_id]
    if not row.held:
        return []
    checks = checks_on(world.accounts[row.person_id].claim(claim_id), world.policies)
    before = released_of(row.hold_released)
    return [
        [each.code, each.about, other]
        for each in as_written(row.twice)
        if checks.of(each.code) is Check.HOLD
        for other in each.others
        if (each.code, each.about, other) not in before
    ]


def release_hold(processor: Processor, act: ReleaseHold) -> None:
    """Releases a claim and decides it again, with those of all persons whom the act names; the world holds them.

    It is held again only if something else holds it: what two people have looked at stays released, and the alerts
    about it are closed where nothing else holds for the same reason.
    """
    world = processor.world
    row = world.claims[act.claim_id]
    number = hold_released(processor.journal, row.shard, act)
    looked_at = {(code, about, other) for code, about, other in act.released}
    released = released_of(row.hold_released) | looked_at
    kept = canonical_json([list(each) for each in sorted(released)]).decode()
    world.claims[act.claim_id] = processor.outcome.claims[act.claim_id] = row._replace(hold_released=kept)
    for each in as_written(row.twice):
        found = {(each.code, each.about, other) for other in each.others}
        if found <= released and not found.isdisjoint(looked_at):
            name, at = alert_id(row, each), processor.recorded_at
            closed = AlertChange(name, number, AlertState.RESOLVED, at, None, act.operator, act.reason)
            processor.outcome.alerts.append(closed)
    processor.recompute_together(GroupStep(act.persons, []), number)
