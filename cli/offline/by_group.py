"""Brings persons together whom households or invoices link, wherever their facts lay, and works on whole groups.

The second half of `cli.offline.by_person`, where somebody counts by household or names an invoice of two encounters.
Of each bucket the persons whom something links are *set aside* in a file of columns. When all are known, their groups
are found, each file is sorted by group, and the work is done on the persons of some groups at a time. So these persons
are written and read twice more than others; memory holds some buckets, and 24 bytes for each link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar

import numpy as np
import pyarrow as pa
from rich.progress import Progress

from cli.offline.plan import Plan
from cli.offline.worker_processes import Workers, in_order
from handlers.claims.decidable import Decidable
from handlers.offline.columns.arrays import Ints
from handlers.offline.columns.column_groups import Groups, Links, groups_of, linked_rows, links_in, person_keys
from handlers.offline.columns.packing import Packed
from handlers.offline.columns.texts import Keys, keys_of
from handlers.offline.groups import Linking, links_of_account

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Aside:
    """Persons whom something links: their columns in a file, and those that no column holds (`Packed.beyond`)."""

    file: Path
    links: Links
    beyond: Sequence[Decidable]


@dataclass(frozen=True, slots=True)
class InOrder:
    """The columns of persons in a file, sorted by the bucket of their group, and where each bucket begins."""

    file: Path
    starts: list[int]

    def table(self, bucket: int) -> pa.Table:
        """The persons of a bucket."""
        start, end = self.starts[bucket : bucket + 2]
        return _read(self.file).slice(start, end - start)


def set_aside(folder: Path, packed: Packed, linking: Linking) -> tuple[Packed, Aside | None]:
    """The persons whom nothing links, and the others, if there are any."""
    linked = linked_rows(packed.table, linking)
    beyond, alone = list[Decidable](), list[Decidable]()
    for account in packed.beyond:
        (beyond if links_of_account(account, linking) else alone).append(account)
    if not linked.any() and not beyond:
        return packed, None
    table = packed.table.filter(pa.array(linked))
    links = _joined([links_in(table, linking), *(_links_of(account, linking) for account in beyond)])
    return Packed(packed.table.filter(pa.array(~linked)), alone), Aside(_written(folder, table), links, beyond)


def by_group(
    plan: Plan, asides: Iterable[Aside | None], work: Callable[[Packed], T], pool: Workers, bar: Progress
) -> list[T]:
    """Does ``work`` on the persons who were set aside, whole groups at a time."""
    known = [aside for aside in asides if aside is not None]
    if not known:
        return []
    groups = groups_of(_joined([aside.links for aside in known]))
    beyond: dict[int, list[Decidable]] = {}
    for account in (account for aside in known for account in aside.beyond):
        (bucket,) = _buckets(plan, groups, _key_of(account))
        beyond.setdefault(bucket, []).append(account)
    kept = plan.folder / "groups.npz"
    np.savez(kept, person=groups.person, number=groups.number)
    sorted_files = in_order(partial(_sorted, plan, kept), [aside.file for aside in known], pool, bar, "finding groups")
    deciding = partial(_on_groups, sorted_files, beyond, work)
    return in_order(deciding, range(plan.buckets), pool, bar, "deciding groups")


def _sorted(plan: Plan, kept: Path, aside: Path) -> InOrder:
    """Sorts those who were set aside in a file by the bucket of their group."""
    with np.load(kept) as loaded:
        groups = Groups(loaded["person"], loaded["number"])
    table = _read(aside)
    bucket = _buckets(plan, groups, person_keys(table))
    in_buckets = table.take(pa.array(np.argsort(bucket, kind="stable")))
    starts = [0, *np.cumsum(np.bincount(bucket, minlength=plan.buckets)).tolist()]
    found = InOrder(_written(plan.folder, in_buckets), starts)
    aside.unlink()
    return found


def _on_groups(
    files: Sequence[InOrder], beyond: Mapping[int, Sequence[Decidable]], work: Callable[[Packed], T], bucket: int
) -> T:
    table = pa.concat_tables([file.table(bucket) for file in files])
    return work(Packed(table.combine_chunks(), beyond.get(bucket, ())))


def _buckets(plan: Plan, groups: Groups, persons: Keys) -> Ints:
    buckets: Ints = groups.of(persons) % plan.buckets
    return buckets


def _links_of(account: Decidable, linking: Linking) -> Links:
    names = sorted(links_of_account(account, linking))
    return Links(np.repeat(_key_of(account), len(names)), keys_of(pa.array(names, pa.string())))


def _key_of(account: Decidable) -> Keys:
    return keys_of(pa.array([account.person_id], pa.string()))


def _joined(links: Sequence[Links]) -> Links:
    return Links(np.concatenate([each.person for each in links]), np.concatenate([each.name for each in links]))


def _written(folder: Path, table: pa.Table) -> Path:
    with (
        NamedTemporaryFile(dir=folder, prefix="linked-", delete=False) as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table)
    return Path(file.name)


def _read(file: Path) -> pa.Table:
    with pa.memory_map(str(file)) as opened:
        return pa.ipc.open_file(opened).read_all()
