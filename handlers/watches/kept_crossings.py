"""The crossings that the ledger keeps with its claims, and tells when they change (time.md, section 4)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from handlers.audit.journal import Journal
from handlers.claims.account import Account
from handlers.claims.world import World
from handlers.watches import crossing_alerts
from handlers.watches.crossings import Crossing
from handlers.watches.looking import COUNTED, CountedStay, crossings_among
from schemas.canonical import canonical_json, sha256_hex
from schemas.ids import ClaimId, PersonId
from schemas.outbound import AlertRaised, AlertWithdrawn
from schemas.records import ClaimRow


class KeptCrossing(NamedTuple):
    """A claim crosses a step (fen) of a watch; ``mark`` tells whether unit and lines are those that were told."""

    watch: str
    step: int
    mark: str


def kept_of(text: str) -> list[KeptCrossing]:
    """The crossings of a claim as the ledger keeps them, in order of watch and step."""
    return [KeptCrossing(*each) for each in json.loads(text)] if text else []


def tell_changes(world: World, journal: Journal, persons: Collection[PersonId], number: int) -> None:
    """Withdraws and raises, because of event ``number``, what published watches find no more, and find now.

    The persons are whole groups where a watch counts by household, and their claims are decided.
    """
    accounts = [world.accounts[name] for name in persons if name in world.accounts]
    rows = {name: world.claims[name] for each in accounts for name in each.claim_ids() if name in world.claims}
    found = _found(world, accounts, rows)
    areas = {each.person_id: each.area for each in accounts} if found else {}
    for name in sorted(found):
        before, crossings = kept_of(rows[name].crossings), found[name]
        after = [KeptCrossing(each.watch.id, each.step, _mark(each)) for each in crossings]
        if after == before:
            continue
        text = canonical_json([list(each) for each in after]).decode() if after else ""
        row = world.claims[name] = journal.outcome.claims[name] = rows[name]._replace(crossings=text)
        for alert in _told(row, before, dict(zip(after, crossings, strict=True)), journal):
            journal.alert(row.shard, number, alert, areas[row.person_id])


def _found(world: World, accounts: Sequence[Account], rows: dict[ClaimId, ClaimRow]) -> dict[ClaimId, list[Crossing]]:
    """What each claim crosses, in order of watch and step; of claims that cross nothing only those that did."""
    found: dict[ClaimId, list[Crossing]] = {name: [] for name, row in rows.items() if row.crossings}
    burdens = sum(row.personal_burden for row in rows.values() if row.status in COUNTED)
    if burdens <= world.watches.lowest_step:  # as for nearly everybody
        return found
    stays = sorted(_stays(accounts, rows))
    for file in world.watches.files:
        for crossing in crossings_among(stays, accounts, file):
            found.setdefault(ClaimId(crossing.claim.claim_id), []).append(crossing)
    for crossings in found.values():
        crossings.sort(key=lambda each: (each.watch.id, each.step))
    return found


def _stays(accounts: Iterable[Account], rows: dict[ClaimId, ClaimRow]) -> Iterable[CountedStay]:
    """The stays that count: their amounts are those of the bills, and of the decision what the patient pays."""
    for account in accounts:
        for name, discharge in account.discharges.items():
            row = rows.get(name)
            if row is not None and row.status in COUNTED:
                claim = account.claim(name)
                amounts = claim.copay, claim.out_of_catalogue, row.patient_pays
                yield CountedStay(discharge.discharged_on, name, row.person_id, *amounts)


def _mark(crossing: Crossing) -> str:
    lines = [[each.claim_id, each.person_id, str(each.day), each.amount] for each in crossing.counted]
    return sha256_hex(canonical_json([*crossing.unit, lines]))[:16]


def _told(
    row: ClaimRow, before: Iterable[KeptCrossing], after: dict[KeptCrossing, Crossing], journal: Journal
) -> Iterable[AlertRaised | AlertWithdrawn]:
    """The alerts of one claim, one after the other, as each of them names its place in the audit log."""
    shard = journal.shards[row.shard]
    still = {(each.watch, each.step) for each in after}
    for kept in before:
        if (kept.watch, kept.step) not in still:
            yield crossing_alerts.withdrawn(row, kept.watch, kept.step, shard.audit_seq + 1, journal.recorded_at)
    known = set(before)
    for kept, crossing in after.items():
        if kept not in known:
            yield crossing_alerts.raised(row, crossing, shard.audit_seq + 1, journal.recorded_at)
