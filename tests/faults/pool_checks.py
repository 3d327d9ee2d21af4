"""The promise to those whom pools pay: no pool pays what it has not, and nobody waits whom its money covers.

What is due, what a pool received and its rule come from the accepted events, by the oracle; what was paid, from the
instructions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.faults.evidence import OF_POOLS, Evidence
from tests.oracle.pool_facts import Line
from tests.oracle.pool_money import FREE, is_covered


def released_is_instructed(evidence: Evidence) -> Iterator[str]:
    """What is released of each claim and scheme is its payments less its recoveries, and no more than its benefit."""
    paid, held = net(evidence), evidence.books.benefits
    for line in sorted(paid.keys() | held.keys()):
        if line not in held:
            if paid[line]:
                yield f"{line}: {paid[line]} fen are instructed, and no benefit is held"
        elif held[line].released != paid[line] or not 0 <= paid[line] <= held[line].benefit:
            yield f"{line}: {paid[line]} fen are instructed of {held[line]}"


def pools_pay_what_they_have(evidence: Evidence) -> Iterator[str]:
    """A pool has what it received less what it paid: if it may not owe, at least nothing, unless facts were changed."""
    spent, strict = spent_by(evidence), may_not_owe(evidence)
    yield from (
        f"pool {name} pays, and no fact and no benefit names it" for name in spent.keys() - evidence.pools.keys()
    )
    for pool_id, pool in sorted(evidence.pools.items()):
        balance = sum(pool.received.values()) - spent[pool_id].total()
        if evidence.books.balances.get(pool_id, 0) != balance:
            yield f"pool {pool_id} has {balance} fen, the ledger says {evidence.books.balances.get(pool_id, 0)}"
        if balance < 0 and pool_id in strict:
            yield f"pool {pool_id} may not owe, and has {balance} fen"


def nobody_waits_whom_money_covers(evidence: Evidence) -> Iterator[str]:
    """Who waits, waits for the pool that the coverage names, which may not owe and does not cover its queue's first."""
    paid, spent, firsts = net(evidence), spent_by(evidence), set[str]()
    for due in evidence.pool_dues:
        held, waiting = evidence.books.benefits[due.line], due.amount - paid[due.line]
        if held.pool_id != (due.pool_id or ""):
            yield f"{due.line}: the ledger names the pool {held.pool_id}, the oracle {due.pool_id}"
        if waiting <= 0:
            continue
        rule = None if due.pool_id is None else evidence.pools[due.pool_id].on_shortage
        if due.pool_id is None or rule == "owe":
            yield f"{due.line}: {waiting} fen wait for {due.pool_id}, which may owe"
        elif rule == "queue" and due.pool_id not in firsts:
            firsts.add(due.pool_id)
            after = spent[due.pool_id] + Counter({due.line[1]: waiting})
            if is_covered({FREE: 0, **evidence.pools[due.pool_id].received}, after):
                yield f"{due.line}: {waiting} fen wait first, and pool {due.pool_id} covers them"


def net(evidence: Evidence) -> Counter[Line]:
    """Payments less recoveries (fen) of each claim and scheme, in the ledger."""
    sums: Counter[Line] = Counter()
    for row in evidence.books.instructions:
        sums[row.claim_id, row.scheme_id] += row.amount if row.kind == "payment" else -row.amount
    return sums


def spent_by(evidence: Evidence) -> defaultdict[str, Counter[str]]:
    """By pool and scheme, payments less recoveries (fen)."""
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in evidence.books.instructions:
        if row.pool_id is not None:
            sums[row.pool_id][row.scheme_id] += row.amount if row.kind == "payment" else -row.amount
    return sums


def may_not_owe(evidence: Evidence) -> set[str]:
    """The pools whose rule lets them not owe, and about which nothing was ever corrected or voided."""
    changed = {
        event.text("pool_id")
        for (kind, _), versions in evidence.facts.lines.items()
        if kind in OF_POOLS
        for event in versions
        if event.version > 1
    }
    return {name for name, pool in evidence.pools.items() if pool.on_shortage != "owe" and name not in changed}
