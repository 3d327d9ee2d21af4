"""What a pool has received and released, and whether its money covers more (groups.md, section 3).

Money that is restricted to some schemes pays only these, and is used before free money. How much of it the released
amounts can use is the largest flow from the restricted sums to the schemes: so it depends on no order, and no choice
between two sums that both could pay strands a third one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from handlers.claims.restrictions import FREE, schemes_of
from schemas.pool_records import PoolSide


@dataclass(slots=True)
class PoolMoney:
    """What a pool received by restriction, and what it released by scheme, net of what was recovered; in fen."""

    received: dict[str, int] = field(default_factory=dict)
    released: dict[str, int] = field(default_factory=dict)

    def add(self, side: PoolSide, key: str, amount: int) -> None:
        """Counts an amount that was received under a restriction, or released for a scheme."""
        sums = self.received if side is PoolSide.RECEIVED else self.released
        sums[key] = sums.get(key, 0) + amount

    @property
    def balance(self) -> int:
        """What it received less what it released; below zero where it owes."""
        return sum(self.received.values()) - sum(self.released.values())

    def covers(self, scheme_id: str, amount: int) -> bool:
        """Whether ``amount`` fen more for a scheme are there."""
        released = {**self.released, scheme_id: self.released.get(scheme_id, 0) + amount}
        return PoolMoney(self.received, released).left()[FREE] >= 0

    def left(self) -> dict[str, int]:
        """What is left of the money by restriction; of free money below zero where more was released than is there.

        Of several restricted sums that could have paid the same, those for the fewest schemes did.
        """
        used = _used(self.received, self.released)
        free = self.received.get(FREE, 0) - sum(self.released.values()) + sum(used.values())
        return {FREE: free, **{name: self.received[name] - amount for name, amount in used.items()}}


_Node = tuple[int, str]
_Room = dict[_Node, dict[_Node, int]]
"""How much more may go from one node to another."""


def narrowest_first(name: str) -> tuple[int, str]:
    """Restrictions to the fewest schemes come first."""
    return len(schemes_of(name)), name


def _used(received: dict[str, int], released: dict[str, int]) -> dict[str, int]:
    """What is used of each restricted sum if together they pay as much as they can of what was released.

    The largest flow: one sum after the other pays all that it can, and those before it make way where they can pay
    something else. The sums are nodes of side 0, the schemes of side 1.
    """
    source, sink = (-1, ""), (2, "")
    room: _Room = {source: {}, sink: {}}
    restricted = sorted((name for name in received if name != FREE and received[name] > 0), key=narrowest_first)
    for name in restricted:
        room[source][0, name] = received[name]
        room[0, name] = {source: 0}
        for scheme_id in sorted(schemes_of(name)):
            if released.get(scheme_id, 0) > 0:
                room[0, name][1, scheme_id] = received[name]
                room.setdefault((1, scheme_id), {sink: released[scheme_id]})[0, name] = 0
                room[sink][1, scheme_id] = 0
        while path := _path(room, source, sink):
            least = min(room[before][after] for before, after in path)
            for before, after in path:
                room[before][after] -= least
                room[after][before] += least
    return {name: received[name] - room[source][0, name] for name in restricted}


def _path(room: _Room, source: _Node, sink: _Node) -> list[tuple[_Node, _Node]]:
    """The steps of a shortest path on which there is room; none if there is no path."""
    came = {source: source}
    reached = [source]
    for node in reached:  # grows meanwhile
        found = [each for each, left in room[node].items() if left > 0 and each not in came]
        came |= dict.fromkeys(found, node)
        reached += found
    if sink not in came:
        return []
    path = [sink]
    while path[-1] != source:
        path.append(came[path[-1]])
    return [(before, after) for after, before in pairwise(path)]
