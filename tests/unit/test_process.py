"""The one door: what a batch of events adds to the ledger, whatever the events are and however they are cut."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import handlers.claims.adjudicate
from handlers.offline.book import Book
from schemas.decisions import ClaimDecision, to_json
from schemas.records import Delivery, InstructionRow, Outcome
from tests.support.builders import (
    POLICY,
    RECORDED_AT,
    SHARDS,
    VILLAGE,
    YEARLY,
    Json,
    bill,
    coverage,
    coverage_void,
    death,
    delivery,
    discharge,
    empty_world,
    encode,
    policies,
    policy_text,
    process,
    report,
    take,
    unhurried,
    values,
    void,
)
from tests.support.compiled_core import patches_the_core

CAP_PER_YEAR = 300_000
RELEASES = policies(
    policy_text("first", "2020-01-01", "2024-07-01", VILLAGE, YEARLY),
    policy_text("second", "2024-07-01", "2024-12-01", YEARLY, VILLAGE.replace("0.30", "0.45")),
    policy_text("third", "2024-12-31", None, VILLAGE, YEARLY.replace("0.333", "0.25")),
)
DAYS = {  # an encounter stays in its policy year, so that the yearly cap can be followed from outside
    "E1": ["2024-03-10", "2024-06-30", "2024-07-01"],
    "E2": ["2024-03-10", "2024-11-30", "2024-12-15"],
    "E3": ["2025-01-01"],
    "E4": ["2024-03-10", "2024-12-31"],
}
KINDS = ["bill"] * 9 + [
    "discharge",
    "discharge",
    "void",
    "void",
    "coverage",
    "coverage",
    "end",
    "death",
    "report",
    "bad",
]
versions = st.integers(1, 5)
persons = st.sampled_from(["P1"] * 11 + ["P2"])
settlements = st.sampled_from(["S1", "S2"])
yuan = st.sampled_from([0, 501, 1999, 2000, 2001, 2667, 3001, 5000, 40_000])


@st.composite
def events(draw: st.DrawFn) -> Json | bytes:
    """An event of two persons and four encounters: mostly good, sometimes in conflict, sometimes no event at all."""
    kind = draw(st.sampled_from(KINDS))
    person, version = draw(persons), draw(versions)
    encounter = draw(st.sampled_from(sorted(DAYS)))
    common: Json = {"person_id": person, "version": version, "event_id": f"ev-{draw(st.integers(0, 9))}"}
    settlement = f"{encounter}-{draw(settlements)}"
    if kind == "discharge":
        return discharge(encounter, draw(st.sampled_from(DAYS[encounter])), **common)
    if kind == "bill":
        amounts = {
            "copay": draw(yuan),
            "out_of_catalogue": draw(yuan),
            "final": draw(st.sampled_from([True, True, False])),
        }
        return bill(settlement, encounter, **common, **amounts)
    if kind == "void":
        return void(settlement, encounter, **common)
    name = f"C{draw(st.integers(1, 4))}-{person}"
    if kind == "coverage":
        valid_to = draw(st.sampled_from([None, None, "2024-07-01", "2025-01-01"]))
        return coverage(name, draw(st.sampled_from(["member", "dibao", "ordinary"])), valid_to=valid_to, **common)
    if kind == "end":
        return coverage_void(name, **common)
    if kind == "death":
        return death(draw(st.sampled_from(["2024-02-29", "2024-03-01", "2024-12-31"])), **common)
    if kind == "report":
        return report(person_id=person, status=draw(st.sampled_from(["paid", "failed"])))
    return draw(st.sampled_from([b"{", b"[]", encode(discharge(discharged_on="2024-01-01"))]))


@st.composite
def some_histories(draw: st.DrawFn) -> list[Json | bytes]:
    """Up to thirty events, most often around stays that are covered, so that there is something to pay and recover."""
    covered = [coverage("C1-P1", "ordinary"), coverage("C2-P1"), *(discharge(name, DAYS[name][0]) for name in DAYS)]
    start = draw(st.sampled_from([covered, covered, covered[::-1], []]))
    rest = draw(st.lists(events(), max_size=6) | st.lists(events(), min_size=12, max_size=24))
    return [*rest, *start] if draw(st.integers(0, 3)) == 0 else [*start, *rest]


histories = some_histories()


def deliveries(history: Sequence[Json | bytes]) -> list[Delivery]:
    return [delivery(event, offset) for offset, event in enumerate(history)]


# Money ----------------------------------------------------------------------------------------------------


def balances_of(instructions: Iterable[InstructionRow]) -> dict[tuple[str, str], int]:
    """The net sums instructed, after checking each instruction against the one before."""
    balances: dict[tuple[str, str], int] = defaultdict(int)
    revisions: dict[tuple[str, str], int] = defaultdict(int)
    for row in instructions:
        place = (row.claim_id, row.scheme_id)
        revisions[place] += 1
        assert revisions[place] == row.revision, "revisions have no gaps"
        assert balances[place] == row.balance_before
        assert row.amount > 0
        balances[place] += row.amount if row.kind == "payment" else -row.amount
        assert balances[place] == row.balance_after
        assert balances[place] >= 0, "nothing is recovered that was not paid"
    return balances


@unhurried
@given(histories)
def test_what_is_due_is_what_was_instructed(history: list[Json | bytes]) -> None:
    """After any events: payments minus recoveries are the benefits, and revisions count from one without gaps."""
    outcome = process(history, RELEASES)
    instructed = balances_of(outcome.instructions)
    due = {place: row.benefit for place, row in outcome.benefits.items()}
    assert {place: amount for place, amount in due.items() if amount} == {
        place: amount for place, amount in instructed.items() if amount
    }
    assert len(outcome.instructions) == len({row.payout_id for row in outcome.instructions})
    for claim in outcome.claims.values():
        assert claim.total_benefit == sum(amount for (claim_id, _), amount in due.items() if claim_id == claim.claim_id)
        assert 0 <= claim.total_benefit <= claim.personal_burden


@unhurried
@given(histories)
def test_the_yearly_cap_holds_after_every_single_instruction(history: list[Json | bytes]) -> None:
    """Also between two instructions of one change: recoveries come before payments."""
    held: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in process(history, RELEASES).instructions:
        if row.scheme_id == "self_pay_assistance":
            year = held[row.person_id, DAYS[row.claim_id][0][:4]]
            year[row.claim_id] = row.balance_after
            assert sum(year.values()) <= CAP_PER_YEAR


def test_a_change_that_moves_money_between_claims_recovers_first() -> None:
    """When an earlier stay takes up the yearly cap, the later one gives back before the earlier one is paid."""
    covered: list[Json | bytes] = [coverage("C1", "ordinary"), discharge("E2", "2024-06-10"), bill("S2", "E2", 9000)]
    outcome = process([*covered, discharge("E1", "2024-03-10"), bill("S1", "E1", 4000)], policies(POLICY))
    found = [(row.claim_id, row.kind, row.amount, row.balance_after) for row in outcome.instructions]
    expected = [
        ("E2", "payment", 300_000, 300_000),
        ("E2", "recovery", 240_000, 60_000),
        ("E1", "payment", 240_000, 240_000),
    ]
    assert expected == found


@unhurried
@given(histories)
def test_the_final_decisions_are_those_of_the_same_facts_on_files(history: list[Json | bytes]) -> None:
    """One fact after the other, with all that was recomputed on the way, ends where `huzhu adjudicate` ends."""
    outcome = process(history, RELEASES)
    newest: dict[str, Json] = {}
    for row in outcome.decisions:
        document = json.loads(row.value)
        assert newest.get(row.claim_id, {"revision": 0})["revision"] + 1 == document["revision"]
        newest[row.claim_id] = document
    book = Book()
    for event in history:
        book.take(event if isinstance(event, bytes) else encode(event))
    expected = {decision.claim_id: to_json(decision) for decision in book.decide(RELEASES)}
    shown = {
        name: {field: document[field] for field in ClaimDecision.model_fields if field in document}
        for name, document in newest.items()
    }
    assert expected == shown


# Batches --------------------------------------------------------------------------------------------------


def joined(outcomes: Iterable[Outcome]) -> Outcome:
    """What several batches add up to, with the events numbered through."""
    whole = Outcome()
    for part in outcomes:
        base = len(whole.events)
        whole.subjects += part.subjects
        whole.outbox += part.outbox
        whole.events += [row._replace(number=row.number + base) for row in part.events]
        whole.facts += [row._replace(number=row.number + base) for row in part.facts]
        whole.refusals += [row._replace(number=row.number + base) for row in part.refusals]
        whole.decisions += [row._replace(number=row.number + base) for row in part.decisions]
        whole.instructions += [row._replace(number=row.number + base) for row in part.instructions]
        whole.postings += [row._replace(number=row.number + base) for row in part.postings]
        whole.alerts += [row._replace(number=row.number + base) for row in part.alerts]
        whole.audit += [row._replace(number=row.number + base) for row in part.audit]
        whole.claims |= part.claims
        whole.benefits |= part.benefits
        whole.payout_states |= part.payout_states
    return whole


@unhurried
@given(histories, st.lists(st.integers(0, 30)))
def test_how_events_are_cut_into_batches_changes_nothing(history: list[Json | bytes], cuts: list[int]) -> None:
    """All at once, one at a time, or cut anywhere: the same rows and the same bytes, in the same order."""
    all_at_once = process(history, RELEASES)
    messages = deliveries(history)
    for ends in (range(len(messages) + 1), sorted({0, *(cut for cut in cuts if cut < len(messages)), len(messages)})):
        world = empty_world(RELEASES)
        assert all_at_once == joined(take(world, messages[start:end]) for start, end in pairwise(ends))


# What every event leaves ----------------------------------------------------------------------------------


@unhurried
@given(histories)
def test_every_event_is_accounted_for(history: list[Json | bytes]) -> None:
    """Each message has one row, in order, and one audit entry that says what became of it; nothing else exists."""
    messages = deliveries(history)
    outcome = process(history, RELEASES)
    assert messages == [Delivery(*row[2:5], row.key, row.value) for row in outcome.events]  # type: ignore[arg-type]
    told = {row.number: row.kind for row in outcome.audit if row.kind.startswith("event.")}
    assert [f"event.{row.disposition}" for row in outcome.events] == [told[row.number] for row in outcome.events]
    counted = Counter(row.kind for row in outcome.audit)
    assert len(messages) == sum(count for kind, count in counted.items() if kind.startswith("event."))
    assert len(outcome.decisions) == counted["claim.decided"]
    assert len(outcome.instructions) == counted["payout.instructed"]
    assert len(outcome.refusals) == counted["event.refused"]
    assert len(outcome.facts) == counted["event.accepted"]


def recomputed(entry: Json) -> str:
    """The hash that an audit entry must have, by hand."""
    body = {name: value for name, value in entry.items() if name != "hash"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@unhurried
@given(histories)
def test_the_audit_chain_of_each_shard_can_be_verified(history: list[Json | bytes]) -> None:
    """Entries count from one, each names the hash of the one before, and each hash is that of its own content."""
    outcome = process(history, RELEASES)
    for shard in range(SHARDS):
        entries = [json.loads(row.value) for row in outcome.audit if row.shard == shard]
        assert list(range(1, len(entries) + 1)) == [entry["seq"] for entry in entries]
        hashes = ["0" * 64, *(recomputed(entry) for entry in entries)]
        assert hashes[1:] == [entry["hash"] for entry in entries]
        assert hashes[:-1] == [entry["prev_hash"] for entry in entries]


@unhurried
@given(histories)
def test_an_audit_entry_names_the_bytes_that_it_is_about(history: list[Json | bytes]) -> None:
    """The entry of an event holds the SHA-256 of its bytes; the others that of what was published."""
    outcome = process(history, RELEASES)
    published = {hashlib.sha256(row.value).hexdigest() for row in outcome.decisions}
    published |= {hashlib.sha256(row.value).hexdigest() for row in outcome.instructions}
    published |= {hashlib.sha256(row.value).hexdigest() for row in outcome.outbox if row.topic == "alerts"}
    for row in outcome.audit:
        content = json.loads(row.value)["content_sha256"]
        if row.kind.startswith("event."):
            assert hashlib.sha256(outcome.events[row.number].value or b"").hexdigest() == content
        else:
            assert content in published


@unhurried
@given(histories)
def test_everything_published_goes_out_once_and_in_order(history: list[Json | bytes]) -> None:
    """The outbox of a shard counts without gaps and holds each decision, instruction, refusal and audit entry once."""
    outcome = process(history, RELEASES)
    for shard in range(SHARDS):
        assert [row.seq for row in outcome.outbox if row.shard == shard] == list(
            range(1, 1 + sum(row.shard == shard for row in outcome.outbox))
        )
    sent: dict[str, list[bytes]] = defaultdict(list)
    for row in outcome.outbox:
        sent[row.topic].append(row.value)
    assert [row.value for row in outcome.decisions] == sent["claims.decisions"]
    assert [row.value for row in outcome.instructions] == sent["payouts.instructions"]
    assert [row.value for row in outcome.audit] == sent["audit.events"]
    assert [row.code for row in outcome.refusals] == [json.loads(value)["code"] for value in sent["claims.deadletter"]]


@pytest.mark.parametrize(
    ("disposition", "again"),
    [
        ("duplicate", bill(version=2)),
        ("duplicate", bill(version=2, event_id="sent-again")),
        ("stale", bill()),
        ("refused", bill(version=2, copay=9000)),
        ("refused", bill(version=2, person_id="P2")),
        ("refused", b"{"),
    ],
)
def test_what_is_no_news_leaves_one_audit_entry_and_nothing_else(disposition: str, again: Json | bytes) -> None:
    """A duplicate, stale or refused event decides nothing and pays nothing; refused ones go to the dead letters."""
    known: list[Json | bytes] = [coverage(), discharge(), bill(version=2)]
    world = empty_world(policies(POLICY))
    take(world, deliveries(known))
    outcome = take(world, [delivery(again, 99)])
    assert [disposition] == [row.disposition for row in outcome.events]
    assert [f"event.{disposition}"] == [row.kind for row in outcome.audit]
    nothing: tuple[object, ...] = ([], [], [], [], {}, {})
    assert nothing == (
        outcome.facts, outcome.subjects, outcome.decisions, outcome.instructions, outcome.claims, outcome.benefits
    )  # fmt: skip
    letters = ["claims.deadletter"] if disposition == "refused" else []
    assert [*letters, "audit.events"] == [row.topic for row in outcome.outbox]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (Delivery("hospital.expenses", 2, 7, b"P1", b"\xff\xfe"), "MALFORMED_JSON"),
        (Delivery("hospital.expenses", 2, 7, None, None), "MALFORMED_JSON"),
        (Delivery("hospital.expenses", 2, 7, b"\xff", encode(bill())), "KEY_MISMATCH"),
        (Delivery("registry.persons", 2, 7, b"P1", encode(bill())), "UNKNOWN_EVENT_TYPE"),
        (Delivery("hospital.expenses", 2, 7, b"", b"x" * (1024 * 1024 + 1)), "TOO_LARGE"),
    ],
)
def test_nothing_refused_is_lost(message: Delivery, code: str) -> None:
    """The dead letter holds the original bytes and key, where they stood, why, and sentences in two languages."""
    outcome = take(empty_world(policies()), [message])
    letter = json.loads(outcome.outbox[0].value)
    assert (2, "claims.deadletter", message.key) == (outcome.outbox[0].shard, *outcome.outbox[0][2:4])
    assert (code, "hospital" in message.topic) == (letter["code"], letter["topic"] == "hospital.expenses")
    assert (2, 7) == (letter["partition"], letter["offset"])
    for name, original in (("key_base64", message.key), ("value_base64", message.value)):
        assert original == (None if letter[name] is None else base64.b64decode(letter[name]))
    assert hashlib.sha256(message.value or b"").hexdigest() == letter["value_sha256"]
    assert letter["zh"]
    assert letter["en"]


def test_an_event_from_the_future_waits_for_its_time() -> None:
    """More than a day ahead of its batch it is refused and decides nothing; in a batch of its time it is news."""
    world, now = empty_world(policies(POLICY)), RECORDED_AT + timedelta(days=1)
    ahead = bill(occurred_at=(now + timedelta(microseconds=1)).isoformat())
    take(world, deliveries([coverage(), discharge()]))
    early = take(world, [delivery(ahead, 8)])
    assert ["FUTURE_DATED"] == [row.code for row in early.refusals]
    assert ([], []) == (early.facts, early.decisions)
    later = take(world, [delivery(ahead, 9)], RECORDED_AT + timedelta(microseconds=1))
    assert ["accepted"] == [row.disposition for row in later.events]
    assert ["adjudicated"] == [value["status"] for value in values(later.decisions)]


@patches_the_core
def test_a_claim_that_was_called_not_covered_moves_no_money_when_it_is_decided_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A ledger of the time when scope and waiting time counted: the next fact corrects the status, and pays nothing."""
    outside = [discharge("E2", care_type="outpatient_special"), bill("S2", "E2", 9000)]
    world = empty_world(policies(policy_text("village", "2020-01-01", None, VILLAGE)))
    with monkeypatch.context() as before:
        before.setattr(handlers.claims.adjudicate, "is_covered", lambda *_: False)
        first = take(world, deliveries([coverage(), *outside, discharge(), bill()]))
    assert {"E1": "adjudicated", "E2": "not_covered"} == {v["claim_id"]: v["status"] for v in values(first.decisions)}
    again = take(world, [delivery(bill("S2", "E2", 9001, version=2), 50)])
    (decided,) = values(again.decisions)
    assert ("E2", "adjudicated", 3, "0.00") == tuple(
        decided[name] for name in ("claim_id", "status", "revision", "total_benefit")
    )
    assert ["NOT_IN_SCOPE"] == [benefit["reason"] for benefit in decided["benefits"]]
    assert [] == again.instructions


# Death ----------------------------------------------------------------------------------------------------


def payees(outcome: Outcome) -> list[tuple[str, str]]:
    return [(value["kind"], value["payee"]) for value in values(outcome.instructions)]


def alerts(outcome: Outcome) -> list[Json]:
    return [json.loads(row.value) for row in outcome.outbox if row.topic == "alerts"]


COVERED: list[Json | bytes] = [coverage(), discharge()]


def test_after_a_death_the_estate_is_paid() -> None:
    """Died during the stay: the claim stands, and instructions from then on name the estate."""
    published = policies(POLICY)
    assert [("payment", "estate")] == payees(process([*COVERED, death(), bill()], published))
    late = process([*COVERED, bill(), death(), bill(version=2, copay=4000), void(version=3)], published)
    assert [("payment", "person"), ("payment", "estate"), ("recovery", "estate")] == payees(late)
    assert [] == alerts(late)


@pytest.mark.parametrize("died_on", ["2024-03-01", "2024-03-10", "2024-12-31"])
def test_a_stay_that_began_in_life_is_paid(died_on: str) -> None:
    """Death on the day of admission, of discharge or later leaves the claim as it is."""
    outcome = process([*COVERED, bill(), death(died_on)], policies(POLICY))
    assert ["adjudicated"] == [value["status"] for value in values(outcome.decisions)][-1:]
    assert [] == alerts(outcome)


def test_an_admission_after_death_pays_nothing_takes_back_and_raises_one_alert() -> None:
    """It comes when the status changes, not again with every later bill, is withdrawn with it, and comes back."""
    history: list[Json | bytes] = [*COVERED, bill(), death("2024-02-29"), bill(version=2, copay=4000)]
    outcome = process(history, policies(POLICY))
    assert "after_death" == values(outcome.decisions)[-1]["status"]
    assert [("payment", "person"), ("recovery", "estate")] == payees(outcome)
    assert [("AFTER_DEATH", "E1", "P1")] == [(a["code"], a["claim_id"], a["person_id"]) for a in alerts(outcome)]
    corrected: list[Json | bytes] = [death("2024-03-05", version=2), death("2024-02-28", version=3)]
    outcome = process([*history, *corrected], policies(POLICY))
    kinds = [kind for kind, _ in payees(outcome)]
    assert ["payment", "recovery", "payment", "recovery"] == kinds
    told = alerts(outcome)
    assert ["alert.raised", "alert.withdrawn", "alert.raised"] == [each["event_type"] for each in told]
    assert (3, 1) == tuple(len({each[name] for each in told}) for name in ("event_id", "alert_id"))


def test_an_alert_goes_to_the_person_s_partition() -> None:
    """Alert, decision and instruction have the person as their key."""
    outcome = process([*COVERED, bill(), death("2024-02-29")], policies(POLICY))
    keys = {(row.topic, row.key) for row in outcome.outbox}
    topics = ("alerts", "claims.decisions", "payouts.instructions")
    assert keys == {("audit.events", None), *((topic, b"P1") for topic in topics)}


# What goes out --------------------------------------------------------------------------------------------


def test_an_instruction_says_all_that_an_insurer_needs() -> None:
    """Every field of the contract, the amount in yuan, and the policy by name and hash."""
    published = policies(POLICY)
    (instruction,) = values(process([*COVERED, bill()], published).instructions)
    expected = {
        "event_type": "payout.instructed",
        "occurred_at": "2025-03-01T12:00:00.250000+08:00",
        "claim_id": "E1",
        "person_id": "P1",
        "scheme_id": "village_mutual_aid",
        "kind": "payment",
        "amount": "300.00",
        "revision": 1,
        "policy_id": "both-layers",
        "policy_sha256": published.releases[0].sha256,
    }
    assert expected == {name: instruction[name] for name in expected}
    assert {"event_id", "payout_id"} <= instruction.keys()


def test_a_decision_that_shows_nothing_new_is_not_published() -> None:
    """A bill of nothing, a coverage of no scheme and a report change no decision."""
    published = policies(POLICY)
    before = len(process([*COVERED, bill()], published).decisions)
    more: list[Json | bytes] = [bill("S2", copay=0, final=False), coverage("C9", programme="another"), report()]
    assert before == len(process([*COVERED, bill(), *more], published).decisions)
