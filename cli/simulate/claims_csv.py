"""Every claim of a simulation as CSV: one line per claim and scheme, sorted."""

from __future__ import annotations

import csv
import heapq
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from handlers.claims.adjudicate import Benefit
from handlers.offline.what_if import Pair
from infra.files.csv_cells import harmless
from schemas.money import format_yuan

HEAD = (
    "claim_id",
    "scheme_id",
    "area",
    "discharged_on",
    "status_before",
    "status_after",
    "tier_before",
    "tier_after",
    "before",
    "after",
    "change",
)


def lines_of(pair: Pair) -> Iterator[bytes]:
    """The lines of one claim; a single line with an empty scheme if no policy applied."""
    claim_id, day = pair.after.claim.claim_id, "" if pair.discharged_on is None else str(pair.discharged_on)
    before = {benefit.scheme.id: benefit for benefit in pair.before.benefits}
    after = {benefit.scheme.id: benefit for benefit in pair.after.benefits}
    for scheme_id in sorted(before.keys() | after.keys()) or [""]:
        one, other = before.get(scheme_id), after.get(scheme_id)
        paid = [0 if benefit is None else benefit.amount for benefit in (one, other)]
        cells = (claim_id, scheme_id, pair.area, day, pair.before.status, pair.after.status, _tier(one), _tier(other))
        text = io.StringIO()
        amounts = map(format_yuan, [*paid, paid[1] - paid[0]])
        csv.writer(text, lineterminator="\n").writerow([*map(harmless, cells), *amounts])
        yield text.getvalue().encode("utf-8")


def _tier(benefit: Benefit | None) -> str:
    return "" if benefit is None or benefit.tier is None else benefit.tier.name


def merge(parts: Iterable[Path], target: Path) -> None:
    """Merges all parts into one file with a header. The byte order mark tells Excel that the text is UTF-8."""
    with ExitStack() as stack, target.open("wb") as file:
        file.write(b"\xef\xbb\xbf" + ",".join(HEAD).encode() + b"\n")
        file.writelines(heapq.merge(*(stack.enter_context(part.open("rb")) for part in parts)))
