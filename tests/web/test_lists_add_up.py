"""The lists of random ledgers under random filters: totals, pages, files and the ledger's instructions are one sum."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.ledger import claim_list
from infra.ledger.claim_list import After, ListedClaim, Sort
from infra.ledger.export_rows import rows_of
from infra.ledger.row_filter import Filter
from schemas.decisions import Status
from tests.ledger.held_stays import HOLDING
from tests.properties.strategies import tried
from tests.support.builders import coverage
from tests.support.length import times
from tests.support.random_town import PERSONS, SELF_PAY, PooledTown, RandomTown, shanghai
from tests.support.treaties import VILLAGE
from tests.web.desk import Desk, open_desk
from tests.web.lists import claims_by_hand
from tests.web.town import new_ledger

TIERS = {"": [""], VILLAGE: ["", "member"], SELF_PAY: ["", "specific", "ordinary"], "no_such_scheme": [""]}
SIGNED = (
    "SELECT claim_id, sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END) AS fen FROM instructions GROUP BY 1"
)
PAYS = "SELECT claim_id, scheme_id, coalesce(tier, '') AS tier FROM benefits WHERE benefit > 0"


class PoorTown(PooledTown):
    """The pool receives something once."""

    def _acts(self) -> list[Callable[[str, str], None]]:
        return [*RandomTown._acts(self), *([] if self.contributions else [self._contribute])]


class HoldingTown(PoorTown):
    """Stays that overlap are held besides."""

    policy = PoorTown.policy.replace("[[scheme]]", HOLDING, 1)


@pytest.fixture(scope="module", params=range(1, 1 + times(2, 6)))
def office(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """The console on a ledger in which much has happened at random."""
    folder: Path = tmp_path_factory.mktemp("console")
    with new_ledger(postgres_url, "listed") as engine, open_desk(engine, folder) as desk:
        made = HoldingTown if request.param % 2 else PoorTown
        town = made(engine, Random(request.param), shanghai("2025-03-20T09:00"))
        for person in PERSONS[1:]:
            town.take(
                person, coverage(f"C-{person}", version=2, pool_id="V1", area=town.random.choice(("east", "west")))
            )
        town.live(70)
        desk.catch_up()
        yield desk


days = st.none() | st.sampled_from([date(2024, month, day) for month in (3, 6, 7) for day in (1, 10, 30)])


def drawn(data: st.DataObject, amounts: list[int]) -> Filter:
    """A filter, of amounts that occur or lie between them."""
    scheme = data.draw(st.sampled_from(sorted(TIERS)), "scheme")
    low, high = (data.draw(st.none() | st.sampled_from(amounts) | st.integers(0, max(amounts))) for _ in range(2))
    return Filter(
        since=data.draw(days, "since"),
        until=data.draw(days, "until"),
        status=data.draw(st.sampled_from(["", "", *Status]), "status"),
        scheme=scheme,
        tier=data.draw(st.sampled_from(TIERS[scheme]), "tier"),
        facility=data.draw(st.sampled_from(["", "", "H1", "H2", "H9"]), "facility"),
        area=data.draw(st.sampled_from(["", "", "east", "west"]), "area"),
        low=low,
        high=high,
    )


def pages(desk: Desk, chosen: Filter, sort: Sort, size: int, few: bool) -> list[ListedClaim]:
    """The claims of all pages, one after the other."""
    found: list[ListedClaim] = []
    after = None
    with desk.engine.connect() as connection:
        while part := claim_list.page(connection, chosen, sort, after, size, few=few):
            found += part
            value = part[-1].day if sort in (Sort.NEWEST, Sort.OLDEST) else part[-1].due
            after = After(value, part[-1].claim_id)
    return found


def matching(desk: Desk, chosen: Filter) -> dict[str, tuple[int, int]]:
    """What is due and outstanding of each claim that the filter leaves, as the ledger has it."""
    pays: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in desk.rows(PAYS):
        pays[row.claim_id] |= {(row.scheme_id, row.tier), (row.scheme_id, "")}
    return {
        claim_id: (due, outstanding)
        for claim_id, day, status, facility, area, due, outstanding in claims_by_hand(desk)
        if (chosen.since is None or (day is not None and day >= chosen.since))
        and (chosen.until is None or (day is not None and day < chosen.until))
        and chosen.status in ("", status)
        and chosen.facility in ("", facility)
        and chosen.area in ("", area)
        and (not chosen.scheme or (chosen.scheme, chosen.tier) in pays[claim_id])
        and (chosen.low is None or due >= chosen.low)
        and (chosen.high is None or due <= chosen.high)
    }


def test_much_happens_in_random_ledgers(office: Desk) -> None:
    """Something is held or waits for a pool, something was reported paid, something is outstanding, in two areas."""
    with office.engine.connect() as connection:
        total = claim_list.total(connection, Filter())
    assert total.held + total.waiting > 0
    assert total.paid * total.outstanding != 0
    assert office.value("SELECT count(DISTINCT area) FROM digest_claim_list") > 1


@tried
@given(data=st.data())
def test_totals_of_claims_are_their_pages_their_file_and_their_instructions(office: Desk, data: st.DataObject) -> None:
    """Of any filter, in any order and size of page, whether its claims are few or many."""
    chosen = drawn(data, [row[5] for row in claims_by_hand(office)])
    sort, size, few = data.draw(st.tuples(st.sampled_from(Sort), st.integers(1, 4), st.booleans()), "page")
    wanted = matching(office, chosen)
    signed = {row.claim_id: int(row.fen) for row in office.rows(SIGNED)}
    with office.engine.connect() as connection:
        total = claim_list.total(connection, chosen)
    listed = pages(office, chosen, sort, size, few)
    with rows_of(office.engine, "claims", chosen) as rows:
        exported: Counter[str] = Counter({row[0]: row[7] for row in rows})
    assert {row.claim_id: (row.due, row.outstanding) for row in listed} == wanted
    assert len(listed) == len(wanted) == total.claims
    for name in claim_list.ClaimSum._fields[1:]:
        assert getattr(total, name) == sum(getattr(row, name) for row in listed)
    assert dict(exported) == {name: due for name, (due, _) in wanted.items()}
    assert total.due == exported.total()
    assert total.paid + total.outstanding == sum(signed.get(name, 0) for name in wanted)
