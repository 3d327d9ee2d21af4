"""Search. The search text can be a person's number: it is posted, and appears in the URL only encrypted."""

from __future__ import annotations

from starlette.responses import Response

from infra.ledger import claim_search
from schemas.access.console_rights import Right
from schemas.searched_words import possible_ids
from web.console.visit import QUERY, Pages, Visit, page_number

PAGE_ROWS = 50
TWINS_SHOWN = 6
"""How many claims with one invoice are named beside each other."""


def ask(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    query = visit.form.get("wanted", "").strip()[:200]
    return visit.redirect(f"/search/{visit.keys.token(query, QUERY)}" if query else "/search")


def show(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    token = visit.path_values.get("token")
    if token is None:
        return visit.page("search.html", wanted=None, found=[], pages=None, person=None, twins=[], token="")
    query, number = visit.untoken(token, QUERY), page_number(visit)
    ids = possible_ids(query)
    with visit.engine.begin() as connection:
        count, claims = claim_search.search(connection, ids, PAGE_ROWS, (number - 1) * PAGE_ROWS)
        person = next((each for each in ids if claim_search.person_exists(connection, each)), None)
        by_invoice = any("invoice" in claim.by for claim in claims)
        twins = claim_search.claims_with_invoice(connection, ids, TWINS_SHOWN) if by_invoice else []
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
        twins=twins,
        token=token,
    )
