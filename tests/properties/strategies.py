"""Facts and policies, written by hand or drawn at random, and a ledger in memory that takes them in.

What is drawn is small and dense in coincidence: few dates, few ids, amounts on or one fen beside the numbers of the
policies, so that edges, ties and corrections are the rule and a counterexample is short.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from acts.rebuild_books import groups_in, groups_reached
from handlers.audit.operator_acts import policy_published, watches_published
from handlers.claims.process import Processor
from handlers.claims.read import read
from handlers.offline.book import Book
from schemas.decisions import to_json
from schemas.policy.policy_file import parse_policy
from schemas.records import Delivery, GroupStep, InstructionRow, OutboxRow
from schemas.refusals import Refusal
from schemas.watch.watch_file import parse_watches
from tests.support.builders import (
    PAID_BY_OTHERS,
    coverage_void,
    death,
    empty_world,
    encode,
    fact,
    policies,
)
from tests.support.length import times

Body = dict[str, Any]
Decision = dict[str, Any]
Net = dict[tuple[str, str], int]

EXAMPLES = times(30, 150, "HUZHU_TEST_EXAMPLES")
"""How many examples each law is tried on."""

SHRINKS = os.environ.get("HUZHU_TEST_SHRINK", "1") != "0"
"""0 where only the verdict counts: always the same examples, and no counterexample is made small."""

tried = settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink] if SHRINKS else [Phase.generate],
    derandomize=not SHRINKS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)

SUBJECT = {
    "encounter.discharged": "encounter_id",
    "settlement.posted": "settlement_id",
    "settlement.voided": "settlement_id",
    "coverage.recorded": "coverage_id",
    "coverage.voided": "coverage_id",
    "membership.recorded": "membership_id",
    "membership.voided": "membership_id",
    "person.died": "person_id",
    "pool.recorded": "pool_id",
    "contribution.received": "contribution_id",
    "contribution.voided": "contribution_id",
    "aid.decided": "aid_id",
    "aid.voided": "aid_id",
    "incident.recorded": "incident_id",
    "incident.voided": "incident_id",
}

# Facts --------------------------------------------------------------------------------------------------------------


def discharge_of(encounter: str, discharged_on: str, admitted_on: str = "", **fields: object) -> Body:
    """An inpatient stay in a town hospital, of one day when ``admitted_on`` is left out."""
    stayed: Body = {"encounter_id": encounter, "version": 1, "admitted_on": admitted_on or discharged_on}
    place: Body = {"facility_id": "H1", "facility_level": "town", "care_type": "inpatient", "diagnoses": ["I10.x05"]}
    return fact("encounter.discharged", **{**stayed, "discharged_on": discharged_on, **place, **fields})


def bill_of(encounter: str, copay: str, out_of_catalogue: str = "0.00", **fields: object) -> Body:
    """A final settlement ``S-<encounter>`` that the patient pays alone."""
    amounts: Body = {
        "total_charge": str(Decimal(copay) + Decimal(out_of_catalogue)),
        **dict.fromkeys(PAID_BY_OTHERS, "0.00"),
        "copay": copay,
        "out_of_catalogue": out_of_catalogue,
    }
    ids: Body = {"settlement_id": f"S-{encounter}", "version": 1, "encounter_id": encounter, "facility_id": "H1"}
    when: Body = {"settled_at": "2020-01-01T12:00:00+08:00", "final": True, "currency": "CNY"}
    return fact("settlement.posted", **{**ids, **when, **amounts, **fields})


def void_of(encounter: str, version: int, **fields: object) -> Body:
    """The end of the settlement ``S-<encounter>``."""
    ids: Body = {"settlement_id": f"S-{encounter}", "encounter_id": encounter, "version": version, "reason": "refund"}
    return fact("settlement.voided", **{**ids, **fields})


def coverage_from(valid_from: str = "2000-01-01", category: str = "member", **fields: object) -> Body:
    """The coverage C1 in the programme ``aid``, open-ended unless ``valid_to`` is given."""
    record: Body = {
        "coverage_id": "C1",
        "version": 1,
        "programme": "aid",
        "category": category,
        "valid_from": valid_from,
    }
    return fact("coverage.recorded", **{**record, **fields})


def stay_of(encounter: str, discharged_on: str, copay: str, out_of_catalogue: str = "0.00") -> list[Body]:
    """A discharge with its one final bill."""
    return [discharge_of(encounter, discharged_on), bill_of(encounter, copay, out_of_catalogue)]


def newest(facts: Iterable[Body]) -> list[Body]:
    """The newest version of each id among some facts."""
    held: dict[tuple[str, object], Body] = {}
    for body in facts:
        name = SUBJECT[str(body["event_type"])]
        line = (name, body[name])
        if line not in held or _version(held[line]) < _version(body):
            held[line] = body
    return list(held.values())


def _version(body: Body) -> int:
    return int(body["version"])


# Policies -----------------------------------------------------------------------------------------------------------


def scheme(
    scheme_id: str = "s",
    brackets: Mapping[str, str] | None = None,
    tiers: Mapping[str, Mapping[str, str]] | None = None,
    **fields: object,
) -> str:
    """A scheme of the programme ``aid`` in TOML.

    ``brackets`` (over -> rate) are those of the one tier ``member``; ``tiers`` gives each category a tier of its name.
    """
    head: Body = {"id": scheme_id, "programme": "aid", "basis": "personal_burden", "measured_on": "billed"}
    lines = ["[[scheme]]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in {**head, "accumulates": "stay", **fields}.items()]
    for name, rates in (tiers or {"member": brackets or {"0.00": "1"}}).items():
        steps = ", ".join(f'{{ over = "{over}", rate = "{rate}" }}' for over, rate in rates.items())
        lines += ["[[scheme.tier]]", f'name = "{name}"', f'categories = ["{name}"]', f"brackets = [{steps}]"]
    return "\n".join(lines) + "\n"


def policy(
    *schemes: str,
    start: str = "2000-01-01",
    end: str = "",
    succeeds: str = "",
    year_starts: str = "01-01",
    name: str = "policy",
) -> str:
    """A policy file with some schemes, in force from ``start`` to the day before ``end``; it may succeed another."""
    ends = f"effective_to = {end}\n" if end else ""
    ends += f'succeeds = "{succeeds}"\n' if succeeds else ""
    head = f'[policy]\nid = "{name}"\nstatus = "sample"\neffective_from = {start}\n{ends}'
    return f'{head}year_starts = "{year_starts}"\n\n' + "\n".join(schemes)


# Deciding -----------------------------------------------------------------------------------------------------------


def decide(texts: Sequence[str] | str, *facts: Body) -> dict[str, Decision]:
    """The claims of some facts by id, as `huzhu adjudicate` prints them; none may be refused."""
    book = Book()
    for body in facts:
        outcome = book.take(encode(body))
        assert not isinstance(outcome, Refusal), outcome
    decisions = book.decide(policies(*([texts] if isinstance(texts, str) else texts)))
    return {decision.claim_id: to_json(decision) for decision in decisions}


def results(decision: Decision) -> list[tuple[str, str, str | None]]:
    """What each scheme measured and pays, and the reason if it pays nothing."""
    return [(benefit["measured"], benefit["benefit"], benefit.get("reason")) for benefit in decision["benefits"]]


def fen(yuan: str) -> int:
    """Fen of an amount in yuan, by way of Decimal and not of the product."""
    amount = Decimal(yuan) * 100
    assert amount == int(amount)
    return int(amount)


def yuan(amount: int) -> str:
    return str(Decimal(amount).scaleb(-2))


class Ledger:
    """What the worker keeps, in memory: facts go in one after the other, instructions and decisions come out."""

    def __init__(self, *texts: str, one_batch: bool = True) -> None:
        """``one_batch`` false makes every event a batch of its own."""
        self.texts = list(texts)
        self.one_batch = one_batch
        self.world = empty_world(policies(*texts))
        self.batches = [self.world.batch()]
        self.offset = 0

    def take(self, *bodies: Body) -> list[InstructionRow]:
        """Takes facts in, none of which may be refused, and gives the instructions that they caused."""
        given: list[InstructionRow] = []
        for body in bodies:
            given += self.deliver(encode(body), str(body["person_id"]).encode())
        assert [] == [row for batch in self.batches for row in batch.outcome.refusals]
        return given

    def deliver(self, value: bytes, key: bytes | None = None) -> list[InstructionRow]:
        """Takes in one message, whatever it is."""
        batch = self._batch()
        before = len(batch.outcome.instructions)
        reading = read(value) if key is None else read(value, key)
        batch.take(Delivery("test", 0, self.offset, key, value), reading)
        self.offset += 1
        return batch.outcome.instructions[before:]

    def publish(self, text: str) -> list[InstructionRow]:
        """Publishes one more policy and decides the claims that it reaches, found as the ledger finds them."""
        released = parse_policy(text)
        self.texts.append(text)
        self.world.policies = policies(*self.texts)
        batch = self._batch()
        before = len(batch.outcome.instructions)
        number = policy_published(batch.journal, text.encode(), released, "operator")
        for group in groups_reached(released, self.world):
            batch.recompute_together(GroupStep(group, []), number)
        return batch.outcome.instructions[before:]

    def watch(self, text: str) -> None:
        """Publishes a file of watches, and looks at everybody."""
        watches, batch = parse_watches(text), self._batch()
        number = watches_published(batch.journal, text.encode(), watches, "operator")
        self.world.watches = self.world.watches.joined(watches)
        for group in groups_in(self.world, self.world.watches.by_household):
            batch.look(group, number)

    def _batch(self) -> Processor:
        if not self.one_batch:
            self.batches.append(self.world.batch())
        return self.batches[-1]

    @property
    def sent(self) -> list[OutboxRow]:
        return [row for batch in self.batches for row in batch.outcome.outbox]

    @property
    def instructions(self) -> list[InstructionRow]:
        return [row for batch in self.batches for row in batch.outcome.instructions]

    @property
    def net(self) -> Net:
        """Payments minus recoveries per claim and scheme, in fen, where not zero."""
        return net_of(self.instructions)

    def decisions(self) -> dict[str, Decision]:
        """Each claim as last published, without what numbers and dates the message."""
        envelope = ("event_type", "event_id", "occurred_at", "revision", "policy_sha256")
        last = {row.claim_id: row.value for batch in self.batches for row in batch.outcome.decisions}
        return {
            claim_id: {name: value for name, value in json.loads(text).items() if name not in envelope}
            for claim_id, text in last.items()
        }


def net_of(instructions: Iterable[InstructionRow]) -> Net:
    sums: Counter[tuple[str, str]] = Counter()
    for row in instructions:
        sums[row.claim_id, row.scheme_id] += row.amount if row.kind == "payment" else -row.amount
    return {place: amount for place, amount in sums.items() if amount}


def due_of(decisions: Mapping[str, Decision]) -> Net:
    """The benefits of some decisions per claim and scheme, in fen, where not zero."""
    dues: Net = {}
    for claim_id, decision in decisions.items():
        for benefit in decision["benefits"]:
            if fen(benefit["benefit"]):
                dues[claim_id, benefit["scheme_id"]] = fen(benefit["benefit"])
    return dues


# At random ----------------------------------------------------------------------------------------------------------

DAYS = ("2020-02-28", "2020-02-29", "2020-03-01", "2020-06-30", "2020-07-01", "2020-12-31", "2021-01-01", "2021-02-28")
EDGES = (100, 10_000, 50_000, 200_000)
AMOUNTS = (0, 1, 99, 9_999, 10_001, 49_999, 50_000, 50_001, 199_999, 200_000, 200_001, 333_333, 1_000_000)
RATES = ("0.125", "0.3", "0.333", "0.5", "0.6667", "0.8", "1", "0")
CATEGORIES = ("member", "ordinary")
SCHEME_IDS = ("mutual", "self_pay", "relief")


@dataclass(frozen=True)
class History:
    """Policies and the facts of one person: every version of every id, those of one id in order."""

    policies: tuple[str, ...]
    facts: tuple[Body, ...]


seldom = st.sampled_from((False,) * 9 + (True,))
"""One time in ten: nothing that is rare may keep a claim from being paid in most histories."""


def amounts() -> st.SearchStrategy[int]:
    """Fen, most often on or beside an edge of the policies."""
    return st.sampled_from(AMOUNTS)


@st.composite
def brackets(draw: st.DrawFn) -> dict[str, str]:
    """One to three marginal brackets, ascending."""
    overs = sorted(draw(st.sets(st.sampled_from((0, 0, *EDGES)), min_size=1, max_size=3)))
    return {yuan(over): draw(st.sampled_from(RATES)) for over in overs}


BY_PERSON = ("stay", "person_year", "person_year")
LIMITS = ("cap_per_stay", "cap_per_year", "floor_per_stay", "threshold")


@st.composite
def schemes(
    draw: st.DrawFn, scheme_id: str, ways: Sequence[str] = BY_PERSON, limits_known: Sequence[str] = LIMITS
) -> str:
    chosen: dict[str, Any] = {
        "basis": draw(st.sampled_from(("copay", "out_of_catalogue", "personal_burden"))),
        "measured_on": draw(st.sampled_from(("billed", "remaining"))),
        "accumulates": draw(st.sampled_from(ways)),
    }
    limits = draw(st.sets(st.sampled_from(limits_known), max_size=2))
    for name in sorted(limits):
        if name != "threshold" or chosen["accumulates"] == "stay":
            chosen[name] = yuan(draw(st.sampled_from((100, 9_999, 40_000, 40_000, 150_000))))
    chosen |= draw(st.sampled_from(({}, {}, {}, {}, {"waiting_days": 1}, {"file_within_days": 1})))
    return scheme(scheme_id, tiers={name: draw(brackets()) for name in CATEGORIES}, **chosen)


@st.composite
def releases(draw: st.DrawFn, scheme_of: Callable[[str], st.SearchStrategy[str]] = schemes) -> tuple[str, ...]:
    """One or two policies that follow each other, with schemes of the same ids in either order.

    The first ends by itself, or because the second succeeds it.
    """
    cut = draw(st.sampled_from((None, None, "2020-03-01", "2020-07-01", "2020-12-31")))
    if cut is None:
        return draw(_following((), scheme_of=scheme_of))
    return draw(_following((cut,), succeeding=draw(st.booleans()), scheme_of=scheme_of))


@st.composite
def successions(draw: st.DrawFn) -> tuple[str, ...]:
    """Two or three policies of which each succeeds the one before; the last one may have an end."""
    cuts = draw(st.sampled_from((("2020-03-01",), ("2020-07-01",), ("2020-03-01", "2020-07-01"))))
    return draw(_following(cuts, succeeding=True, end=draw(st.sampled_from(("", "", "2020-12-31")))))


@st.composite
def _following(
    draw: st.DrawFn,
    cuts: tuple[str, ...],
    *,
    succeeding: bool = False,
    end: str = "",
    scheme_of: Callable[[str], st.SearchStrategy[str]] = schemes,
) -> tuple[str, ...]:
    ids = draw(st.permutations(SCHEME_IDS))[: draw(st.integers(1, 3))]
    year_starts = draw(st.sampled_from(("01-01", "03-01", "07-01")))
    texts = []
    for number, start in enumerate(("2000-01-01", *cuts)):
        last = number == len(cuts)
        given = tuple(draw(scheme_of(scheme_id)) for scheme_id in ids)
        before = f"release-{number - 1}" if succeeding and number else ""
        until = end if last else "" if succeeding else cuts[number]
        interval = {"start": start, "end": until, "succeeds": before}
        texts.append(policy(*given, year_starts=year_starts, name=f"release-{number}", **interval))
        ids = draw(st.permutations(ids))
    return tuple(texts)


@st.composite
def publishing_orders(draw: st.DrawFn, texts: Sequence[str]) -> list[str]:
    """The policies in some order in which they can be published: a successor after what it succeeds."""
    left, order, known = list(draw(st.permutations(texts))), list[str](), {None}
    while left:
        heads = [tomllib.loads(text)["policy"] for text in left]
        place = next(number for number, head in enumerate(heads) if head.get("succeeds") in known)
        known.add(heads[place]["id"])
        order.append(left.pop(place))
    return order


@st.composite
def settlements(draw: st.DrawFn, encounter: str, number: int) -> list[Body]:
    """The versions of one bill: posted, corrected, voided, posted again."""
    versions = []
    for version in range(1, draw(st.sampled_from((1, 1, 2, 3))) + 1):
        settlement_id = f"S-{encounter}-{number}"
        if draw(seldom):
            versions.append(void_of(encounter, version, settlement_id=settlement_id))
            continue
        body = bill_of(
            encounter,
            yuan(draw(amounts())),
            yuan(draw(amounts())),
            settlement_id=settlement_id,
            version=version,
            final=not draw(seldom),
            settled_at=f"{draw(st.sampled_from(DAYS))}T23:59:59+08:00",
        )
        versions.append(body)
    return versions


@st.composite
def encounters(draw: st.DrawFn, encounter: str) -> list[Body]:
    facts = []
    for version in range(1, draw(st.sampled_from((0, 1, 1, 1, 1, 1, 2, 2))) + 1):
        admitted_on, discharged_on = sorted((draw(st.sampled_from(DAYS)), draw(st.sampled_from(DAYS))))
        facts.append(discharge_of(encounter, discharged_on, admitted_on, version=version))
    for number in range(draw(st.sampled_from((1, 1, 2)))):
        facts += draw(settlements(encounter, number))
    return facts


@st.composite
def coverages(draw: st.DrawFn, coverage_id: str) -> list[Body]:
    facts = []
    for version in range(1, draw(st.sampled_from((1, 1, 2))) + 1):
        if draw(seldom):
            facts.append(coverage_void(coverage_id, version))
            continue
        valid_from = draw(st.sampled_from(("2000-01-01", "2000-01-01", *DAYS)))
        valid_to = draw(st.sampled_from((None, None, None, *DAYS)))
        ends: Body = {} if valid_to is None or valid_to <= valid_from else {"valid_to": valid_to}
        category = draw(st.sampled_from(CATEGORIES))
        facts.append(coverage_from(valid_from, category, coverage_id=coverage_id, version=version, **ends))
    return facts


@st.composite
def histories(draw: st.DrawFn, policies_drawn: st.SearchStrategy[tuple[str, ...]] | None = None) -> History:
    """Policies and all the facts of one person, corrections included."""
    facts = [] if draw(seldom) else [coverage_from(category=draw(st.sampled_from(CATEGORIES)))]
    for number in range(2, draw(st.integers(1, 2)) + 2):
        facts += draw(coverages(f"C{number}"))
    for encounter in draw(st.permutations(("E1", "E10", "E2", "e3")))[: draw(st.sampled_from((1, 2, 3, 3, 4)))]:
        facts += draw(encounters(encounter))
    if draw(seldom):
        facts += [death(draw(st.sampled_from(DAYS)), version=version) for version in (1, 2)[: draw(st.integers(1, 2))]]
    return History(draw(releases() if policies_drawn is None else policies_drawn), tuple(facts))


@st.composite
def busy_years(draw: st.DrawFn) -> History:
    """One year with three to five claims, each complete and some corrected, under schemes whose year is capped."""
    layers = [
        scheme(
            scheme_id,
            draw(brackets()),
            accumulates=draw(st.sampled_from(("stay", "person_year"))),
            cap_per_year=yuan(draw(st.sampled_from((9_999, 40_000, 150_000)))),
        )
        for scheme_id in SCHEME_IDS[: draw(st.sampled_from((1, 1, 2)))]
    ]
    facts = [coverage_from()]
    for encounter in ("E1", "E10", "E2", "e3", "E4")[: draw(st.sampled_from((3, 4, 5)))]:
        facts += stay_of(encounter, draw(st.sampled_from(DAYS[:-2])), yuan(draw(st.sampled_from(AMOUNTS[3:]))))
        correction = draw(
            st.sampled_from(("none", "none", "another amount", "another day", "void", "billed again", "billed again"))
        )
        if correction == "another amount":
            facts.append(bill_of(encounter, yuan(draw(amounts())), version=2))
        elif correction == "another day":
            facts.append(discharge_of(encounter, draw(st.sampled_from(DAYS)), version=2))
        elif correction == "void":
            facts.append(void_of(encounter, 2))
        elif correction == "billed again":  # what was recovered is due once more
            facts += [void_of(encounter, 2), bill_of(encounter, yuan(draw(st.sampled_from(AMOUNTS[3:]))), version=3)]
    if draw(st.sampled_from((False, False, True))):
        facts.append(death(draw(st.sampled_from(DAYS))))
    return History((policy(*layers),), tuple(facts))


@st.composite
def deliveries(draw: st.DrawFn, facts: Sequence[Body]) -> list[Body]:
    """The same facts in any order, some again and again, older versions after newer ones."""
    order = list(draw(st.permutations(facts)))
    for body in draw(st.lists(st.sampled_from(facts), max_size=4)):
        order.insert(draw(st.integers(0, len(order))), {**body, "event_id": "again"})
    return order


@st.composite
def with_advances(draw: st.DrawFn, drawn: st.SearchStrategy[History]) -> History:
    """Histories in which two hospitals take something off most bills, for schemes that are there and for one not."""
    history = draw(drawn)
    return replace(history, facts=tuple(draw(_taken_off(body)) for body in history.facts))


@st.composite
def _taken_off(draw: st.DrawFn, body: Body) -> Body:
    if body["event_type"] != "settlement.posted":
        return body
    left, taken = fen(str(body["copay"])) + fen(str(body["out_of_catalogue"])), []
    for scheme_id in draw(st.lists(st.sampled_from((*SCHEME_IDS, "elsewhere")), max_size=3, unique=True)):
        amount = min(left, draw(st.sampled_from([each for each in AMOUNTS if each])))
        if amount:
            taken.append({"scheme_id": scheme_id, "amount": yuan(amount)})
            left -= amount
    bill = {**body, "facility_id": draw(st.sampled_from(("H1", "H2")))}
    return {**bill, "advances": taken} if taken else bill
