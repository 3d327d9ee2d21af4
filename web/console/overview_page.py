"""The first page: amounts instructed, paid and recovered, claims by status, and the state of the system."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from urllib.parse import urlencode

from starlette.responses import Response

from handlers.words.claim_sentences import STATUS_NAMES
from infra.ledger import alert_lists, contradictions, refused_list, reissue_proposals
from infra.ledger import figures as digest
from schemas.access.console_rights import Right
from schemas.dates import shanghai_date
from schemas.decisions import Status
from web.console import charts
from web.console.log_watch import Watch
from web.console.log_words import STATES, log_sentences, open_entries
from web.console.money_sums import Sums
from web.console.visit import Visit

DAYS_SHOWN = 31


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
    watched = watch.states()
    statuses = [(status, STATUS_NAMES[status], claims.get(status, 0)) for status in Status]
    return visit.page(
        "overview.html",
        total=total,
        doubtful=doubtful,
        alerts=alerts,
        reissues=reissues,
        tiers=[(*line, urlencode({"scheme": line[0], "tier": line[1]}) if line[1] else None) for line in tiers],
        days=[(day, sums, _on(day)) for day, sums in sorted(by_day.items(), reverse=True)],
        statuses=statuses,
        claims=sum(claims.values()),
        refused=sorted(refused.items(), key=lambda item: (-item[1], item[0])),
        oldest=oldest,
        as_of=as_of,
        queues=queues,
        lag=lag(),
        log=log_sentences(watched, visit.now()),
        watched=[(each, open_entries(each)) for each in watched],
        log_states=STATES,
        doubt=any(each.state not in ("verified", "none") for each in watched),
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


def _on(day: date) -> str:
    """The filter of a list of payouts that leaves those of a day."""
    return urlencode({"since": day, "until": day + timedelta(days=1)})
