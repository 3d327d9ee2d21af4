"""Comparing a funeral list (殡葬名单) with the living members, and raising alerts about those whom it names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from acts.four_eyes import Unusable
from acts.ledger_act import ledger_act
from acts.load_world import load_persons
from acts.reported_deaths import reported_deaths
from handlers.claims.process import Processor
from handlers.deaths.compare_list import compare, meant
from handlers.deaths.report_deaths import report_deaths
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.keys.personal_data import Keyring
from infra.ledger import people_directory
from schemas.alert_records import AlertState
from schemas.bilingual import Saying
from schemas.funeral_lists import ComparedDeath, FuneralList, ListedKind, MatchDeaths
from schemas.ids import PersonId

_LIST_ID = re.compile(r"[^\x00-\x1f\x7f]{1,64}")


class UnusableListName(Unusable):
    """A list that cannot be called so."""


class UnusableList(Unusable):
    """A list of which nobody can be found as things are: what the one before it said is left as it is."""


class TakenList(NamedTuple):
    """A list that was taken in: its lines, compared, and how many alerts were raised or told again, and withdrawn."""

    compared: list[ComparedDeath]
    raised: int
    withdrawn: int


def compare_list(
    connection: Connection, given: FuneralList, shard_count: int, keys: Keyring | None
) -> list[ComparedDeath]:
    """What each line comes to now; locks and writes nothing. Raises NotReadable and UnusableList.

    Without ``keys`` identity numbers are taken as the ledger's own ids, if there is no directory to look them up in.
    """
    directory = _directory(connection, given, keys)
    return compare(given, directory, load_persons(connection, _persons(given, directory), shard_count).accounts)


def match_deaths(
    connection: Connection,
    given: FuneralList,
    list_id: str,
    operator: str,
    shard_count: int,
    now: Clock,
    keys: Keyring | None,
) -> TakenList:
    """Takes a list in under the locks of all shards, in place of what a list of its name said before.

    Each living member whom it names has an alert, until the death is recorded or no list names them any more. Raises
    NotReadable, UnusableList and UnusableListName.
    """
    name = mask_text(list_id.strip())
    if not _LIST_ID.fullmatch(name):
        raise UnusableListName(
            Saying("名单编号应为 1 至 64 个可见字符。", "The list's name has 1 to 64 printable characters.")
        )
    if given.unreadable and not given.deaths:
        raise UnusableList(
            Saying("名单没有一行可以识别,没有做任何改动。", "No line of the list can be read: nothing was changed.")
        )
    directory = _directory(connection, given, keys)
    with ledger_act(connection, range(shard_count), now) as journal:
        before = reported_deaths(connection)
        world = load_persons(connection, _persons(given, directory) | before.keys(), shard_count)
        world.reported_deaths = before
        compared = compare(given, directory, world.accounts)
        found = [
            [each.person_id, each.died_on.isoformat()]
            for each in compared
            if each.kind is ListedKind.CANDIDATE and each.person_id is not None and each.died_on is not None
        ]
        act = MatchDeaths(name, given.sha256, given.lines, sorted(found), operator)
        report_deaths(Processor(world, journal), act)
        told = [change.to for change in journal.outcome.alerts]
    return TakenList(compared, told.count(AlertState.OPEN), told.count(AlertState.WITHDRAWN))


def _directory(connection: Connection, given: FuneralList, keys: Keyring | None) -> Mapping[str, Sequence[str]]:
    numbers = {each.number for each in given.deaths if each.is_identity}
    if not numbers:
        return {}
    if keys is not None:
        return people_directory.with_id_numbers(connection, keys, numbers)
    if not people_directory.is_empty(connection):
        raise UnusableList(
            Saying(
                "名单中有身份证号,须在人员名录中查找:请设置 HUZHU_CONSOLE_KEY_FILE。",
                "The list has identity numbers, which are looked up in the directory: set HUZHU_CONSOLE_KEY_FILE.",
            )
        )
    return {}


def _persons(given: FuneralList, directory: Mapping[str, Sequence[str]]) -> set[PersonId]:
    return {person_id for each in given.deaths for person_id in meant(each, directory)}
