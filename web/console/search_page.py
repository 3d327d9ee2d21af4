"""Searching. What is asked for may be somebody's number: it is posted, and stands in the address only encrypted."""

from __future__ import annotations

from starlette.responses import Response

from infra.ledger import claim_search
from schemas.access.console_rights import Right
from web.console.visit import QUERY, Pages, Visit, page_number

PAGE_ROWS = 50


def ask(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    wanted = visit.form.get("wanted", "").strip()[:200]
    return visit.to(f"/search/{visit.keys.token(wanted, QUERY)}" if wanted else "/search")


def show(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    token = visit.place.get("token")
    if token is None:
        return visit.page("search.html", wanted=None, found=[], pages=None, person=None, token="")
    wanted, number = visit.untoken(token, QUERY), page_number(visit)
    with visit.engine.begin() as connection:
        count, found = claim_search.search(connection, wanted, PAGE_ROWS, (number - 1) * PAGE_ROWS)
        person = wanted if claim_search.person_exists(connection, wanted) else None
        if found or person:
            told = {"person": visit.token(person)} if person else {}
            visit.note_view(connection, "search", claims=str(count), **told)
    by_person = person is not None
    return visit.page(
        "search.html",
        wanted=None if by_person else wanted,
        found=found,
        pages=Pages(count, PAGE_ROWS, number),
        person=person,
        token=token,
    )
