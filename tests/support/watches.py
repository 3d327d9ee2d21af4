"""Files of watches for tests, and what is found by them among events."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.offline.book import Book
from handlers.offline.groups import together
from handlers.watches.looking import found_among
from schemas.money import format_yuan
from schemas.policy.model import Policies
from schemas.watch.watch_file import parse_watches
from schemas.watch.watch_model import Watches
from tests.support.builders import POLICY, Json, bill, discharge, encode, policies

EVERYBODY = policies(POLICY)
"""Decides whoever is discharged from 2020 on; nobody needs a coverage to be watched."""

Found = list[tuple[str, str, str, str, str]]
"""Watch, claim, unit, step and sum of each crossing, sorted; amounts in yuan."""


def watch_text(
    name: str = "w",
    measure: str = "personal_burden",
    unit: str = "person",
    months: int = 12,
    steps: str = '"1000.00"',
    more: str = "",
) -> str:
    """One watch of a file."""
    return (
        f'[[watch]]\nid = "{name}"\nmeasure = "{measure}"\nunit = "{unit}"\nwindow_months = {months}\n'
        f"steps = [{steps}]\n{more}\n"
    )


def watches_of(*texts: str, head: str = "") -> Watches:
    """The watches of these texts in one file; ``head`` are further fields of its first table."""
    return parse_watches(watches_text(*texts, head=head))


def watches_text(*texts: str, name: str = "of-tests", head: str = "") -> str:
    """A file of these watches."""
    return f'[watches]\nid = "{name}"\n{head}\n' + "".join(texts)


def stay(name: str, day: str, yuan: int, out_of_catalogue: int = 0, **of: str) -> list[Json]:
    """A stay of one day and its bill, in whole yuan of copay and out of catalogue."""
    discharged = discharge(name, day, admitted_on=day, **of)
    settled = bill(f"S-{name}", name, yuan, out_of_catalogue=out_of_catalogue, settled_at=f"{day}T15:00:00+08:00", **of)
    return [{**event, "occurred_at": f"{day}T18:00:00+08:00"} for event in (discharged, settled)]


def found_in(events: Iterable[Json], watches: Watches, published: Policies = EVERYBODY) -> Found:
    """What the watches find in one book of all events."""
    book = Book()
    for event in events:
        book.take(encode(event))
    groups = together(book.accounts.values(), published, by_household=watches.by_household)
    found = [each for persons in groups for each in found_among(persons, published, watches)[0]]
    found.sort(key=lambda each: (each.watch.id, each.claim.claim_id, each.step))
    return [
        (each.watch.id, each.claim.claim_id, each.unit_id, format_yuan(each.step), format_yuan(each.sum))
        for each in found
    ]
