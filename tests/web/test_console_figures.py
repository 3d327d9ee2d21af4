"""The console's figures are those of the ledger, however the digest came to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import event as database_event
from sqlalchemy import text

from handlers.claims.settle import payout_id_of
from infra.ledger import digest, figures
from infra.ledger.write import move_offsets
from schemas.ids import ClaimId
from tests.support.acts import reissue
from tests.support.builders import (
    POLICY,
    SHARDS,
    Json,
    bill,
    coverage,
    coverage_void,
    delivery,
    discharge,
    report,
    void,
)
from tests.support.ledgers import for_person, give, held, in_order, person_of_shard, ticking, waiting_for_locks
from tests.support.owed_person import OwedPerson
from tests.support.servers import await_true
from tests.web.desk import Desk
from tests.web.town import post, publish_text, publish_two

ORDERS = """
    SELECT i.payout_id, i.claim_id, i.scheme_id, coalesce(convert_from(i.value, 'UTF8')::json ->> 'tier', '') AS tier,
        (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS day, i.kind, i.amount,
        CASE WHEN coalesce(i.reversal_of, i.set_off_of) IS NOT NULL THEN 'book'
            ELSE coalesce(s.state, 'instructed') END AS state,
        coalesce(i.reissue_of, i.reversal_of) AS instead_of
    FROM instructions i JOIN events e ON e.event_no = i.event_no
        LEFT JOIN payout_states s ON s.payout_id = i.payout_id AND s.person_id = i.person_id
    ORDER BY i.claim_id, i.scheme_id, i.revision
"""
DIGESTED = """
    SELECT scheme_id, tier, day, kind, state, payouts, amount FROM digest_money WHERE amount <> 0
    ORDER BY scheme_id, tier, day, kind, state
"""
WIRE_TIERS = (
    "SELECT convert_from(value, 'UTF8')::json ->> 'tier' FROM instructions "
    "WHERE kind = 'recovery' AND reversal_of IS NULL AND scheme_id = 'self_pay_assistance'"
)
WAITING = "SELECT claim_id, status FROM {} WHERE status IN ('incomplete', 'no_policy') ORDER BY claim_id"

OPEN = """
    SELECT i.payout_id, i.kind, (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS day, i.amount
    FROM instructions i JOIN events e USING (event_no)
    WHERE reversal_of IS NULL AND set_off_of IS NULL
        AND payout_id NOT IN (SELECT reversal_of FROM instructions WHERE reversal_of IS NOT NULL)
        AND (payout_id, person_id) NOT IN (SELECT payout_id, person_id FROM payout_states WHERE state = 'paid')
    ORDER BY payout_id
"""


def by_hand(orders: list[Any]) -> list[tuple[Any, ...]]:
    """The sums, order by order: what is taken back was paid last, and what is ordered anew stays in its place."""
    sums: Counter[tuple[Any, ...]] = Counter()
    payouts: Counter[tuple[Any, ...]] = Counter()
    paid: defaultdict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    shares: dict[str, list[tuple[str, int]]] = {}
    for order in orders:
        stack, left = paid[order.claim_id, order.scheme_id], order.amount
        if order.instead_of:
            taken: list[tuple[str, int]] = []
            for tier, amount in shares[order.instead_of]:
                taken.append((tier, min(amount, left)))
                left -= taken[-1][1]
        elif order.kind == "payment":
            taken = [(order.tier, left)]
            stack.append(taken[0])
        else:
            taken = []
            while left:
                tier, amount = stack.pop()
                taken.append((tier, min(amount, left)))
                left -= taken[-1][1]
                if amount > taken[-1][1]:
                    stack.append((tier, amount - taken[-1][1]))
        shares[order.payout_id] = [share for share in taken if share[1]]
        for at, (tier, amount) in enumerate(shares[order.payout_id]):
            place = (order.scheme_id, tier, order.day, order.kind, order.state)
            sums[place] += amount
            payouts[place] += 1 if at == 0 else 0
    return sorted((*place, payouts[place], amount) for place, amount in sums.items())


def check(desk: Desk) -> None:
    """The digest says what somebody finds who reads the whole ledger."""
    assert by_hand(desk.rows(ORDERS)) == [tuple(row) for row in desk.rows(DIGESTED)]
    by_status = "SELECT status, count(*) FROM claims GROUP BY status ORDER BY status"
    assert desk.rows(by_status) == desk.rows(
        "SELECT status, claims FROM digest_claims WHERE claims <> 0 ORDER BY status"
    )
    assert desk.rows(WAITING.format("claims")) == desk.rows(WAITING.format("digest_waiting"))
    assert desk.rows(OPEN) == desk.rows("SELECT payout_id, kind, day, amount FROM digest_open ORDER BY payout_id")
    by_code = "SELECT code, count(*) FROM {} GROUP BY code ORDER BY code"
    assert desk.rows(by_code.format("refusals")) == desk.rows(by_code.format("digest_refused"))


def test_a_towns_figures(town: Desk) -> None:
    """Money by scheme, tier, day, kind and state; claims by status; what waits; what was refused."""
    assert town.value("SELECT count(DISTINCT state) FROM digest_money WHERE amount <> 0") >= 3
    check(town)


@pytest.mark.parametrize("chunk", [1, 7, 5000])
def test_the_pieces_do_not_matter(desk: Desk, chunk: int) -> None:
    """One entry at a time or all at once, with corrections, voids and a policy that comes late: the same figures."""
    persons = [f"P{number}" for number in range(6)]
    for number, person in enumerate(persons):
        ids: Json = {"person_id": person}
        stay = discharge(f"E{number}", **ids)
        cover = [coverage(f"C{number}-{each}", each, **ids) for each in ("member", "ordinary")]
        post(desk.engine, [*cover, stay, bill(f"S{number}", f"E{number}", 3000 + number, **ids)])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    assert 6 == desk.value("SELECT count(*) FROM digest_waiting WHERE status = 'no_policy'")
    publish_two(desk.engine)
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    post(desk.engine, [bill("S1", "E1", 2000, version=2, person_id="P1"), void("S2", "E2", person_id="P2")])
    post(desk.engine, [discharge("E9", person_id="P9")])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    assert 0 == digest.bring_forward(desk.engine, desk.now(), chunk)


@pytest.mark.parametrize("chunk", [1, 5000])
def test_a_claim_waits_since_it_last_began_to_wait(desk: Desk, chunk: int) -> None:
    """A later decision that leaves it waiting changes nothing; one that does not begins a new spell."""
    publish_two(desk.engine)
    held(desk.engine)
    stay = [coverage(), discharge("E1"), discharge("E2", "1999-03-10", admitted_on="1999-03-01")]
    story = [
        stay,
        [bill("S1", "E1"), bill("S2", "E2")],
        [bill("S2", "E2", 4000, version=2), bill("S1", "E1", version=2, final=False)],
    ]
    messages = iter(in_order([event for events in story for event in events]))
    clock, began = ticking(), []
    for events in story:
        began.append(clock())
        give(desk.engine, islice(messages, len(events)), lambda: began[-1])
        if chunk == 1:
            digest.bring_forward(desk.engine, desk.now(), chunk)
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    waiting = [tuple(row) for row in desk.rows("SELECT claim_id, status, since FROM digest_waiting ORDER BY claim_id")]
    assert [("E1", "incomplete", began[2]), ("E2", "no_policy", began[0])] == waiting


def test_a_report_on_a_book_reversal_moves_no_money(desk: Desk) -> None:
    """It contradicts the reversal, which stays a book entry, whatever the insurer says became of it."""
    owed = OwedPerson(desk.engine)
    owed.report(owed.payouts[0], "failed")
    owed.reissue(owed.payouts[0])
    owed.report(owed.payouts[1], "paid", 2)
    desk.catch_up()
    check(desk)
    states = desk.rows("SELECT kind, state, amount FROM digest_money WHERE payouts <> 0 ORDER BY kind, state")
    assert [("payment", "failed", 30_000), ("payment", "instructed", 30_000), ("recovery", "book", 30_000)] == states


@pytest.mark.parametrize("chunk", [1, 5000])
def test_a_report_may_come_before_its_instruction(desk: Desk, chunk: int) -> None:
    """As after a restore: paid, returned or contradicted before the ledger instructs, and then reported on again."""
    publish_two(desk.engine)
    payouts = {f"P{number}": payout_id_of(ClaimId(f"E{number}"), "village_mutual_aid", 1) for number in range(4)}

    def told(person: str, status: str, day: int, **fields: str) -> Json:
        when = f"2025-04-{day:02d}T10:00:00+08:00"
        return report(payouts[person], status=status, reported_at=when, person_id=person, **fields)

    early = [("P0", "paid", 1), ("P1", "paid", 1), ("P1", "returned", 2), ("P2", "failed", 1), ("P2", "paid", 2)]
    strangers = [{**told("P0", "failed", 3), "person_id": "P3"}]
    post(desk.engine, [told(*each) for each in early] + strangers)
    for number, person in enumerate(payouts):
        bills = [discharge(f"E{number}", person_id=person), bill(f"S{number}", f"E{number}", 5000, person_id=person)]
        post(desk.engine, [coverage(f"C{number}", "member", person_id=person), *bills])
    assert 4 == desk.value("SELECT count(*) FROM instructions")
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    states = desk.rows("SELECT DISTINCT state FROM digest_money WHERE payouts <> 0 ORDER BY state")
    assert ["failed", "instructed", "paid", "returned"] == [row.state for row in states]
    post(desk.engine, [told("P0", "returned", 4), told("P1", "paid", 1), told("P3", "paid", 5)])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)


@pytest.mark.parametrize("chunk", [1, 5000])
def test_what_is_taken_back_belongs_to_the_tier_that_had_it(desk: Desk, chunk: int) -> None:
    """A recovery counts in the tiers whose money it takes back, newest first; a reissue and its reversal stay there."""
    publish_text(desk.engine, POLICY)
    for events in ([coverage("C1", "ordinary"), coverage("C2")], [discharge(), bill(copay=3000)]):
        post(desk.engine, events)
    for event in (coverage("C1", "dibao", version=2), bill(copay=7000, version=2)):
        post(desk.engine, [event])
    payouts = desk.rows(
        "SELECT payout_id, scheme_id, convert_from(value, 'UTF8')::json ->> 'tier' AS tier FROM instructions "
        "WHERE kind = 'payment' ORDER BY scheme_id, revision"
    )
    assert ["ordinary", "specific", "member", "member"] == [row.tier for row in payouts]
    post(desk.engine, [report(row.payout_id, status="failed") for row in payouts])
    for row in payouts[:2]:
        reissue(desk.engine, row.payout_id, "li.na", "account mended", SHARDS, desk.now)
    for event in (bill(copay=2500, version=3), coverage("C1", "nobody", version=3), coverage_void("C2")):
        post(desk.engine, [event])
    assert {"specific", None} == {row[0] for row in desk.rows(WIRE_TIERS)}
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    taken = desk.rows(
        "SELECT tier, sum(amount) AS amount FROM digest_money WHERE kind = 'recovery' AND state <> 'book' "
        "GROUP BY tier ORDER BY tier"
    )
    assert ["member", "ordinary", "specific"] == [row.tier for row in taken]


def test_a_strangers_report_moves_no_money(desk: Desk) -> None:
    """It is accepted under the person that it names, and the payout stays instructed."""
    owed = OwedPerson(desk.engine)
    owed.report(owed.payouts[0], "failed", person_id=person_of_shard(0))
    desk.catch_up()
    check(desk)
    assert [("instructed",)] == [tuple(row) for row in desk.rows("SELECT state FROM digest_money WHERE payouts <> 0")]


def test_a_claim_that_is_decided_again_and_again_counts_once(desk: Desk) -> None:
    """Each decision replaces the one before, and none before that."""
    owed = OwedPerson(desk.engine)
    for version in range(2, 6):
        owed.correct(3000 + version, version)
        desk.catch_up()
    check(desk)


def test_the_days_of_money_are_those_of_shanghai(desk: Desk) -> None:
    """From midnight to midnight, whatever time the server keeps."""
    publish_two(desk.engine)
    held(desk.engine)
    moments = ["2025-03-01T23:59:59.999+08:00", "2025-03-02T00:00:00+08:00", "2025-03-02T08:00:00+08:00"]
    for number, moment in enumerate(map(datetime.fromisoformat, moments)):
        person = f"P{number}"
        stay = (coverage(f"C{number}"), discharge(f"E{number}"), bill(f"S{number}", f"E{number}"))
        events = [each._replace(offset=number) for each in map(delivery, for_person(person, *stay))]
        with desk.engine.begin() as connection:
            move_offsets(connection, {each[:2]: number for each in events})
        give(desk.engine, events, lambda moment=moment: moment)  # type: ignore[misc]
    desk.catch_up()
    check(desk)
    days = desk.rows("SELECT day, payouts FROM digest_money ORDER BY day")
    assert [(date(2025, 3, 1), 1), (date(2025, 3, 2), 2)] == [tuple(row) for row in days]


def test_the_digest_says_as_of_when_it_is_complete(desk: Desk) -> None:
    """Not before every shard was counted to its end; and while it catches up, as of when it last was."""
    first, second = desk.now(), desk.now() + timedelta(minutes=1)
    OwedPerson(desk.engine)

    def stop(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("UPDATE digest_marks") and stops.pop(0):
            raise KeyboardInterrupt

    def brought(moment: datetime, *until: bool) -> datetime | None:
        """Entry by entry until it is stopped after so many of them."""
        stops[:] = [*until, True]
        with pytest.raises(KeyboardInterrupt):
            digest.bring_forward(desk.engine, moment, 1)
        with desk.engine.connect() as connection:
            return figures.as_of(connection)

    stops: list[bool] = []
    database_event.listen(desk.engine, "before_cursor_execute", stop)
    entries = desk.value("SELECT sum(audit_seq) FROM shards")
    assert [None, None, None] == [brought(first, *[False] * many) for many in (0, 1, int(entries) - 2)]
    stops[:] = [False] * 1000
    digest.bring_forward(desk.engine, first, 1)
    post(desk.engine, [discharge("E8", person_id=person_of_shard(3)), discharge("E9", person_id=person_of_shard(3))])
    assert first == brought(second, False, False, False, False)
    stops[:] = [False] * 1000
    digest.bring_forward(desk.engine, second, 1)
    with desk.engine.connect() as connection:
        assert second == figures.as_of(connection)


def test_one_console_at_a_time_brings_the_digest_forward(desk: Desk) -> None:
    """The others wait, as several that went on at once would stand in each other's way."""
    OwedPerson(desk.engine)
    with ThreadPoolExecutor(1) as threads:
        with desk.engine.begin() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({digest.LOCK})"))
            other = threads.submit(digest.bring_forward, desk.engine, desk.now())
            assert await_true(lambda: other.done() or waiting_for_locks(desk.engine) == 1)
            assert not other.done()
            assert 0 == desk.value("SELECT count(*) FROM digest_money")
        assert other.result() > 0
    check(desk)


def test_it_can_be_made_again(town: Desk) -> None:
    """An emptied digest is rebuilt with the same figures, even by several consoles at once."""
    with town.engine.begin() as connection:
        names = "marks, digest_money, digest_claims, digest_waiting, digest_invoices, digest_refused, digest_replays"
        connection.execute(text(f"TRUNCATE digest_{names}, digest_open, digest_references, digest_reference_marks"))
    with ThreadPoolExecutor(4) as consoles:
        list(consoles.map(lambda _: digest.bring_forward(town.engine, town.now(), 100), range(4)))
    check(town)


def test_the_overview_shows_them(town: Desk) -> None:
    """Sums, statuses, and the same in English; every yuan of the table adds up to the figure at the top."""
    instructed, recovered = (
        town.value("SELECT sum(amount) FROM instructions WHERE reversal_of IS NULL AND kind = :kind", kind=kind)
        for kind in ("payment", "recovery")
    )
    paid = town.value(
        "SELECT sum(amount) FROM instructions i JOIN payout_states s USING (payout_id, person_id) "
        "WHERE s.state = 'paid' AND i.kind = 'payment'"
    )
    for language, word in (("zh", "净应付(元)"), ("en", "Net due (yuan)")):
        page = town.visitor("finance", language).get("/").text
        assert word in page
        for fen in (instructed, paid, recovered):
            assert f"{fen / 100:,.2f}" in page
    assert "<svg" in page


def test_the_overview_says_what_is_stuck(desk: Desk) -> None:
    """The lag, or that Kafka does not answer; the claim that has waited longest; what the digest has not seen."""
    publish_text(desk.engine, "[policy]\n" + _EMPTY)
    post(desk.engine, [discharge("E-first", person_id="P1")])
    desk.catch_up()
    desk.ahead += timedelta(seconds=1)
    post(desk.engine, [discharge("E-second", person_id="P2"), b"{"])
    desk.lag = 4321
    visitor = desk.visitor("auditor")
    page = visitor.get("/").text
    assert "4,321" in page
    assert "E-first" in page
    assert "没有计入" in page
    desk.catch_up()
    desk.lag = None
    page = visitor.get("/").text
    assert "MALFORMED_JSON" in page
    assert "Kafka 没有响应" in page


_EMPTY = """id = "far"
status = "sample"
effective_from = 1990-01-01
effective_to = 1990-02-01
year_starts = "01-01"
[[scheme]]
id = "s"
programme = "p"
basis = "copay"
measured_on = "billed"
accumulates = "stay"
[[scheme.tier]]
name = "t"
categories = ["c"]
brackets = [{ over = "0.00", rate = "0.1" }]
"""
