"""Which treaties cannot be in force together: one id for two of them, or two for one scheme on one day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from itertools import combinations
from typing import Protocol

from schemas.bilingual import Saying
from schemas.policy.succession import Conflict, Place, nowhere


class Covering(Protocol):
    """What is looked at: covers some schemes on the days of ``[effective_from, effective_to)``."""

    @property
    def id(self) -> str: ...
    @property
    def effective_from(self) -> date: ...
    @property
    def effective_to(self) -> date | None: ...
    @property
    def schemes(self) -> tuple[str, ...]: ...


class TreatiesConflict(ValueError):
    """Treaties that cannot be in force together; ``conflicts`` says why, in both languages."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__("\n".join(conflict.message.en for conflict in conflicts))
        self.conflicts = list(conflicts)


def conflicts(treaties: Sequence[Covering], published: Collection[str] = (), place: Place = nowhere) -> list[Conflict]:
    """What keeps treaties, each given once, from being in force together.

    Those whose ids are ``published`` come first, and the remedies never ask to change them.
    """
    found = []
    for (one, first), (other, second) in combinations(enumerate(treaties), 2):
        if first.id == second.id:
            found.append(Conflict(other, "id", _same_id(first, place(one, "id"), first.id in published)))
            continue
        if second.effective_from < first.effective_from:
            one, first, other, second = other, second, one, first
        shared = [scheme_id for scheme_id in first.schemes if scheme_id in second.schemes]
        if shared and (first.effective_to is None or second.effective_from < first.effective_to):
            remedy = _remedy(first, second, shared, published)
            message = _overlap(first, second, shared, place(other, "effective_from"), remedy)
            same_day = first.effective_from == second.effective_from and second.id not in published
            mend = (other, "effective_from") if first.id in published or same_day else (one, "effective_to")
            found.append(Conflict(*mend, message))
    return found


def _same_id(first: Covering, there: str, published: bool) -> Saying:
    if published:
        return Saying(
            f"“{first.id}”已经公布过,内容不同;公布以后不能改:请换一个编号",
            f'"{first.id}" is already published with other content, and a published treaty never changes: '
            "give the new one an id of its own",
        )
    return Saying(
        f"“{first.id}”已是另一份承保协议{there}的编号:每份协议要有自己的编号",
        f'"{first.id}" is also the id of another treaty{there}: give each treaty its own id',
    )


def _overlap(first: Covering, second: Covering, shared: Sequence[str], there: str, remedy: Saying) -> Saying:
    zh_names = "、".join(f"“{name}”" for name in shared)
    names = ("schemes " if len(shared) > 1 else "scheme ") + ", ".join(f'"{name}"' for name in shared)
    days = _days(second.effective_from, [end for end in (first.effective_to, second.effective_to) if end is not None])
    return Saying(
        f"“{first.id}”和“{second.id}”{there}都承保保障层{zh_names},{days.zh}重叠:{remedy.zh}",
        f'"{first.id}" and "{second.id}"{there} both cover the {names} {days.en}: {remedy.en}',
    )


def _days(first: date, ends: Sequence[date]) -> Saying:
    if not ends:
        return Saying(f"自 {first} 起", f"from {first} on")
    last = min(ends) - timedelta(days=1)
    return Saying(f"{first} 到 {last}(含)", f"from {first} to {last} inclusive")


def _remedy(first: Covering, second: Covering, shared: Sequence[str], published: Collection[str]) -> Saying:
    """What to do about an overlap, without changing what is published; the second starts on the same day or later."""
    ways = []
    free = [treaty.id for treaty in (first, second) if treaty.id not in published]
    day, end = second.effective_from, first.effective_to
    if first.id in free and first.effective_from < day:
        ways.append(Saying(f"给“{first.id}”写上 effective_to = {day}", f'end "{first.id}" with effective_to = {day}'))
    if second.id in free and end is not None and (second.effective_to is None or end < second.effective_to):
        ways.append(Saying(f"让“{second.id}”从 {end} 起生效", f'let "{second.id}" start on {end}'))
    names = ", ".join(f'"{name}"' for name in shared)
    if len(free) == 1:
        zh, en = f"从“{free[0]}”的 schemes 中删去 {names}", f'take {names} out of the schemes of "{free[0]}"'
    else:
        zh, en = f"从其中一份的 schemes 中删去 {names}", f"take {names} out of the schemes of one of them"
    ways.append(Saying(zh, en))
    return Saying(",或者".join(way.zh for way in ways), ", or ".join(way.en for way in ways))
