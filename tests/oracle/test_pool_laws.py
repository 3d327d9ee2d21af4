"""The laws of pools hold for their oracle, in every moment of random cases (groups.md, section 3)."""

from collections import Counter

from .builders import contribution, pool
from .calculator import Ledger, adjudicate, read_event
from .payees import fen
from .pool_cases import POOLS, PoolCase, random_pool_case
from .pool_facts import pool_of
from .pool_money import is_covered
from .pools import State, replay

CASES = [random_pool_case(seed) for seed in range(60)]


def states_of(case: PoolCase) -> list[State]:
    return replay([[line] for line in case.facts], [case.policy_text], case.closes)


def test_no_release_is_of_money_that_is_not_there() -> None:
    """After a moment in which a pool that does not owe paid anybody, free and restricted money cover all that it paid.

    What is due is released or waits, and the balance is what came in less what went out.
    """
    seen: Counter[str] = Counter()
    for case in CASES:
        ledger = Ledger()
        before: dict[tuple[str, str, str | None], int] = {}
        for line, state in zip(case.facts, states_of(case), strict=True):
            ledger.consider(read_event(line))
            assert state.due == Counter(state.released) + Counter(state.waiting)
            for pool_id, balance in state.balances.items():
                known = pool_of(ledger, pool_id)
                paid = {who: amount for who, amount in state.paid.items() if who[2] == pool_id}
                spent: Counter[str] = Counter()
                for (_, scheme_id, _), amount in paid.items():
                    spent[scheme_id] += amount
                assert balance == sum(known.received.values()) - sum(spent.values())
                if any(amount > before.get(who, 0) for who, amount in paid.items()):
                    seen[f"{known.on_shortage} pays"] += 1
                    assert known.on_shortage == "owe" or (balance >= 0 and is_covered(known.received, spent))
                seen["overdrawn"] += known.on_shortage != "owe" and balance < 0
            before = state.paid
            seen["left by a closing"] += bool(state.left)
    assert set(seen) == {"owe pays", "queue pays", "pro_rata pays", "overdrawn", "left by a closing"}
    assert min(seen.values()) >= 5


def test_due_never_depends_on_money() -> None:
    """At the end the benefits are those of `huzhu adjudicate`, whoever waits."""
    for case in CASES:
        claims, refusals = adjudicate([case.policy_text], case.facts)
        assert [] == refusals
        benefits: dict[tuple[object, object], int] = {}
        for claim in claims:
            listed = claim["benefits"]
            assert isinstance(listed, list)
            benefits |= {(claim["claim_id"], each["scheme_id"]): fen(each["benefit"]) for each in listed}
        assert {line: due for line, due in benefits.items() if due} == states_of(case)[-1].due


def test_with_enough_money_nobody_waits_in_a_queue() -> None:
    """Pools that queue, and that somebody gave a million: after every moment all that is due is released."""
    for case in CASES:
        facts = [line for line in case.facts if b"pool.recorded" not in line]
        gifts = [contribution(f"rich-{pool_id}", "1000000.00", pool_id=pool_id) for pool_id in POOLS]
        queues = [pool("queue", pool_id) for pool_id in POOLS]
        for state in replay([[*queues, *gifts], *([line] for line in facts)], [case.policy_text]):
            assert state.due == state.released
