"""Which files of watches hold together: one id each, and no watch of one id twice on a day."""

from __future__ import annotations

import pytest

from schemas.watch.watch_conflicts import WatchesConflict
from schemas.watch.watch_file import parse_watches
from schemas.watch.watch_model import NO_WATCHES, PublishedWatches
from tests.support.watches import watch_text, watches_text

OLD = PublishedWatches((parse_watches(watches_text(watch_text(), head="effective_from = 2024-01-01")),))
YEAR = PublishedWatches(
    (parse_watches(watches_text(watch_text(), head="effective_from = 2024-01-01\neffective_to = 2025-01-01")),)
)


def told(published: PublishedWatches, name: str = "next", head: str = "", watch: str = "w") -> list[str]:
    """What keeps a file from being published."""
    try:
        published.joined(parse_watches(watches_text(watch_text(watch), name=name, head=head)))
    except WatchesConflict as error:
        return [each.message.en for each in error.conflicts]
    return []


@pytest.mark.parametrize(
    "days",
    ["", "effective_to = 2024-01-02", "effective_from = 2024-12-31", "effective_from = 2024-06-01"],
)
def test_one_watch_is_published_once_for_a_day(days: str) -> None:
    """Without a first day it has been there for ever; the message says how to go on."""
    (message,) = told(YEAR, head=days)
    assert '"of-tests", which is published, has the watch "w" too' in message
    assert message.endswith("give it another id, or let the new file start on 2025-01-01")


@pytest.mark.parametrize("days", ["effective_to = 2024-01-01", "effective_from = 2025-01-01"])
def test_files_of_other_days_hold_together(days: str) -> None:
    """The day on which one ends may be the other's first."""
    assert [] == told(YEAR, head=days)


def test_a_file_without_an_end_leaves_no_day_to_its_watches() -> None:
    """Others hold beside it."""
    (message,) = told(OLD, head="effective_from = 2099-01-01")
    assert message.endswith("give it another id")
    assert [] == told(OLD, watch="other")


def test_each_file_has_an_id_of_its_own() -> None:
    """And the same content is the same file."""
    assert ["an id of its own"] == [each[-16:] for each in told(YEAR, name="of-tests", watch="other")]
    assert YEAR is YEAR.joined(YEAR.files[0])
    assert [] == told(NO_WATCHES)
