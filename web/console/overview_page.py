"""The first page: amounts instructed, paid and recovered, claims by status, and the state of the system."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from starlette.responses import Response

from handlers.words.claim_sentences import STATUS_NAMES
from infra.ledger import alert_lists, contradictions, refused_list, reissue_proposals
from infra.ledger import figures as digest
from infra.ledger.figures import Money
from schemas.access.console_rights import Right
from schemas.dates import shanghai_date
from schemas.decisions import Status
from schemas.outbound import InstructionKind
from schemas.records import PayoutState
from web.console import charts
from web.console.log_watch import Watch
from web.console.visit import Visit

DAYS_SHOWN = 31


class Sums(NamedTuple):
    """Sums in fen by what was ordered and what insurers reported. Every payout counts as what it is now.

    ``instructed`` and ``recovered`` are all orders to pay and to take back; ``reversed`` is what book entries took off
    the first (less off the second), because it was ordered anew. So ``net`` is what the schemes owe. Of the payments,
    ``paid`` were reported as arrived and ``failed`` as not; ``taken`` and ``not_taken`` are the same of the recoveries.
    """

    instructed: int = 0
    paid: int = 0
    recovered: int = 0
    failed: int = 0
    taken: int = 0
    not_taken: int = 0
    reversed: int = 0
    payouts: int = 0

    @property
    def net(self) -> int:
        return self.instructed - self.reversed - self.recovered

    @property
    def unreported(self) -> int:
        """Payments of which nothing was heard yet."""
        return self.instructed - self.paid - self.failed

    @property
    def untold(self) -> int:
        """Recoveries of which nothing was heard yet."""
        return self.recovered - self.taken - self.not_taken

    def plus(self, row: Money) -> Sums:
        payment = row.kind == InstructionKind.PAYMENT
        if row.state == PayoutState.BOOK:
            return self._replace(reversed=self.reversed + (-row.amount if payment else row.amount))
        ordered, arrived, missing = ("instructed", "paid", "failed") if payment else ("recovered", "taken", "not_taken")
        gained = {ordered: row.amount, "payouts": row.payouts}
        if row.state == PayoutState.PAID:
            gained[arrived] = row.amount
        elif row.state != PayoutState.INSTRUCTED:
            gained[missing] = row.amount
        return self._replace(**{name: getattr(self, name) + amount for name, amount in gained.items()})


def show(lag: Callable[[], int | None], watch: Watch, visit: Visit) -> Response:
    visit.require(Right.OVERVIEW)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        money = digest.money(connection)
        claims = digest.claims_by_status(connection)
        refused = refused_list.unfinished_by_code(connection)
        oldest = digest.oldest_waiting(connection)
        as_of = digest.as_of(connection)
        queues = digest.queues(connection)
        alerts, _ = alert_lists.live_count(connection)
        doubtful = contradictions.contradicted(connection)
        reissues = reissue_proposals.awaiting(connection, visit.user) if visit.may(Right.REISSUE) else 0
    total, by_tier, by_day = Sums(), defaultdict[tuple[str, str], Sums](Sums), defaultdict[date, Sums](Sums)
    for row in money:
        total = total.plus(row)
        by_tier[row.scheme_id, row.tier] = by_tier[row.scheme_id, row.tier].plus(row)
        by_day[row.day] = by_day[row.day].plus(row)
    tiers = [(scheme, tier, sums) for (scheme, tier), sums in sorted(by_tier.items())]
    days = _days(by_day, shanghai_date(visit.now()))
    statuses = [(status, STATUS_NAMES[status], claims.get(status, 0)) for status in Status]
    return visit.page(
        "overview.html",
        total=total,
        doubtful=doubtful,
        alerts=alerts,
        reissues=reissues,
        tiers=tiers,
        days=[(day, sums) for day, sums in sorted(by_day.items(), reverse=True)],
        statuses=statuses,
        claims=sum(claims.values()),
        refused=sorted(refused.items(), key=lambda item: (-item[1], item[0])),
        oldest=oldest,
        as_of=as_of,
        queues=queues,
        lag=lag(),
        watched=watch.states(),
        tier_chart=charts.schemes(
            visit.text, [(f"{scheme} · {tier or '–'}", *sums[:3]) for scheme, tier, sums in tiers]
        ),
        any_day=bool(money),
        day_chart=charts.days(visit.text, [(f"{day:%m-%d}", *sums[:3]) for day, sums in days]),
    )


def _days(by_day: dict[date, Sums], today: date) -> list[tuple[date, Sums]]:
    """The last days, from the first on which anything was instructed; also those on which nothing was."""
    last = max([today, *by_day])
    shown = [last - timedelta(days=back) for back in reversed(range(DAYS_SHOWN))]
    return [(day, by_day.get(day, Sums())) for day in shown if day >= min(by_day, default=last)]
