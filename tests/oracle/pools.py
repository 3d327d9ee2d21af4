"""The oracle of pools: what each releases, worked out a second time from groups.md, section 3, and its design alone.

What is due comes from the calculator; here is what of it may be instructed, moment by moment, as that depends on what
was instructed before. Money is whole fen. It shares no code with the program it checks, and nothing is kept but the
events, the payments that stand, and what closings left. Bills with advances are not for it: it knows no payees.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from .calculator import Ledger, Policy, RefusalError, read_event, read_policies
from .pool_facts import Due, Line, Pool, dues_of, pool_of
from .pool_money import FREE, by_size, free_money_used, is_covered, left_of, pro_rata


class Close(NamedTuple):
    """The year of a pool is closed after the facts of a moment, counted from 0, and after its steps."""

    moment: int
    pool_id: str
    year: int


class State(NamedTuple):
    """What is so after a moment. No zero is listed but a pool's balance."""

    due: dict[Line, int]
    released: dict[Line, int]
    waiting: dict[Line, int]
    positions: dict[Line, int]
    """From 1, of the lines that wait in a pool that queues."""
    balances: dict[str, int]
    """Of every pool that was recorded, had a contribution, paid or is waited for."""
    pools: dict[Line, str | None]
    """The pool of each benefit that pools pay; None where no coverage names one."""
    paid: dict[tuple[str, str, str | None], int]
    """Payments less recoveries of each line and pool; None is who pays where no pool does."""
    left: dict[tuple[str, str, str], int]
    """By pool and line, what closings left unpaid and no later one serves."""


class Payment(NamedTuple):
    """Money that was instructed and not taken back."""

    line: Line
    pool_id: str | None
    amount: int


def replay(
    events_by_moment: Iterable[Iterable[bytes]],
    policies: Sequence[str],
    closes: Iterable[Close] = (),
    unserved: Collection[int] = (),
) -> list[State]:
    """The state after each moment, of events as JSON and policies as TOML.

    Within a moment all events are decided together. In those of `unserved` claims are decided, which recovers what
    fell, and no pool is looked at yet. Refused events are passed over.
    """
    closes = list(closes)
    story = Story(read_policies(policies))
    states = []
    for moment, events in enumerate(events_by_moment):
        story.take(events)
        story.recover()
        story.pay_where_no_pool_pays()
        for pool_id in [] if moment in unserved else sorted(story.pool_ids()):
            story.serve(pool_id)
        for close in closes:
            if close.moment == moment:
                story.close(close.pool_id, close.year)
        states.append(story.state())
    return states


class Story:
    """What has happened so far."""

    def __init__(self, policies: list[Policy]) -> None:
        self.policies = policies
        self.ledger = Ledger()
        self.payments: list[Payment] = []  # in the order in which they were made
        self.left: dict[tuple[str, str, str], int] = {}

    # What the facts say -----------------------------------------------------------------------------------------------

    def take(self, events: Iterable[bytes]) -> None:
        for event in events:
            try:
                self.ledger.consider(read_event(event))
            except RefusalError:
                continue

    def dues(self) -> list[Due]:
        return dues_of(self.ledger, self.policies)

    def pool(self, pool_id: str) -> Pool:
        return pool_of(self.ledger, pool_id)

    def pool_ids(self) -> set[str]:
        """Every pool that was recorded, had a contribution, is waited for or paid."""
        events = [*self.ledger.newest("pool_id"), *self.ledger.newest("contribution_id")]
        named = [event.text("pool_id") for event in events]
        named += [due.pool_id for due in self.dues() if due.pool_id is not None]
        named += [payment.pool_id for payment in self.payments if payment.pool_id is not None]
        return set(named)

    # What was paid ----------------------------------------------------------------------------------------------------

    def released(self, line: Line) -> int:
        return sum(payment.amount for payment in self.payments if payment.line == line)

    def spent(self, pool_id: str) -> dict[str, int]:
        """By scheme what a pool has paid and not got back."""
        spent: dict[str, int] = {}
        for payment in self.payments:
            if payment.pool_id == pool_id:
                spent[payment.line[1]] = spent.get(payment.line[1], 0) + payment.amount
        return spent

    def pay(self, due: Due, amount: int) -> None:
        assert amount > 0, due
        self.payments.append(Payment(due.line, due.pool_id, amount))

    def recover(self) -> None:
        """What was paid over what is due comes back at once, the newest payment of the line first."""
        owed = {due.line: due.amount for due in self.dues()}
        for line in {payment.line for payment in self.payments}:
            too_much = max(0, self.released(line) - owed.get(line, 0))
            for place in reversed(range(len(self.payments))):
                payment = self.payments[place]
                if payment.line == line:
                    back = min(too_much, payment.amount)
                    too_much -= back
                    self.payments[place] = payment._replace(amount=payment.amount - back)
        self.payments = [payment for payment in self.payments if payment.amount > 0]

    def pay_where_no_pool_pays(self) -> None:
        for due in self.dues():
            rise = due.amount - self.released(due.line)
            if due.pool_id is None and rise > 0:
                self.pay(due, rise)

    # What a pool does -------------------------------------------------------------------------------------------------

    def waiting(self, pool_id: str) -> list[tuple[Due, int]]:
        """Who waits for a pool and for how much, in canonical order."""
        waits = [(due, due.amount - self.released(due.line)) for due in self.dues() if due.pool_id == pool_id]
        return [(due, amount) for due, amount in waits if amount > 0]

    def serve(self, pool_id: str) -> None:
        """One look at a pool: `owe` pays all, `queue` pays whom it can until the first whom it cannot."""
        pool = self.pool(pool_id)
        for due, amount in self.waiting(pool_id):
            after = self.spent(pool_id)
            after[due.line[1]] = after.get(due.line[1], 0) + amount
            if pool.on_shortage == "owe" or (pool.on_shortage == "queue" and is_covered(pool.received, after)):
                self.pay(due, amount)
            else:
                return

    def close(self, pool_id: str, year: int) -> None:
        """The year's claims, and those of earlier years whose due no closing has seen, share what there is."""
        pool = self.pool(pool_id)
        assert pool.on_shortage == "pro_rata", pool_id
        asked: dict[Due, int] = {}
        for due, amount in self.waiting(pool_id):
            unseen = amount - self.left.get((pool_id, *due.line), 0)
            if due.policy_year <= year and unseen > 0:
                asked[due] = unseen

        def hand_out(available: int, claimants: Collection[Due]) -> None:
            by_name = {(due.line[0], due.place): due for due in claimants}
            parts = pro_rata(available, {name: asked[due] for name, due in by_name.items()})
            for name, part in parts.items():
                if part > 0:
                    self.pay(by_name[name], part)
                    asked[by_name[name]] -= part

        if is_covered(pool.received, self.spent(pool_id)):
            for only in sorted(pool.received, key=by_size):
                if only != FREE:
                    available = left_of(only, pool.received, self.spent(pool_id))
                    hand_out(available, [due for due in asked if due.line[1] in only])
            free = pool.received.get(FREE, 0) - free_money_used(pool.received, self.spent(pool_id))
            hand_out(free, asked)
        for due, unpaid in asked.items():
            if unpaid > 0:
                self.left[pool_id, *due.line] = self.left.get((pool_id, *due.line), 0) + unpaid

    def state(self) -> State:
        dues = self.dues()
        released = {line: self.released(line) for line in {payment.line for payment in self.payments}}
        paid: dict[tuple[str, str, str | None], int] = {}
        for payment in self.payments:
            who = (*payment.line, payment.pool_id)
            paid[who] = paid.get(who, 0) + payment.amount
        positions: dict[Line, int] = {}
        balances: dict[str, int] = {}
        for pool_id in self.pool_ids():
            pool = self.pool(pool_id)
            balances[pool_id] = sum(pool.received.values()) - sum(self.spent(pool_id).values())
            if pool.on_shortage == "queue":
                positions |= {due.line: place for place, (due, _) in enumerate(self.waiting(pool_id), start=1)}
        waiting = {due.line: due.amount - released.get(due.line, 0) for due in dues}
        return State(
            due={due.line: due.amount for due in dues},
            released=released,
            waiting={line: amount for line, amount in waiting.items() if amount > 0},
            positions=positions,
            balances=balances,
            pools={due.line: due.pool_id for due in dues if due.by_pool},
            paid=paid,
            left=dict(self.left),
        )
