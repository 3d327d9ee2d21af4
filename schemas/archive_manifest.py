"""An archive: the lines of its files, and the manifest that says what is in them and where the audit log goes on.

A month's archive is a folder that is named after the month before which everything in it was recorded, such as
``2027-03``. For each shard it holds a contiguous part of the audit log, which ends with a signed checkpoint, and the
events that these entries are about. The manifest is canonical JSON, and its bytes are signed with the audit key.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.canonical import canonical_json
from schemas.checkpoint import Checkpoint, NotACheckpoint, parse_notes
from schemas.dates import Instant
from schemas.months import Month, format_month

FORMAT: Final = "huzhu.archive/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"

_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Number = Annotated[int, Field(ge=1)]
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


class EntryLine(NamedTuple):
    """An audit entry in an archive: its number in the shard, the event that it is about, its bytes."""

    seq: int
    event_no: int
    value: bytes


class EventLine(NamedTuple):
    """An event in an archive, as the ledger has it; ``seq`` is the number of the entry that is about itself."""

    seq: int
    event_no: int
    topic: str
    partition: int
    offset: int | None
    key: bytes | None
    value: bytes | None
    recorded_at: datetime
    disposition: str


class NotAnArchive(ValueError):
    """A folder or text that is no archive; the message says what is wrong."""


class ArchivedFile(BaseModel):
    """A Parquet file: its SHA-256 and length, how many rows it has and how many bytes of entries or events."""

    model_config = _STRICT

    sha256: _Sha256
    bytes: Annotated[int, Field(ge=0)]
    rows: Annotated[int, Field(ge=0)]
    value_bytes: Annotated[int, Field(ge=0)]


class ArchivedShard(BaseModel):
    """Entries ``first`` to ``last`` of a shard, and the events that they are about.

    ``last_hash`` is the hash of the last entry, ``frontier`` what the Merkle tree needs to go on after it, in
    hexadecimal digits, and ``checkpoint`` the signed note over exactly the first ``last`` entries.
    """

    model_config = _STRICT

    shard: Annotated[int, Field(ge=0)]
    first: _Number
    last: _Number
    last_hash: _Sha256
    frontier: str
    checkpoint: str
    entries: ArchivedFile
    events: ArchivedFile

    def files_in(self, folder: Path) -> tuple[Path, Path]:
        """Those of the entries and of the events."""
        return files_of(folder, self.shard)


class ArchiveManifest(BaseModel):
    """What an archive holds, in the log ``log``: all that it takes was recorded before the month ``before`` began."""

    model_config = _STRICT

    format: Literal["huzhu.archive/1"] = FORMAT
    log: str
    before: Month
    made_at: Instant
    shards: Annotated[tuple[ArchivedShard, ...], Field(min_length=1)]

    @property
    def name(self) -> str:
        """What its folder is called."""
        return format_month(self.before)

    @property
    def entry_count(self) -> int:
        """How many audit entries are in it."""
        return sum(each.entries.rows for each in self.shards)

    @property
    def event_count(self) -> int:
        """How many events are in it."""
        return sum(each.events.rows for each in self.shards)

    @property
    def text(self) -> bytes:
        """The bytes that are signed: one line of JSON, so they are no checkpoint's."""
        return canonical_json(self.model_dump(mode="json"))


def files_of(folder: Path, shard: int) -> tuple[Path, Path]:
    """The files of a shard's entries and events."""
    return folder / f"audit-{shard:04}.parquet", folder / f"events-{shard:04}.parquet"


def parse_manifest(data: bytes) -> ArchiveManifest:
    """Raises NotAnArchive."""
    try:
        manifest = ArchiveManifest.model_validate_json(data)
    except ValidationError as error:
        place = "/".join(map(str, error.errors()[0]["loc"]))
        raise NotAnArchive(f"{MANIFEST} is not in the form {FORMAT} (at {place or 'its beginning'})") from None
    numbers = [each.shard for each in manifest.shards]
    ranges = all(each.first <= each.last for each in manifest.shards)
    if manifest.text != data or numbers != sorted(set(numbers)) or not ranges:
        raise NotAnArchive(f"{MANIFEST} is not as Huzhu writes it")
    return manifest


def checkpoint_of(archived: ArchivedShard) -> Checkpoint:
    """The checkpoint with which a shard's part ends, its signature not yet checked. Raises NotAnArchive."""
    try:
        (signed,) = parse_notes(archived.checkpoint)
    except (NotACheckpoint, ValueError):
        raise NotAnArchive(f"{MANIFEST} has no readable checkpoint of shard {archived.shard}") from None
    checkpoint = signed.checkpoint
    if (checkpoint.shard, checkpoint.size) != (archived.shard, archived.last):
        raise NotAnArchive(f"the checkpoint of shard {archived.shard} in {MANIFEST} is not that of its last entry")
    return checkpoint
