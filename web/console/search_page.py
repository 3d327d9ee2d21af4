"""Search. The search text can be a person's number: it is posted, and appears in the URL only encrypted."""

from __future__ import annotations

from starlette.responses import Response

from infra.ledger import claim_search
from schemas.access.console_rights import Right
from web.console.visit import QUERY, Pages, Visit, page_number

PAGE_ROWS = 50


def ask(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    query = visit.form.get("wanted", "").strip()[:200]
    return visit.redirect(f"/search/{visit.keys.token(query, QUERY)}" if query else "/search")


def show(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    token = visit.path_values.get("token")
    if token is None:
        return visit.page("search.html", wanted=None, found=[], pages=None, person=None, token="")
    query, number = visit.untoken(token, QUERY), page_number(visit)
    with visit.engine.begin() as connection:
        count, claims = claim_search.search(connection, query, PAGE_ROWS, (number - 1) * PAGE_ROWS)
        person = query if claim_search.person_exists(connection, query) else None
        if claims or person:
            subject = {"person": visit.token(person)} if person else {}
            visit.note_view(connection, "search", claims=str(count), **subject)
    by_person = person is not None
    return visit.page(
        "search.html",
        wanted=None if by_person else query,
        found=claims,
        pages=Pages(count, PAGE_ROWS, number),
        person=person,
        token=token,
    )
