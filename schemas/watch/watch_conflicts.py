"""Which file of watches cannot hold with those published: an id for two files, or for two watches of one day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from schemas.bilingual import Saying
from schemas.policy.succession import Conflict


class Named(Protocol):
    """A watch."""

    @property
    def id(self) -> str: ...


class Watching(Protocol):
    """What is looked at: some watches on the days of ``[effective_from, effective_to)``."""

    @property
    def id(self) -> str: ...
    @property
    def effective_from(self) -> date | None: ...
    @property
    def effective_to(self) -> date | None: ...
    @property
    def watches(self) -> Sequence[Named]: ...


class WatchesConflict(ValueError):
    """Files of watches that cannot hold together; ``conflicts`` says why, in both languages."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__("\n".join(conflict.message.en for conflict in conflicts))
        self.conflicts = list(conflicts)


def conflicts(published: Iterable[Watching], new: Watching) -> list[Conflict]:
    """What keeps a new file from being published. The remedies never ask to change what is."""
    found = []
    for file in published:
        if file.id == new.id:
            found.append(Conflict(0, "id", _same_id(file)))
            continue
        names = {each.id for each in file.watches}
        shared = [each.id for each in new.watches if each.id in names]
        if shared and _overlap(file, new):
            found.append(Conflict(0, "watch", _same_watch(file, shared)))
    return found


def _overlap(one: Watching, other: Watching) -> bool:
    """Whether a day is of both; without a first day they have been there for ever."""
    return _begins_before_the_end_of(one, other) and _begins_before_the_end_of(other, one)


def _begins_before_the_end_of(one: Watching, other: Watching) -> bool:
    return one.effective_from is None or other.effective_to is None or one.effective_from < other.effective_to


def _same_id(file: Watching) -> Saying:
    return Saying(
        f"“{file.id}”已经公布过,内容不同;公布以后不能改:请换一个编号",
        f'"{file.id}" is already published with other content, and what is published never changes: '
        "give the new file an id of its own",
    )


def _same_watch(file: Watching, shared: Sequence[str]) -> Saying:
    zh_names = "、".join(f"“{name}”" for name in shared)
    names = ("watches " if len(shared) > 1 else "watch ") + ", ".join(f'"{name}"' for name in shared)
    zh_way, way = "请换一个规则编号", "give it another id"
    if file.effective_to is not None:
        zh_way += f",或者从 {file.effective_to} 起生效"
        way += f", or let the new file start on {file.effective_to}"
    return Saying(
        f"已公布的“{file.id}”在同样的日子里也有规则 {zh_names}:{zh_way}",
        f'"{file.id}", which is published, has the {names} too, on some of the same days: {way}',
    )
