"""Search. What is typed can name a person: it is posted, and appears in the URL only encrypted.

Who searches for a person leaves an audit entry with what kind of word it was and how many were found, never the word.
"""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from infra.ledger import claim_search, console_user_rows
from schemas.access.console_rights import Right
from schemas.searched_words import personal_kinds, possible_ids
from web.console.person_hits import MOST_PERSONS, persons_found
from web.console.visit import QUERY, PageRefused, Pages, Visit, page_number

PAGE_ROWS = 50
TWINS_SHOWN = 6
"""How many claims with one invoice are named beside each other."""

SEARCHES_MAX = 200
WITHIN = timedelta(hours=1)
"""How often, and in how long a time, a user may search by what can be somebody's name or number."""


def ask(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    query = visit.form.get("wanted", "").strip()[:200]
    if visit.keys.finding is not None and personal_kinds(query):
        with visit.engine.begin() as connection:
            searches = console_user_rows.count_person_search(connection, visit.user, visit.now(), WITHIN)
        if searches > SEARCHES_MAX:
            raise PageRefused(
                429,
                f"您一小时内按姓名、证件号码或电话号码查询已达 {SEARCHES_MAX} 次,请稍后再试。",
                f"You have searched for persons {SEARCHES_MAX} times within an hour. Try again later.",
            )
    return visit.redirect(f"/search/{visit.keys.token(query, QUERY)}" if query else "/search")


def show(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    token = visit.path_values.get("token")
    if token is None:
        return visit.page("search.html", wanted=None, found=[], pages=None, who=None, twins=[], token="")
    query, number = visit.untoken(token, QUERY), page_number(visit)
    ids = possible_ids(query)
    with visit.engine.begin() as connection:
        who = persons_found(connection, visit.keys, query, ids)
        claimants = {hit.details.person_id: hit.by for hit in who.hits}
        count, claims = claim_search.search(connection, ids, claimants, PAGE_ROWS, (number - 1) * PAGE_ROWS)
        by_invoice = any("invoice" in claim.by for claim in claims)
        twins = claim_search.claims_with_invoice(connection, ids, TWINS_SHOWN) if by_invoice else []
        if claims or who.hits or who.kinds:
            told = {
                "claims": str(count),
                "persons": f"more than {MOST_PERSONS}" if who.too_many else str(len(who.hits)),
            }
            seen = [{"person": visit.token(hit.details.person_id)} for hit in who.hits]
            by = {"by": ", ".join(who.kinds)} if who.kinds else {}
            visit.note_view(connection, "search", **told, **by, **(seen[0] if len(seen) == 1 else {}))
            for subject in seen if len(seen) > 1 else []:
                visit.note_view(connection, "search", **subject)
    return visit.page(
        "search.html",
        wanted=None if who.hits or who.kinds else query,
        found=claims,
        pages=Pages(count, PAGE_ROWS, number),
        who=who,
        most=MOST_PERSONS,
        twins=twins,
        token=token,
    )
