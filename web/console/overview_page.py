"""The first page: amounts instructed, paid and recovered, claims by status, and the state of the system."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from starlette.responses import Response

from handlers.words.claim_sentences import STATUS_NAMES
from infra.ledger import figures as digest
from infra.ledger.figures import Money
from schemas.access.console_rights import Right
from schemas.dates import shanghai_date
from schemas.decisions import Status
from schemas.outbound import InstructionKind
from web.console import charts
from web.console.log_watch import Watch
from web.console.visit import Visit

DAYS_SHOWN = 31


class Sums(NamedTuple):
    """Sums in fen: payments instructed, reported as paid, recoveries, and payouts that failed or were returned.

    Book entries that reverse a failed payout which was reissued move no money and are left out; so is the reversed
    payout itself, because it failed.
    """

    instructed: int = 0
    paid: int = 0
    recovered: int = 0
    failed: int = 0
    payouts: int = 0

    def plus(self, row: Money) -> Sums:
        if row.state == "book":
            return self
        payment = row.kind == InstructionKind.PAYMENT
        failed = row.state in ("failed", "returned")
        return Sums(
            self.instructed + (row.amount if payment else 0),
            self.paid + (row.amount if payment and row.state == "paid" else 0),
            self.recovered + (0 if payment else row.amount),
            self.failed + (row.amount if failed else 0),
            self.payouts + row.payouts,
        )


def show(lag: Callable[[], int | None], watch: Watch, visit: Visit) -> Response:
    visit.require(Right.OVERVIEW)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        money = digest.money(connection)
        claims = digest.claims_by_status(connection)
        refused = digest.refused_by_code(connection)
        oldest = digest.oldest_waiting(connection)
        as_of = digest.as_of(connection)
        queues = digest.queues(connection)
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
        tier_chart=charts.draw(
            charts.schemes([(f"{scheme} · {tier or '–'}", *sums[:3]) for scheme, tier, sums in tiers])
        )
        if tiers
        else None,
        day_chart=charts.draw(charts.days([(f"{day:%m-%d}", *sums[:3]) for day, sums in days])) if money else None,
    )


def _days(by_day: dict[date, Sums], today: date) -> list[tuple[date, Sums]]:
    """The last days, including those on which nothing was instructed."""
    last = max([today, *by_day])
    shown = [last - timedelta(days=back) for back in reversed(range(DAYS_SHOWN))]
    return [(day, by_day.get(day, Sums())) for day in shown]
