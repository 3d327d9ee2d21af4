"""The list of claims: filtered, sorted, summed up and exported as it is seen; each line leads to its claim."""

from __future__ import annotations

from starlette.responses import Response

from handlers.words.claim_sentences import STATUS_NAMES
from infra.files.export_files import OFFERED
from infra.ledger import claim_list, figures
from infra.ledger.claim_list import NO_DAY, After, Sort
from infra.ledger.list_tables import digest_list_marks
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from web.console.filter_fields import address, read_filter, scheme_titles, tier_names
from web.console.list_place import position, read_place
from web.console.visit import Visit

PAGE_ROWS = 50
SORTS = {
    Sort.NEWEST: Saying("出院日期,从新到旧", "newest discharge first"),
    Sort.OLDEST: Saying("出院日期,从旧到新", "oldest discharge first"),
    Sort.LARGEST: Saying("金额,从大到小", "largest amount first"),
    Sort.SMALLEST: Saying("金额,从小到大", "smallest amount first"),
}


def index(visit: Visit) -> Response:
    """A page of the list; the next one begins where it ends. The address holds the filter and the order."""
    visit.require(Right.CLAIMS)
    chosen = read_filter(visit, visit.query, "claims")
    sort, place = read_place(visit, 1)
    after = After(place[0], *place[1]) if place else None
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        total = claim_list.total(connection, chosen)
        few = total.claims <= claim_list.FEW
        rows = claim_list.page(connection, chosen, sort, after, PAGE_ROWS + 1, few=few)
        facilities, areas = claim_list.places(connection)
        as_of = figures.as_of(connection, digest_list_marks)
        queues = figures.queues(connection, digest_list_marks)
    order = {} if sort is Sort.NEWEST else {"sort": sort.value}
    last = rows[PAGE_ROWS - 1] if len(rows) > PAGE_ROWS else None
    following = {"after": position(sort, last.day, last.due, last.claim_id)} if last else None
    return visit.page(
        "claims.html",
        total=total,
        rows=rows[:PAGE_ROWS],
        chosen=chosen,
        given=chosen.words(),
        sort=sort,
        sorts=SORTS,
        statuses=[(status.value, visit.text(name)) for status, name in STATUS_NAMES.items()],
        schemes=list(scheme_titles(visit).items()),
        tiers=_same(tier_names(visit)),
        facilities=_same(facilities),
        areas=_same(areas),
        no_day=NO_DAY,
        formats=OFFERED,
        first=address("/claims", chosen, **order),
        next=None if following is None else address("/claims", chosen, **order, **following),
        later=after is not None,
        as_of=as_of,
        queues=queues,
    )


def _same(names: list[str]) -> list[tuple[str, str]]:
    """Choices that are called what they are."""
    return [(name, name) for name in names]
