"""The list of payouts: filtered, sorted, summed up and exported as it is seen; each line leads to its claim."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from urllib.parse import urlencode

from starlette.responses import Response

from handlers.words import payout_sentences
from handlers.words.clearing_sentences import payer_words
from infra.files.export_files import OFFERED
from infra.ledger import figures, payout_list
from infra.ledger.claim_list import FEW, Sort
from infra.ledger.list_tables import digest_payout_marks
from infra.ledger.payout_list import AfterListed, ListedState, PayeeKind
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.records import PayoutState
from web.console.filter_fields import address, read_filter, scheme_titles, tier_names
from web.console.list_place import position, read_place
from web.console.money_sums import Sums
from web.console.visit import Visit

PAGE_ROWS = 50
SORTS = {
    Sort.NEWEST: Saying("下达日期,从新到旧", "newest first"),
    Sort.OLDEST: Saying("下达日期,从旧到新", "oldest first"),
    Sort.LARGEST: Saying("金额,从大到小", "largest amount first"),
    Sort.SMALLEST: Saying("金额,从小到大", "smallest amount first"),
}
STATES = {
    ListedState.ORDERED: Saying("所有有资金往来的", "all that move money"),
    ListedState.INSTRUCTED: Saying("尚无回报", "no report yet"),
    ListedState.PAID: payout_sentences.STATES[PayoutState.PAID],
    ListedState.MISSING: Saying("失败或退回", "failed or returned"),
    ListedState.FAILED: payout_sentences.STATES[PayoutState.FAILED],
    ListedState.RETURNED: payout_sentences.STATES[PayoutState.RETURNED],
    ListedState.BOOK: Saying("账面冲销、抵扣", "book entries and set-offs"),
}
PAYEES = {
    PayeeKind.PERSON: Saying("个人(含继承人)", "persons and estates"),
    PayeeKind.FACILITY: Saying("医院", "facilities"),
}


def index(visit: Visit) -> Response:
    """A page of the list; the next one begins where it ends. The address holds the filter and the order."""
    visit.require(Right.CLAIMS)
    chosen = read_filter(visit, visit.query, "payouts")
    sort, place = read_place(visit, 2)
    after = AfterListed(place[0], *place[1]) if place else None
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        found = payout_list.sums(connection, chosen)
        few = sum(each.payouts for each in found) <= FEW
        rows = payout_list.page(connection, chosen, sort, after, PAGE_ROWS + 1, few=few)
        payers = payout_list.payers(connection)
        as_of = figures.as_of(connection, digest_payout_marks)
        queues = figures.queues(connection, digest_payout_marks)
    order = {} if sort is Sort.NEWEST else {"sort": sort.value}
    last = rows[PAGE_ROWS - 1] if len(rows) > PAGE_ROWS else None
    following = {"after": position(sort, last.day, last.amount, last.payout_id, last.tier)} if last else None
    given = chosen.words()
    return visit.page(
        "payouts.html",
        total=reduce(Sums.plus, found, Sums()),
        rows=rows[:PAGE_ROWS],
        chosen=chosen,
        given=given,
        within=urlencode({name: value for name, value in given.items() if name not in ("kind", "status")}),
        narrowed="kind" in given or "status" in given,
        sort=sort,
        sorts=SORTS,
        states=_named(visit, STATES.items()),
        kinds=_named(visit, payout_sentences.KINDS.items()),
        payees=_named(visit, PAYEES.items()),
        payers=[(each, visit.text(payer_words(each))) for each in payers],
        schemes=list(scheme_titles(visit).items()),
        tiers=[(each, each) for each in tier_names(visit)],
        formats=OFFERED,
        first=address("/payouts", chosen, **order),
        next=None if following is None else address("/payouts", chosen, **order, **following),
        later=after is not None,
        as_of=as_of,
        queues=queues,
    )


def _named(visit: Visit, choices: Iterable[tuple[str, Saying]]) -> list[tuple[str, str]]:
    return [(value, visit.text(name)) for value, name in choices]
