"""How policies follow each other in time: which of them succeed others, when each ends, and what cannot be together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import combinations
from typing import Protocol

from schemas.bilingual import Saying


class Dated(Protocol):
    """What succession looks at: in force on the days of ``[effective_from, effective_to)``."""

    @property
    def id(self) -> str: ...
    @property
    def effective_from(self) -> date: ...
    @property
    def effective_to(self) -> date | None: ...
    @property
    def succeeds(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why some policies cannot be in force together: what to change in ``field`` of policy number ``at``."""

    at: int
    field: str
    message: Saying


class PoliciesConflict(ValueError):
    """Policies that cannot be in force together; ``conflicts`` says why, in both languages."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__("\n".join(conflict.message.en for conflict in conflicts))
        self.conflicts = list(conflicts)


Place = Callable[[int, str], str]
"""Where a field of policy number N is written, such as `` (city.toml:4)``; may be empty."""


def nowhere(_: int, __: str) -> str:
    return ""


def ends(policies: Iterable[Dated]) -> dict[str, date | None]:
    """By id, the first day on which each policy is no longer in force; one that is succeeded ends with the other."""
    known = list(policies)
    found = {policy.id: policy.effective_to for policy in known}
    return found | {policy.succeeds: policy.effective_from for policy in known if policy.succeeds in found}


def conflicts(
    policies: Sequence[Dated],
    published: Collection[str] = (),
    place: Place = nowhere,
    *,
    elsewhere: bool = False,
) -> list[Conflict]:
    """What keeps policies, each given once, from being in force together.

    The remedies never ask to change one of the ids that are ``published``. With ``elsewhere``, ``succeeds`` may name
    a policy that is not among them.
    """
    found = [*_ids(policies, place), *_successions(policies, published, place, elsewhere)]
    astray = {conflict.at for conflict in found}
    return [*found, *_overlaps(policies, published, place, astray)]


def unfit_successors(known: Sequence[Dated], new: Sequence[Dated]) -> list[Conflict]:
    """Why some new policies cannot succeed those that they name, among themselves or among those known before."""
    together, published = [*known, *new], {policy.id for policy in known}
    found = _successions(together, published, nowhere, elsewhere=False)
    return [conflict for conflict in found if conflict.at >= len(known)]


def _ids(policies: Sequence[Dated], place: Place) -> list[Conflict]:
    found = []
    for (one, first), (other, second) in combinations(enumerate(policies), 2):
        if first.id == second.id:
            there = place(one, "id")
            message = Saying(
                f"“{second.id}”已是另一个方案{there}的编号:每个版本要有自己的编号",
                f'"{second.id}" is also the id of another policy{there}: give each release its own id',
            )
            found.append(Conflict(other, "id", message))
    return found


def _successions(
    policies: Sequence[Dated], published: Collection[str], place: Place, elsewhere: bool
) -> list[Conflict]:
    by_id = {policy.id: (number, policy) for number, policy in reversed(list(enumerate(policies)))}
    heirs: dict[str, tuple[int, Dated]] = {}
    found = []
    for number, policy in sorted(enumerate(policies), key=lambda each: (each[1].id not in published, each[0])):
        if policy.succeeds is None:
            continue
        if policy.succeeds not in by_id:
            if not elsewhere:
                found.append(Conflict(number, "succeeds", _not_there(policy.succeeds, by_id)))
            continue
        before, named = by_id[policy.succeeds]
        message = _unfit(policy, named, place(before, "effective_from"), place(before, "effective_to"))
        if message is None and named.id in heirs:
            message = _taken(policy, named, *heirs[named.id], policies, place)
        if message is None:
            heirs[named.id] = (number, policy)
        else:
            found.append(Conflict(number, "succeeds", message))
    return found


def _not_there(named: str, known: Collection[str]) -> Saying:
    close = get_close_matches(named, known, n=1)
    zh, en = (f"是不是“{close[0]}”?", f'did you mean "{close[0]}"? ') if close else ("", "")
    return Saying(
        f"“{named}”不在这些方案之中:{zh}请改正编号,或先给出(公布)该方案",
        f'"{named}" is not among the policies here: {en}Correct the id, or give (publish) that policy first',
    )


def _unfit(policy: Dated, named: Dated, starts: str, stops: str) -> Saying | None:
    """Why a policy cannot succeed another, by their dates; None if it can."""
    end = named.effective_to
    if end is not None:
        late = policy.effective_from < end
        start = Saying(f",并让“{policy.id}”从 {end} 起生效", f', and let "{policy.id}" start on {end}')
        return Saying(
            f"“{named.id}”{stops}自己在 {end} 失效,只有没有失效日的方案才能被接替:"
            f"删去 succeeds{start.zh if late else ''}",
            f'"{named.id}"{stops} ends by itself on {end}, and only a policy without an end can be succeeded: '
            f"delete succeeds{start.en if late else ''}",
        )
    if policy.effective_from <= named.effective_from:
        first = named.effective_from
        return Saying(
            f"“{policy.id}”从 {policy.effective_from} 起生效,不晚于“{named.id}”{starts}的生效日 {first}:"
            "接替方案的生效日要晚于它",
            f'"{policy.id}" starts on {policy.effective_from}, and "{named.id}"{starts} not before {first}: '
            "a successor starts later than what it succeeds",
        )
    return None


def _taken(policy: Dated, named: Dated, number: int, heir: Dated, policies: Sequence[Dated], place: Place) -> Saying:
    """Only one policy may succeed another: says who does, and whom the newcomer may succeed instead."""
    there = place(number, "succeeds")
    last, followers = heir, {each.succeeds: each for each in policies if each is not policy and each.succeeds}
    while last.id in followers:
        last = followers[last.id]
    free = last.effective_to is None and last.effective_from < policy.effective_from
    return Saying(
        f"“{named.id}”已由“{heir.id}”{there}接替,一个方案只能被接替一次:"
        + (f'请写 succeeds = "{last.id}"' if free else "只用其中一个"),
        f'"{named.id}" is already succeeded by "{heir.id}"{there}, and only one policy may succeed another: '
        + (f'write succeeds = "{last.id}"' if free else "use only one of them"),
    )


def _overlaps(
    policies: Sequence[Dated], published: Collection[str], place: Place, astray: Collection[int]
) -> list[Conflict]:
    until = ends(policy for number, policy in enumerate(policies) if number not in astray)
    found = []
    in_order = sorted(enumerate(policies), key=lambda each: each[1].effective_from)
    for (one, first), (other, second) in combinations(in_order, 2):
        if one in astray or other in astray:
            continue
        end, day = until[first.id], second.effective_from
        if end is not None and end <= day:
            continue
        there = place(other, "effective_from")
        remedy = _remedy(first, second, end, published)
        message = Saying(
            f"“{first.id}”和“{second.id}”{there}在 {day} 同时有效:{remedy.zh}",
            f'"{first.id}" and "{second.id}"{there} are both in force on {day}: {remedy.en}',
        )
        mend = (other, "effective_from") if first.id in published else (one, "effective_to")
        found.append(Conflict(*mend, message))
    return found


def _remedy(first: Dated, second: Dated, end: date | None, published: Collection[str]) -> Saying:
    """What to do about the overlap of two policies; the second starts on the same day or later."""
    day, ways = second.effective_from, []
    if first.effective_from < day:
        if end is None and second.id not in published and second.succeeds is None:
            zh = f'在“{second.id}”中写 succeeds = "{first.id}",“{first.id}”即在 {day} 结束'
            en = f'write succeeds = "{first.id}" in "{second.id}", which ends "{first.id}" on that day'
            ways.append(Saying(zh, en))
        if first.id not in published:
            zh, en = f"给“{first.id}”写上 effective_to = {day}", f'end "{first.id}" with effective_to = {day}'
            ways.append(Saying(zh, en))
        if end is not None and second.id not in published:
            ways.append(Saying(f"让“{second.id}”从 {end} 起生效", f'let "{second.id}" start on {end}'))
    elif not published:
        en = "both start on that day: use only one of them, or correct the dates"
        return Saying("两者同一天开始:只用其中一个,或改正日期", en)
    if not ways:
        return Saying("请改正日期", "correct the dates of the new one")
    return Saying(",或者".join(way.zh for way in ways), ", or ".join(way.en for way in ways))
