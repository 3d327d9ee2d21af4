"""Comparing a funeral list with living members, line by line: finds candidates, decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from handlers.claims.account import Account
from handlers.words import death_sentences
from schemas.funeral_lists import ComparedDeath, FuneralList, ListedDeath, ListedKind
from schemas.ids import PersonId


def meant(death: ListedDeath, directory: Mapping[str, Sequence[str]]) -> list[PersonId]:
    """Whom a line means, whether or not the ledger knows them; seldom several.

    An identity number means all whom the directory has under it. One that it has not is taken as an id in the ledger.
    """
    known = directory.get(death.number, ()) if death.is_identity else ()
    return [PersonId(name) for name in known or [death.number]]


def compare(
    given: FuneralList, directory: Mapping[str, Sequence[str]], accounts: Mapping[PersonId, Account]
) -> list[ComparedDeath]:
    """Each line, in the order of the file; one for each person whom it means.

    ``directory`` has the persons of identity numbers, ``accounts`` all who are meant and whom the ledger knows.
    """
    found = [ComparedDeath(each.line, ListedKind.UNREADABLE, each.why) for each in given.unreadable]
    first = dict[PersonId, ListedDeath]()
    for death in given.deaths:
        for person_id in meant(death, directory):
            before = first.setdefault(person_id, death)
            if before is death:
                found.append(_compared(death, person_id, accounts.get(person_id)))
            else:
                why = death_sentences.listed_before(before.line, before.died_on)
                found.append(ComparedDeath(death.line, ListedKind.LISTED_TWICE, why, person_id, death.died_on))
    return sorted(found, key=lambda each: (each.line, each.person_id or ""))


def is_member(account: Account, day: date) -> bool:
    """Whether a coverage or a membership of a household holds on a day or later."""
    ends = [each.valid_to for each in account.recorded_coverages()]
    ends += [each.valid_to for each in account.recorded_memberships()]
    return any(end is None or end > day for end in ends)


def _compared(death: ListedDeath, person_id: PersonId, account: Account | None) -> ComparedDeath:
    recorded = None if account is None or account.death is None else account.death.died_on
    if recorded is not None:
        if recorded == death.died_on:
            kind, why = ListedKind.RECORDED, death_sentences.DEATH_RECORDED
        else:
            kind, why = ListedKind.OTHER_DAY, death_sentences.OTHER_DAY
    elif account is not None and is_member(account, death.died_on):
        kind, why = ListedKind.CANDIDATE, death_sentences.NO_DEATH_RECORDED
    else:
        kind, why = ListedKind.NO_MEMBER, death_sentences.NO_MEMBER
    return ComparedDeath(death.line, kind, why, person_id, death.died_on, recorded)
