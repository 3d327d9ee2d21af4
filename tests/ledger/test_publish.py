"""Publishing a policy that ends another: in one transaction, the claims from that day on again, with a preview."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import chain as chained
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import DBAPIError

from acts.publish_policy import Published, preview_policy
from acts.published_policies import published_policies
from acts.seen_coverages import seen_coverages
from handlers.offline.book import Book
from infra.ledger import tables
from schemas.decisions import to_json
from schemas.policy.succession import PoliciesConflict
from tests.support.acts import publish
from tests.support.builders import (
    POLICY,
    RECORDED_AT,
    SHARDS,
    VILLAGE,
    bill,
    coverage,
    delivery,
    discharge,
    encode,
    policy_text,
)
from tests.support.ledgers import contents, for_person, give, held, in_order, ticking
from tests.support.loads import posted, random_batches, sample
from tests.support.replayed import assert_replays
from tests.support.succession import successor

LATER = RECORDED_AT + timedelta(days=30)
DAYS = {"E1": "2024-06-30", "E2": "2024-07-01", "E3": "2024-12-31"}
JULY = successor("july", "2024-07-01", "both-layers")


def published(ledger: Engine, text: str) -> Published:
    return publish(ledger, text, "li.na", SHARDS, lambda: LATER)


def previewed(ledger: Engine, text: str) -> Published:
    with ledger.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        return preview_policy(connection, text, SHARDS, lambda: LATER)


def stay(name: str, day: str, copay: int = 4000) -> list[dict[str, Any]]:
    return [discharge(name, day), bill(f"S-{name}", name, copay)]


@pytest.fixture
def spring_and_autumn(ledger: Engine) -> Engine:
    """A ledger under a policy without an end: paid stays until the last day of June, the first of July, and winter."""
    held(ledger)
    published(ledger, POLICY)
    stays = [stay(name, day) for name, day in DAYS.items()]
    give(ledger, in_order([coverage(), *chained(*stays)]))
    return ledger


def benefits(ledger: Engine) -> dict[str, int]:
    """What the village pays for each claim, in fen."""
    with ledger.connect() as connection:
        rows = connection.execute(select(tables.benefits).where(tables.benefits.c.scheme_id == "village_mutual_aid"))
        return {row.claim_id: row.benefit for row in rows}


def policies_of_claims(ledger: Engine) -> dict[str, str | None]:
    with ledger.connect() as connection:
        names = {row.sha256: row.policy_id for row in connection.execute(select(tables.policies))}
        return {row.claim_id: names.get(row.policy_sha256) for row in connection.execute(select(tables.claims))}


def test_a_successor_decides_the_claims_from_its_first_day_on_again(spring_and_autumn: Engine) -> None:
    """Those before keep their policy and their money; the difference of the others is paid in the same transaction."""
    ledger = spring_and_autumn
    assert {"E1": 600_00, "E2": 600_00, "E3": 600_00} == benefits(ledger)
    done = published(ledger, JULY)
    assert {"E1": 600_00, "E2": 1_000_00, "E3": 1_000_00} == benefits(ledger)
    assert {"E1": "both-layers", "E2": "july", "E3": "july"} == policies_of_claims(ledger)
    assert (1, 2, 0, 2, 2) == (
        done.persons,
        done.claims_decided,
        done.claims_waiting,
        done.claims_changed,
        done.instructions,
    )
    assert {"village_mutual_aid": (800_00, 0)} == {n: (m.paid, m.recovered) for n, m in done.money.items()}
    assert_replays(ledger)


def test_a_stay_that_ended_on_the_first_day_is_decided_again(ledger: Engine) -> None:
    """Also where it is a person's only one; a stay that ended the day before is left alone."""
    held(ledger)
    published(ledger, POLICY)
    persons = {"P1": "2024-06-30", "P2": "2024-07-01"}
    events = [for_person(name, coverage(f"C-{name}"), *stay(name, day)) for name, day in persons.items()]
    give(ledger, in_order([*chained(*events)]))
    assert 1 == published(ledger, JULY).persons
    assert {"P1": 600_00, "P2": 1_000_00} == benefits(ledger)
    assert_replays(ledger)


def test_what_a_successor_no_longer_pays_is_taken_back(spring_and_autumn: Engine) -> None:
    """A scheme that is gone is recovered, and claims after the successor's own end have no policy any more."""
    ledger = spring_and_autumn
    village = VILLAGE.replace('id = "village_mutual_aid"', 'id = "village_2024"', 1)
    done = published(ledger, successor("july", "2024-07-01", "both-layers", "2024-12-01", village))
    money = {name: (each.paid, each.recovered) for name, each in done.money.items()}
    assert {"village_mutual_aid": (0, 1_200_00), "village_2024": (600_00, 0)} == money
    assert {"E1": "both-layers", "E2": "july", "E3": None} == policies_of_claims(ledger)
    published(ledger, policy_text("winter", "2024-12-01", None, VILLAGE))
    assert {"E1": "both-layers", "E2": "july", "E3": "winter"} == policies_of_claims(ledger)
    assert_replays(ledger)


def test_a_chain_may_be_published_one_after_the_other(spring_and_autumn: Engine) -> None:
    """Each ends the one before it; what was settled under the middle one moves on to the last."""
    ledger = spring_and_autumn
    published(ledger, JULY)
    published(ledger, successor("october", "2024-10-01", "july", None, VILLAGE))
    assert {"E1": "both-layers", "E2": "july", "E3": "october"} == policies_of_claims(ledger)
    give(ledger, in_order([bill("S-E2", "E2", 5000, version=2)], first=3))
    assert {"E1": 600_00, "E2": 1_500_00, "E3": 600_00} == benefits(ledger)
    assert_replays(ledger)


def test_the_audit_entry_names_the_policy_that_was_succeeded(spring_and_autumn: Engine) -> None:
    """And only where there is one."""
    published(spring_and_autumn, JULY)
    with spring_and_autumn.connect() as connection:
        entry = tables.audit_entries
        kept = connection.scalars(select(entry.c.value).where(entry.c.kind == "policy.published"))
        told = [bytes(value) for value in kept]
    assert [b'"succeeds":"both-layers"' in each for each in sorted(told, key=len)] == [False, True]


def test_the_preview_says_what_publishing_then_does(spring_and_autumn: Engine) -> None:
    """Claim by claim and fen by fen, and it writes nothing, locks nothing and uses up no number."""
    ledger = spring_and_autumn
    before, statements = contents(ledger), list[str]()
    event.listen(ledger, "before_cursor_execute", lambda *arguments: statements.append(arguments[2].split()[0]))
    with ledger.begin() as connection:
        connection.execute(select(tables.shards).with_for_update())
        expected = previewed(ledger, JULY)
    assert {"SELECT"} == set(statements)
    assert before == contents(ledger)
    assert expected.claims_decided == 2
    assert expected == published(ledger, JULY)


def test_the_preview_is_right_on_a_mixed_load(ledger: Engine) -> None:
    """Corrections, voids, deaths and waiting claims among it."""
    now, rng = ticking(), Random(3)
    held(ledger)
    publish(ledger, sample("first", "2023-01-01", None), "li.na", SHARDS, now)
    for batch in random_batches(list(posted(3)), rng):
        give(ledger, batch, now)
    text = sample("second", "2024-07-01", None).replace('"0.601"', '"0.45"')
    text = text.replace("effective_from", 'succeeds = "first"\neffective_from', 1)
    expected = previewed(ledger, text)
    done = published(ledger, text)
    assert expected == done
    assert done.claims_decided > 10
    assert any(money.recovered for money in done.money.values())
    assert_replays(ledger)


def test_publishing_again_and_previewing_again_do_nothing(spring_and_autumn: Engine) -> None:
    """Also for a policy that another one has succeeded since."""
    ledger = spring_and_autumn
    published(ledger, JULY)
    before = contents(ledger)
    for text in (POLICY, JULY):
        assert not published(ledger, text).new
        assert not previewed(ledger, text).new
    assert before == contents(ledger)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (successor("x", "2024-07-01", "nobody"), '"nobody" is not among the policies here'),
        (successor("x", "2020-01-01", "both-layers"), "a successor starts later than what it succeeds"),
        (policy_text("x", "2024-07-01", None, VILLAGE), 'write succeeds = "both-layers" in "x"'),
    ],
)
@pytest.mark.parametrize("act", [published, previewed])
def test_a_succession_that_cannot_be_is_refused_whole(
    spring_and_autumn: Engine, act: Callable[[Engine, str], Published], text: str, reason: str
) -> None:
    """Nothing remains of it, and the reason says what to write."""
    before = contents(spring_and_autumn)
    with pytest.raises(PoliciesConflict, match=reason):
        act(spring_and_autumn, text)
    assert before == contents(spring_and_autumn)


def test_a_publication_that_fails_in_the_middle_leaves_the_predecessor_in_force(
    spring_and_autumn: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the one, the other, and all decisions are one transaction."""
    before = contents(spring_and_autumn)
    monkeypatch.setattr("acts.publish_policy._count", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        published(spring_and_autumn, JULY)
    assert before == contents(spring_and_autumn)


def test_the_ledger_decides_as_the_files_do_together(spring_and_autumn: Engine) -> None:
    """After the succession the ledger holds what the same facts give offline under both files."""
    ledger = spring_and_autumn
    published(ledger, JULY)
    book = Book()
    with ledger.connect() as connection:
        query = select(tables.events).where(tables.events.c.disposition == "accepted")
        for row in connection.execute(query.order_by(tables.events.c.event_no)):
            book.take(bytes(row.value))
        policies = published_policies(connection)
        totals = {row.claim_id: row.total_benefit for row in connection.execute(select(tables.claims))}
    offline = {each.claim_id: to_json(each)["total_benefit"] for each in book.decide(policies)}
    assert offline == {name: f"{fen / 100:.2f}" for name, fen in totals.items()}


def test_two_successors_at_once_leave_one(spring_and_autumn: Engine) -> None:
    """Whoever comes second is refused by the database too, whatever his program believes."""
    published(spring_and_autumn, JULY)
    row = {"sha256": "x", "policy_id": "x", "effective_from": LATER.date(), "source_text": "", "event_no": 1}
    said = {"operator": "li.na", "published_at": LATER, "succeeds": "both-layers"}
    with pytest.raises(DBAPIError, match="policies_one_successor"), spring_and_autumn.begin() as connection:
        connection.execute(tables.policies.insert().values(row | said))


def test_every_category_programme_and_pool_that_a_coverage_had_is_known(ledger: Engine) -> None:
    """Of all persons and versions, however odd the rest of the event."""
    held(ledger)
    odd = encode(coverage("C9", "special"))[:-1] + b', "x": ' + b"9" * 5000 + b"}"
    give(
        ledger,
        in_order([coverage(), coverage(version=2, category="orphan"), *for_person("P2", coverage("C2", "特困"))]),
    )
    give(ledger, [delivery(coverage("C9", "special"), 5)._replace(value=odd, offset=2)])
    with ledger.connect() as connection:
        seen = seen_coverages(connection)
    assert {"member", "orphan", "特困", "special"} == seen.categories
    assert ({"village_mutual_aid", "self_pay_assistance"}, set()) == (seen.programmes, seen.with_pools)
    assert set() == seen.with_reasons
    give(ledger, [delivery(coverage("C5", programme="other", pool_id="V1"), 6)._replace(offset=3)])
    with ledger.connect() as connection:
        assert {"other"} == seen_coverages(connection).with_pools
    ended = coverage("C6", programme="third", valid_to="2024-01-01", ended_reason="income")
    give(ledger, [delivery(ended, 7)._replace(offset=4)])
    with ledger.connect() as connection:
        assert {"third"} == seen_coverages(connection).with_reasons
