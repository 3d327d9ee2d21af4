"""What a worker remembers of persons between its batches, so that it need not load them again.

It is good exactly as long as each shard ends where this process left it: whatever changes a person's facts, claims,
benefits or set-offs adds an audit entry to the person's shard, or counts there as `ShardState.redated`. The comparison
is made under the shard's lock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from handlers.claims.account import Account
from handlers.claims.set_off import SetOff
from handlers.claims.settle import FacilityRows
from handlers.claims.world import World
from schemas.ids import ClaimId, PersonId
from schemas.records import BenefitRow, ClaimRow, ShardState

FACTS_MAX = 20_000
"""How many facts are remembered: about 60 MiB, with what was decided about them."""


@dataclass(frozen=True, slots=True)
class _Person:
    """One person as the last transaction left them; ``generation`` is that of their shard at the time."""

    account: Account
    claims: dict[ClaimId, ClaimRow]
    benefits: dict[ClaimId, dict[str, BenefitRow]]
    facilities: dict[ClaimId, FacilityRows]
    set_offs: list[SetOff]
    shard: int
    generation: int
    facts: int


class RememberedPersons:
    """The persons whom one process met last. Used by one thread at a time.

    A transaction takes persons out of here, and puts them back when it has been committed. One that fails, or whose
    commit is uncertain, puts nothing back.
    """

    def __init__(self, facts_max: int = FACTS_MAX) -> None:
        """The persons met longest ago are forgotten when all have more than ``facts_max`` facts together."""
        self._facts_max = facts_max
        self._persons: OrderedDict[PersonId, _Person] = OrderedDict()
        self._facts = 0
        self._left: dict[int, tuple[int, str, int]] = {}
        self._generations: dict[int, int] = {}

    def compare(self, shards: Mapping[int, ShardState]) -> None:
        """Forgets the persons of every shard that ends elsewhere than where this process left it.

        The shards must be locked.
        """
        for shard, state in shards.items():
            if self._left.get(shard) != _end(state):
                self._generations[shard] = self._generations.get(shard, 0) + 1

    def take_out(self, persons: Collection[PersonId], world: World) -> set[PersonId]:
        """Puts those persons into a world who are remembered, and forgets them here; returns the others."""
        unknown = set[PersonId]()
        for person_id in persons:
            person = self._forget(person_id)
            if person is None or person.generation != self._generations[person.shard]:
                unknown.add(person_id)
            else:
                world.accounts[person_id] = person.account
                world.claims |= person.claims
                world.benefits |= person.benefits
                world.facilities |= person.facilities
                if person.set_offs:
                    world.set_offs[person_id] = person.set_offs
        return unknown

    def put_back(self, world: World, shards: Mapping[int, ShardState]) -> None:
        """Remembers the persons of a world as a committed transaction left them, and where the shards' chains end."""
        self._left |= {shard: _end(state) for shard, state in shards.items()}
        claims: dict[PersonId, dict[ClaimId, ClaimRow]] = {}
        for claim_id, row in world.claims.items():
            claims.setdefault(row.person_id, {})[claim_id] = row
        for person_id, account in world.accounts.items():
            shard, own = world.shard_of(person_id), claims.get(person_id, {})
            benefits = {claim_id: world.benefits[claim_id] for claim_id in own if claim_id in world.benefits}
            facilities = {claim_id: world.facilities[claim_id] for claim_id in own if claim_id in world.facilities}
            self._forget(person_id)
            set_offs, generation = world.set_offs.get(person_id, []), self._generations[shard]
            person = _Person(account, own, benefits, facilities, set_offs, shard, generation, _facts_of(account))
            self._persons[person_id] = person
            self._facts += person.facts
        while self._facts > self._facts_max:
            self._forget(next(iter(self._persons)))

    def _forget(self, person_id: PersonId) -> _Person | None:
        person = self._persons.pop(person_id, None)
        if person is not None:
            self._facts -= person.facts
        return person


def _facts_of(account: Account) -> int:
    bills = sum(len(bills) for bills in account.settlements.values())
    held = len(account.discharges) + bills + len(account.occasions) + len(account.coverages) + len(account.memberships)
    return held + (account.death is not None)


def _end(state: ShardState) -> tuple[int, str, int]:
    return state.audit_seq, state.audit_hash, state.redated
