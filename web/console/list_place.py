"""Where in a list a page begins: its order, and the last line of the page before, as an address has them."""

from __future__ import annotations

from datetime import date

from infra.ledger.claim_list import Sort
from web.console.visit import Visit, not_found

_BY_DAY = (Sort.NEWEST, Sort.OLDEST)


def position(sort: Sort, day: date, amount: int, *key: str) -> str:
    """A line's place in the order, for the address of the page that begins after it; ``amount`` is fen."""
    return ".".join([str(day if sort in _BY_DAY else amount), *key])


def read_place(visit: Visit, parts: int) -> tuple[Sort, tuple[date | int, list[str]] | None]:
    """The order, and the day or the fen and the key, of so many ``parts``, of the line after which the page begins.

    Raises PageRefused for what no link of ours says.
    """
    try:
        sort = Sort(visit.query.get("sort") or Sort.NEWEST)
        if "after" not in visit.query:
            return sort, None
        first, *key = visit.query["after"].split(".", parts)
        value = date.fromisoformat(first) if sort in _BY_DAY else int(first)
    except ValueError:
        raise not_found() from None
    if len(key) != parts or (isinstance(value, int) and abs(value) >= 2**63):
        raise not_found()
    return sort, (value, key)
