"""From bytes to a fact or a refusal: every rule that looks at the event alone, and every kind of strange bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.read import Reading, read, recall
from schemas.facts import FACT_TYPES, EncounterDischarged, SettlementPosted, StatementAnswered
from schemas.refusals import Refusal
from schemas.topics import EVENT_BYTES_MAX, INBOUND, TOPIC_OF_EVENT, address
from tests.support.builders import (
    Json,
    aid,
    aid_void,
    answer,
    bill,
    contribution,
    contribution_void,
    coverage,
    coverage_void,
    death,
    discharge,
    encode,
    incident,
    incident_void,
    membership,
    membership_void,
    owner_of,
    pool,
    reading,
    report,
    unhurried,
    void,
)

DISPUTE = answer(lines=[3, 1], reasons=["paid by another insurer", "the amount is 5.00"])
EVENTS = [
    discharge(),
    bill(),
    void(),
    coverage(),
    coverage_void(),
    membership(role="head"),
    membership_void(),
    death(),
    report(),
    answer(),
    DISPUTE,
    pool(),
    contribution(restricted_to=["village_mutual_aid"], heads=12, payer="Lihu village"),
    contribution_void(),
    aid(alert_id="AT-1"),
    aid_void(),
    incident(degree="2", verified_loss="120.50", days=3, event_code="W19", evidence=["0f" * 32]),
    incident_void(),
]
MISSING = object()


def said(outcome: Reading | Refusal) -> tuple[str, tuple[str, ...]]:
    """The code and pointers of a refusal."""
    assert isinstance(outcome, Refusal), outcome
    return outcome.code, outcome.pointers


def changed(event: Json, **fields: object) -> bytes:
    """The event with some fields set or, with MISSING, left out."""
    return encode({name: value for name, value in {**event, **fields}.items() if value is not MISSING})


def with_member(text: str, event: Json | None = None) -> bytes:
    """An event with one more member, spelled as given."""
    return encode(event or death())[:-1] + b", " + text.encode("utf-8") + b"}"


# What is accepted -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["event_type"])
def test_every_event_type_is_read(event: Json) -> None:
    """A well-formed event of each type becomes the fact of its model, from the topic and under the key of its own."""
    outcome = read(encode(event), owner_of(event).encode(), TOPIC_OF_EVENT[event["event_type"]].name)
    assert isinstance(outcome, Reading)
    assert type(outcome.fact) is FACT_TYPES[event["event_type"]]


def test_the_fields_are_read_as_written() -> None:
    """Amounts become fen, dates dates, codes a list in the sender's order."""
    stay, settlement = (
        reading(discharge(diagnoses=["I10", "E11"])).fact,
        reading(bill(copay=12, out_of_catalogue=3)).fact,
    )
    assert isinstance(stay, EncounterDischarged)
    assert isinstance(settlement, SettlementPosted)
    assert (date(2024, 3, 1), ["I10", "E11"]) == (stay.admitted_on, stay.diagnoses)
    assert (1_500, 1_200, 300) == (settlement.total_charge, settlement.copay, settlement.out_of_catalogue)


@pytest.mark.parametrize(
    "member",
    [
        '"x": null',
        '"x": {"y": [1, 2.50, {"z": "\\ud83d\\ude00"}]}',
        '"x": ' + "9" * 5000,
        '"x": -' + "9" * 5000,
        '"x": 1e999999',
        '"x": "\\u0000"',
        '"": 1',
        '"备注": "无"',
    ],
)
def test_unknown_fields_are_allowed(member: str) -> None:
    """Whatever else a sender writes does no harm, now or when the bytes are read back from the ledger."""
    value = with_member(member)
    outcome = read(value)
    assert isinstance(outcome, Reading)
    assert outcome.fact == recall(value)


@pytest.mark.parametrize(
    "event",
    [
        discharge(diagnoses=[]),
        discharge(admitted_on="2024-03-10", discharged_on="2024-03-10"),
        bill(invoice_no=None),
        coverage(valid_to=None, household_id=None),
        coverage(valid_from="2024-02-28", valid_to="2024-02-29"),
        membership(valid_from="2024-02-28", valid_to="2024-02-29", role=None),
        membership(unit="collective", valid_from="2999-01-01", valid_to=None),
        death(died_on="2025-01-01"),  # one day after occurred_at
        discharge(discharged_on="2025-01-01"),
        bill(settled_at="2025-01-01T12:00:00+08:00"),  # one day after occurred_at, to the second
        bill(settled_at="2025-01-01T04:00:00Z"),
        death(person_id="人-" + "x" * 198),
        death(version=2**53 - 1),
    ],
)
def test_what_lies_on_the_edge_of_a_rule_is_accepted(event: Json) -> None:
    """A stay of one day, an empty list, an interval of one day, exactly one day ahead, 200 characters."""
    assert isinstance(read(encode(event)), Reading)


def test_a_mebibyte_is_accepted_and_a_byte_more_is_not() -> None:
    """The limit is 1 MiB of bytes, whatever they are."""
    fitting = encode(death()) + b" " * (EVENT_BYTES_MAX - len(encode(death())))
    assert 1024 * 1024 == len(fitting)
    assert isinstance(read(fitting), Reading)
    assert ("TOO_LARGE", ()) == said(read(fitting + b" "))
    assert ("TOO_LARGE", ()) == said(read(b"\xff" * (EVENT_BYTES_MAX + 1)))


# MALFORMED_JSON -------------------------------------------------------------------------------------------

STRANGE: dict[str, bytes | None] = {
    "tombstone": None,
    "nothing": b"",
    "blank": b" \n",
    "text": b"hello",
    "cut off": encode(death())[:-1],
    "more after the end": encode(death()) + b"{}",
    "byte order mark": b"\xef\xbb\xbf" + encode(death()),
    "UTF-16": encode(death()).decode().encode("utf-16"),
    "GB18030": encode(death(source="卫生院")).decode().encode("gb18030"),
    "invalid UTF-8": with_member('"x": "?"').replace(b"?", b"\xff"),
    "overlong UTF-8": with_member('"x": "?"').replace(b"?", b"\xc0\xaf"),
    "surrogate in UTF-8": with_member('"x": "?"').replace(b"?", b"\xed\xa0\x80"),
    "lone surrogate": with_member('"x": "\\ud800"'),
    "lone surrogate in a name": with_member('"\\udfff": 1'),
    "lone surrogate deep inside": with_member('"x": [{"y": [["\\ud83d"]]}]'),
    "lone surrogate in event_type": changed(death(), event_type="?").replace(b"?", b"\\ud800"),
    "NaN": with_member('"x": NaN'),
    "Infinity": with_member('"x": [-Infinity]'),
    "single quotes": b"{'event_type': 'person.died'}",
    "control character": with_member('"x": "\n"'),
    "leading zero": with_member('"x": 01'),
    "comma before the end": encode(death())[:-1] + b",}",
    "comment": encode(death()) + b" // note",
    "member twice": with_member('"version": 2'),
    "member twice, alike": with_member('"version": 1'),
    "member twice inside": with_member('"x": [{"a": 1, "\\u0061": 2}]'),
    "list bomb": b"[" * 100_000,
    "closed list bomb": b"[" * 100_000 + b"]" * 100_000,
    "object bomb": b'{"a":' * 100_000,
    "closed object bomb": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "list bomb in an event": with_member('"x": ' + "[" * 5_000 + "]" * 5_000),
    "object bomb in an event": with_member('"x": ' + '{"a":' * 5_000 + "1" + "}" * 5_000),
    "list bomb as a known field": changed(discharge(), diagnoses=0).replace(b": 0", b": " + b"[" * 900 + b"]" * 900),
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_bytes_are_malformed(name: str) -> None:
    """What is not JSON in UTF-8, names a member twice, cannot be written again or is nested beyond reason."""
    assert ("MALFORMED_JSON", ()) == said(read(STRANGE[name]))


def nested(depth: int) -> list[bytes]:
    """Events that are nested so deep, the event itself being the first level."""
    lists, objects = "[" * (depth - 1) + "]" * (depth - 1), '{"a":' * (depth - 1) + "1" + "}" * (depth - 1)
    return [with_member(f'"x": {lists}'), with_member(f'"x": {objects}')]


def far_down(frames: int, value: bytes) -> Reading | Refusal:
    """Reads from so many calls further down."""
    return read(value) if frames == 0 else far_down(frames - 1, value)


def test_how_deep_an_event_may_nest_does_not_depend_on_who_reads_it() -> None:
    """64 levels are read and 65 are refused, also where the caller has used most of the stack: replay must agree."""
    for fitting, too_deep in zip(nested(64), nested(65), strict=True):
        for frames in (0, 600):
            assert isinstance(far_down(frames, fitting), Reading)
            assert ("MALFORMED_JSON", ()) == said(far_down(frames, too_deep))


@pytest.mark.parametrize("fault", ["", '"a" "b"', "nul", '"', '{"a": 1, "a": 2}'])
@pytest.mark.parametrize("depth", [65, 700, 950, 5_000])
def test_the_words_about_broken_nesting_do_not_depend_on_who_reads_it(depth: int, fault: str) -> None:
    """Whether the parser finds the fault or its stack ends before: replay and API must say what the worker said."""
    for opening in ("[", '{"a":'):
        value = (opening * depth + fault).encode()
        words = {str(far_down(frames, value)) for frames in (0, 300, 600)}
        assert 1 == len(words), words


def test_brackets_in_a_text_are_no_nesting() -> None:
    """A fault behind a long drawing is found at its line and column."""
    broken = read(b'{"x": "' + b"[" * 99 + b'\\"[", "y": }')
    assert isinstance(broken, Refusal)
    assert broken.en.endswith("[line 1 column 118]")


# SCHEMA_INVALID and UNKNOWN_EVENT_TYPE --------------------------------------------------------------------


@pytest.mark.parametrize("text", ["[]", "1", "1.5", '"person.died"', "null", "true", "[[[]]]", "9" * 5000])
def test_an_event_is_an_object(text: str) -> None:
    """Any other JSON value is refused with the pointer of the whole document."""
    assert ("SCHEMA_INVALID", ("",)) == said(read(text.encode()))


REQUIRED = [
    (event, field.alias or name)
    for event in EVENTS
    for name, field in FACT_TYPES[event["event_type"]].model_fields.items()
    if field.is_required()
]


@pytest.mark.parametrize(("event", "name"), REQUIRED, ids=lambda part: part if isinstance(part, str) else "")
def test_each_required_field_is_missed(event: Json, name: str) -> None:
    """Without it, or with null in its place, the refusal points to it and to nothing else."""
    assert ("SCHEMA_INVALID", (f"/{name}",)) == said(read(changed(event, **{name: MISSING})))
    assert ("SCHEMA_INVALID", (f"/{name}",)) == said(read(changed(event, **{name: None})))


TOO_LONG = "x" * 201


@pytest.mark.parametrize(
    ("event", "fields", "pointers"),
    [
        (death(), {"version": True}, ["/version"]),
        (death(), {"version": 0}, ["/version"]),
        (death(), {"version": -1}, ["/version"]),
        (death(), {"version": 1.0}, ["/version"]),
        (death(), {"version": "1"}, ["/version"]),
        (death(), {"version": 2**53}, ["/version"]),
        (death(), {"version": 10**300}, ["/version"]),
        (death(), {"person_id": ""}, ["/person_id"]),
        (death(), {"person_id": TOO_LONG}, ["/person_id"]),
        (death(), {"person_id": "a\x00b"}, ["/person_id"]),
        (death(), {"person_id": "a\n"}, ["/person_id"]),
        (death(), {"person_id": 7}, ["/person_id"]),
        (death(), {"person_id": 1.5}, ["/person_id"]),
        (death(), {"person_id": True}, ["/person_id"]),
        (death(), {"person_id": ["P1"]}, ["/person_id"]),
        (death(), {"event_id": 10**30}, ["/event_id"]),
        (death(), {"source": {}}, ["/source"]),
        (death(), {"occurred_at": "2024-12-31"}, ["/occurred_at"]),
        (death(), {"occurred_at": 1735617600}, ["/occurred_at"]),
        (death(), {"died_on": "2024-02-30"}, ["/died_on"]),
        (death(), {"died_on": "2024-12-31T00:00:00Z"}, ["/died_on"]),
        (discharge(), {"facility_level": "village"}, ["/facility_level"]),
        (discharge(), {"care_type": "Inpatient"}, ["/care_type"]),
        (discharge(), {"diagnoses": "I10"}, ["/diagnoses"]),
        (discharge(), {"diagnoses": {"0": "I10"}}, ["/diagnoses"]),
        (discharge(), {"diagnoses": ["I10", 5, "", "E11", None, 1.5]}, [f"/diagnoses/{n}" for n in (1, 2, 4, 5)]),
        (bill(), {"final": 1}, ["/final"]),
        (bill(), {"final": "true"}, ["/final"]),
        (bill(), {"currency": 156}, ["/currency"]),
        (bill(), {"currency": 1.5}, ["/currency"]),
        (bill(), {"copay": True, "total_charge": [], "invoice_no": 3}, ["/total_charge", "/copay", "/invoice_no"]),
        (bill(), {"copay": "1.234", "settled_at": "now", "version": None}, ["/version", "/settled_at", "/copay"]),
        (void(), {"reason": 5}, ["/reason"]),
        (void(), {"reason": 1.5}, ["/reason"]),
        (void(), {"reason": "x" * 2001}, ["/reason"]),
        (coverage(), {"household_id": "", "area": 4, "valid_to": "soon"}, ["/household_id", "/area", "/valid_to"]),
        (membership(), {"household_id": "", "unit": "family", "role": 4}, ["/household_id", "/unit", "/role"]),
        (membership(), {"household_id": MISSING, "unit": None}, ["/household_id", "/unit"]),
        (membership(), {"unit": 1.5, "role": "", "valid_to": "soon"}, ["/unit", "/role", "/valid_to"]),
        (membership(), {"membership_id": "", "version": 0}, ["/membership_id", "/version"]),
        (membership_void(), {"reason": None, "version": "2"}, ["/reason", "/version"]),
        (report(), {"status": "lost", "reported_at": "2024-04-01"}, ["/status", "/reported_at"]),
        (answer(), {"verdict": "maybe", "insurer_id": "Insurer A"}, ["/verdict", "/insurer_id"]),
        (answer(), {"insurer_id": "insurer-a\n"}, ["/insurer_id"]),
        (answer(), {"insurer_id": 1.5}, ["/insurer_id"]),
        (answer(), {"lines": [1], "reasons": ["x"]}, ["/lines", "/reasons"]),
        (answer(), {"lines": [1]}, ["/lines"]),
        (answer(), {"reasons": ["all is well"]}, ["/reasons"]),
        (DISPUTE, {"lines": [0, -1, True, "1", 1.5]}, [f"/lines/{n}" for n in range(5)]),
        (DISPUTE, {"lines": 3}, ["/lines"]),
        (DISPUTE, {"lines": [2, 2]}, ["/lines"]),
        (DISPUTE, {"lines": [2]}, ["/lines", "/reasons"]),
        (DISPUTE, {"lines": [1, 2, 3]}, ["/lines", "/reasons"]),
        (DISPUTE, {"reasons": MISSING}, ["/reasons"]),
        (DISPUTE, {"lines": MISSING, "reasons": []}, ["/reasons"]),
        (DISPUTE, {"reasons": None, "lines": None}, ["/reasons"]),
        (DISPUTE, {"reasons": "why"}, ["/reasons"]),
        (DISPUTE, {"reasons": ["why", 1.5]}, ["/reasons/1"]),
        (DISPUTE, {"reasons": ["", " \u3000"]}, ["/reasons/0", "/reasons/1"]),
        (DISPUTE, {"reasons": ["why", "x" * 2001]}, ["/reasons/1"]),
    ],
)
def test_every_bad_field_is_pointed_to(event: Json, fields: Json, pointers: list[str]) -> None:
    """A wrong type, form or range; booleans and numbers are no strings, strings and booleans no numbers."""
    code, found = said(read(changed(event, **fields)))
    assert ("SCHEMA_INVALID", sorted(pointers)) == (code, sorted(found))


@pytest.mark.parametrize("wrong", [MISSING, None, 1, 1.5, True, [], {}])
def test_the_event_type_is_a_string(wrong: object) -> None:
    """Without one, nothing else can be looked at."""
    assert ("SCHEMA_INVALID", ("/event_type",)) == said(read(changed(death(), event_type=wrong)))


@pytest.mark.parametrize("name", ["", "person.born", "Person.died", "claim.decided", "payout.instructed", "1.5"])
def test_a_type_that_no_sender_may_send_is_unknown(name: str) -> None:
    """Also what Huzhu itself sends is not taken in."""
    assert ("UNKNOWN_EVENT_TYPE", ("/event_type",)) == said(read(changed(death(), event_type=name)))


def test_each_topic_takes_its_own_types_alone() -> None:
    """On another inbound topic a known event type is unknown."""
    for event in EVENTS:
        for topic in INBOUND:
            outcome = read(encode(event), owner_of(event).encode(), topic.name)
            if event["event_type"] in topic.event_types:
                assert isinstance(outcome, Reading)
            else:
                assert ("UNKNOWN_EVENT_TYPE", ("/event_type",)) == said(outcome)


@pytest.mark.parametrize(
    "said",
    [
        {"verdict": "confirmed", "lines": [], "reasons": None},
        {"verdict": "disputed", "reasons": ["a payout is missing", "and so is another"]},
        {"verdict": "disputed", "lines": [], "reasons": ["a payout is missing"]},
        {"verdict": "disputed", "lines": [7], "reasons": ["its amount"], "person_id": "P1", "note": "x"},
    ],
)
def test_an_answer_is_read_as_the_insurer_writes_it(said: Json) -> None:
    """A confirmation without reasons; a dispute with one for each line, or some for the whole statement."""
    fact = reading({**answer(), **said}).fact
    assert isinstance(fact, StatementAnswered)
    assert (said["verdict"], "insurer-a", "ST-1") == (fact.verdict, fact.person_id, fact.statement_id)
    assert (tuple(said.get("lines") or ()), tuple(said.get("reasons") or ())) == (fact.lines, fact.reasons)


@pytest.mark.parametrize("event_type", FACT_TYPES)
def test_the_key_of_an_event_is_the_member_that_its_topic_names(event_type: str) -> None:
    """A person's id, of an answer the insurer's, of money the pool's; another key is refused with that name."""
    event = next(each for each in EVENTS if each["event_type"] == event_type)
    assert FACT_TYPES[event_type].owner_field == TOPIC_OF_EVENT[event_type].key
    assert (TOPIC_OF_EVENT[event_type].name, owner_of(event).encode()) == address(encode(event))
    refusal = read(encode(event), b"another")
    assert ("KEY_MISMATCH", (f"/{TOPIC_OF_EVENT[event_type].key}",)) == said(refusal)
    assert isinstance(refusal, Refusal)
    for said_of in (refusal.zh, refusal.en):  # once where the event is wrong, once in the hint
        hinted = [name for name in ("insurer_id", "pool_id") if said_of.count(name) > 1]
        assert hinted == [key for key in [TOPIC_OF_EVENT[event_type].key] if key != "person_id"]


# The rules on what is well-formed -------------------------------------------------------------------------


@pytest.mark.parametrize("currency", ["", "USD", "cny", "RMB", " CNY"])
def test_only_cny_is_supported(currency: str) -> None:
    """Any other currency is refused, also an empty one."""
    assert ("UNSUPPORTED_CURRENCY", ("/currency",)) == said(read(changed(bill(), currency=currency)))


@pytest.mark.parametrize("key", [None, b"", b"P2", b"P1 ", b"p1", b"P1\x00", b"\xff"])
def test_the_key_is_the_person(key: bytes | None) -> None:
    """A message without a key, or with another, does not belong to the person."""
    assert ("KEY_MISMATCH", ("/person_id",)) == said(read(encode(death()), key))


def test_the_key_is_compared_in_utf_8() -> None:
    """A person's id may hold any script; a lookalike in another normal form is another id."""
    assert isinstance(read(encode(death(person_id="张é")), "张\u00e9".encode()), Reading)
    assert ("KEY_MISMATCH", ("/person_id",)) == said(read(encode(death(person_id="张é")), "张e\u0301".encode()))


def test_every_negative_amount_is_pointed_to() -> None:
    """Also where the amounts balance."""
    value = changed(bill(copay=0), copay="-0.01", out_of_catalogue="0.01")
    assert ("NEGATIVE_AMOUNT", ("/copay",)) == said(read(value))
    value = changed(bill(), total_charge="-1", other_fund_paid=-1, basic_insurance_paid=0)
    assert ("NEGATIVE_AMOUNT", ("/total_charge", "/other_fund_paid")) == said(read(value))


@pytest.mark.parametrize("amount", ["0", "0.00", "-0.01", "-500"])
def test_a_contribution_is_over_zero(amount: str) -> None:
    """A pool that received nothing received no contribution; what was wrong is voided."""
    refusal = read(changed(contribution(), amount=amount))
    assert ("NEGATIVE_AMOUNT", ("/amount",)) == said(refusal)
    assert isinstance(refusal, Refusal)
    assert "contribution.voided" in refusal.en
    assert isinstance(read(changed(contribution(), amount="0.01")), Reading)


def test_a_contribution_names_each_of_its_schemes_once() -> None:
    """In any order; none, null and an empty list are free money."""
    assert ("SCHEMA_INVALID", ("/restricted_to",)) == said(read(changed(contribution(), restricted_to=["b", "a", "b"])))
    for restricted_to in (["b", "a"], [], None, MISSING):
        assert isinstance(read(changed(contribution(), restricted_to=restricted_to)), Reading)


@pytest.mark.parametrize("name", SettlementPosted.money_fields)
def test_the_amounts_balance_to_the_fen(name: str) -> None:
    """One fen more in any one amount is refused."""
    amount = str(bill()[name])[:-1] + "1"
    assert ("AMOUNTS_DO_NOT_BALANCE", ("/total_charge",)) == said(read(changed(bill(), **{name: amount})))


def test_the_largest_amounts_balance() -> None:
    """Sums beyond what one amount may be are still exact."""
    most = "999999999999.99"
    value = changed(bill(), total_charge=most, copay=most, out_of_catalogue="0.01")
    assert ("AMOUNTS_DO_NOT_BALANCE", ("/total_charge",)) == said(read(value))
    assert isinstance(read(changed(bill(), total_charge=most, copay=most)), Reading)


@pytest.mark.parametrize(
    ("event", "pointers"),
    [
        (discharge(admitted_on="2024-03-11", discharged_on="2024-03-10"), ("/admitted_on", "/discharged_on")),
        (coverage(valid_from="2024-03-10", valid_to="2024-03-10"), ("/valid_from", "/valid_to")),
        (coverage(valid_from="2024-03-10", valid_to="2024-03-09"), ("/valid_from", "/valid_to")),
        (membership(valid_from="2024-03-10", valid_to="2024-03-10"), ("/valid_from", "/valid_to")),
        (membership(valid_from="2024-03-10", valid_to="2024-03-09", unit="single"), ("/valid_from", "/valid_to")),
    ],
)
def test_dates_are_in_order(event: Json, pointers: tuple[str, ...]) -> None:
    """Discharge is not before admission; an interval holds at least a day."""
    assert ("DATES_OUT_OF_ORDER", pointers) == said(read(encode(event)))


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        (death(died_on="2025-01-02"), "/died_on"),
        (discharge(discharged_on="2025-01-02"), "/discharged_on"),
        (bill(settled_at="2025-01-01T12:00:01+08:00"), "/settled_at"),
        (bill(settled_at="2025-01-01T12:00:00.000001+08:00"), "/settled_at"),
        (bill(settled_at="2025-01-01T04:00:01Z"), "/settled_at"),
    ],
)
def test_more_than_a_day_ahead_is_the_future(event: Json, pointer: str) -> None:
    """Days count from the date of occurred_at in Shanghai, instants from occurred_at itself."""
    assert ("FUTURE_DATED", (pointer,)) == said(read(encode(event)))


def test_the_future_begins_by_the_calendar_of_shanghai() -> None:
    """At 16:00 UTC on New Year's Eve it is the new year, and the second of January is one day ahead."""
    assert isinstance(read(encode(death(died_on="2025-01-02", occurred_at="2024-12-31T16:00:00Z"))), Reading)
    refusal = read(encode(death(died_on="2025-01-02", occurred_at="2024-12-31T15:59:59Z")))
    assert ("FUTURE_DATED", ("/died_on",)) == said(refusal)


NOON = datetime.fromisoformat("2024-12-31T12:00:00+08:00")
A_DAY = timedelta(days=1)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: str(event["event_type"]))
def test_an_event_may_be_a_day_ahead_of_its_intake_and_no_more(event: Json) -> None:
    """Exactly a day after the moment of intake is accepted, a microsecond more is not; without a moment nobody asks."""
    ahead = encode({**event, "occurred_at": "2030-05-01T12:00:00+08:00"})
    assert isinstance(read(ahead), Reading)
    assert ("FUTURE_DATED", ("/occurred_at",)) == said(read(ahead, as_of=datetime(2020, 1, 1, tzinfo=UTC)))
    assert isinstance(read(encode(event), as_of=NOON), Reading)
    assert isinstance(read(encode(event), as_of=NOON - A_DAY), Reading)
    assert "FUTURE_DATED" == said(read(encode(event), as_of=NOON - A_DAY - timedelta(microseconds=1)))[0]


@pytest.mark.parametrize(
    ("event", "as_of", "zh", "en"),
    [
        (discharge(discharged_on="2025-01-02"), None, "晚 2 天]", "discharged_on is 2 days after occurred_at]"),
        (bill(settled_at="2025-01-01T12:00:00.5+08:00"), None, "晚 1 天 1 秒]", "is 1 day 1 second after occurred_at]"),
        (bill(settled_at="2025-01-01T14:05:09+08:00"), None, "晚 1 天 2 小时]", "is 1 day 2 hours after occurred_at]"),
        (
            coverage(),
            NOON - timedelta(days=40),
            "[occurred_at 比账本接收的时间晚 40 天]",
            "[occurred_at is 40 days after the moment of intake]",
        ),
    ],
)
def test_a_date_in_the_future_is_told_with_its_field_and_by_how_much(
    event: Json, as_of: datetime | None, zh: str, en: str
) -> None:
    """In both languages, in the two largest units."""
    refusal = read(encode(event), as_of=as_of)
    assert isinstance(refusal, Refusal)
    assert refusal.zh.endswith(zh), refusal.zh
    assert refusal.en.endswith(en), refusal.en


# Order of precedence --------------------------------------------------------------------------------------

Spoil = Callable[[Json], None]


def setting(**fields: object) -> Spoil:
    return lambda event: event.update(fields)


PRECEDENCE: list[tuple[str, Spoil]] = [
    ("UNKNOWN_EVENT_TYPE", setting(event_type="settlement.lost")),
    ("SCHEMA_INVALID", setting(final="yes")),
    ("UNSUPPORTED_CURRENCY", setting(currency="EUR")),
    ("KEY_MISMATCH", setting(person_id="P2")),
    ("NEGATIVE_AMOUNT", setting(copay="-5.00")),
    ("AMOUNTS_DO_NOT_BALANCE", setting(total_charge="0.01")),
    ("FUTURE_DATED", setting(settled_at="2030-01-01T00:00:00Z")),
]


@pytest.mark.parametrize("first", range(len(PRECEDENCE)))
def test_the_first_rule_that_fails_gives_the_code(first: int) -> None:
    """Size, JSON, type, fields, currency, key, sign, balance, dates: an event with all later faults has one code."""
    event = bill()
    for _, spoil in PRECEDENCE[first:]:
        spoil(event)
    assert PRECEDENCE[first][0] == said(read(encode(event), b"P1"))[0]


def test_order_of_dates_comes_before_the_future() -> None:
    """A stay that ends before it begins, in the future, is out of order."""
    event = discharge(admitted_on="2031-01-01", discharged_on="2030-01-01")
    assert "DATES_OUT_OF_ORDER" == said(read(encode(event)))[0]


def test_the_moment_of_intake_is_looked_at_last() -> None:
    """Of a bill that is dated ahead of itself and occurred ahead of its intake, the bill's own date is told."""
    event = bill(settled_at="2031-01-01T00:00:00Z", occurred_at="2030-01-01T00:00:00Z")
    assert ("FUTURE_DATED", ("/settled_at",)) == said(read(encode(event), as_of=NOON))
    assert ("AMOUNTS_DO_NOT_BALANCE", ("/total_charge",)) == said(
        read(encode({**event, "total_charge": "0.01"}), as_of=NOON)
    )


def test_size_comes_before_syntax_and_syntax_before_type() -> None:
    """Bytes that are too large are not even parsed; what cannot be parsed has no type."""
    assert "TOO_LARGE" == said(read(b"{" * (EVENT_BYTES_MAX + 1)))[0]
    assert "MALFORMED_JSON" == said(read(b'{"event_type": "settlement.lost", "x": NaN}'))[0]


# What the content of an event is --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "same"),
    [
        ({"event_id": "another"}, True),
        ({"occurred_at": "2024-12-30T12:00:00+08:00"}, True),
        ({"copay": "3000"}, True),
        ({"copay": 3000}, True),
        ({"copay": "3000.0"}, True),
        ({"source": "another"}, False),
        ({"final": False}, False),
        ({"version": 2}, False),
        ({"invoice_no": "1"}, False),
        ({"unknown": 1}, False),
        ({"settled_at": "2024-03-10T15:00:01+08:00"}, False),
    ],
)
def test_content_is_what_an_event_says(fields: Json, same: bool) -> None:
    """All of it but event_id and occurred_at, unknown fields too; an amount counts by its value."""
    assert same is (reading(bill()).content_sha256 == reading({**bill(), **fields}).content_sha256)


def test_content_does_not_depend_on_order_or_white_space() -> None:
    """The same members in another order, on many lines, with escapes, are the same content."""
    event = bill(source="卫生院", note={"b": [1, "é"], "a": None})
    again = json.dumps(dict(reversed(event.items())), indent=2, ensure_ascii=True).encode()
    outcome = read(again)
    assert isinstance(outcome, Reading)
    assert reading(event).content_sha256 == outcome.content_sha256


# Messages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [encode(death(person_id=7, source="王小明")), b'{"name": "\xe7\x8e\x8b', b"[1]"])
def test_a_message_quotes_no_data(value: bytes) -> None:
    """The sentences are Chinese and English, name the fields, and hold nothing of a person."""
    outcome = read(value)
    assert isinstance(outcome, Refusal)
    assert outcome.zh
    assert outcome.en
    assert "王" not in outcome.zh + outcome.en
    assert all(pointer in outcome.zh and pointer in outcome.en for pointer in outcome.pointers)


# Totality -------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**400, "CNY", "2024-02-29", "2024-12-31T12:00:00Z", "1.00", "P1", date.max.isoformat()]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
keys = st.none() | st.binary(max_size=8) | st.just(b"P1")


def is_answer(outcome: Reading | Refusal) -> bool:
    return isinstance(outcome, Reading | Refusal)


@unhurried
@given(st.none() | st.binary(max_size=300), keys)
def test_any_bytes_get_an_answer(value: bytes | None, key: bytes | None) -> None:
    """Whatever the bytes are, reading them gives a fact or a refusal and never raises."""
    assert is_answer(read(value, key))


@unhurried
@given(json_values, keys)
def test_any_json_gets_an_answer(value: object, key: bytes | None) -> None:
    """Whatever JSON (and what Python writes beyond it) says, reading it gives a fact or a refusal."""
    assert is_answer(read(json.dumps(value).encode(), key))


@unhurried
@given(st.sampled_from(EVENTS), st.data())
def test_any_event_with_any_fields_gets_an_answer(event: Json, data: st.DataObject) -> None:
    """Known fields with any values: a fact or a refusal, and a fact reads back from the ledger as it was."""
    names = data.draw(st.lists(st.sampled_from(sorted(event)), max_size=4))
    spoiled = {**event, **{name: data.draw(json_values) for name in names}}
    value = json.dumps(spoiled).encode()
    outcome = read(value)
    assert is_answer(outcome)
    if isinstance(outcome, Reading):
        assert outcome.fact == recall(value)


@unhurried
@given(st.sampled_from(EVENTS), st.data())
def test_a_damaged_event_gets_an_answer(event: Json, data: st.DataObject) -> None:
    """A good event with some bytes cut out or put in: a fact or a refusal."""
    value = encode(event)
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, len(value)))
    assert is_answer(read(value[:start] + data.draw(st.binary(max_size=6)) + value[end:]))


@unhurried
@given(st.dates(date(1, 1, 2)), st.integers(-3, 3))
def test_dates_at_the_ends_of_the_calendar_get_an_answer(day: date, days: int) -> None:
    """No date, however early or late, breaks the arithmetic of the rules."""
    try:
        died_on = day + timedelta(days=days)
    except OverflowError:
        died_on = day
    outcome = read(encode(death(died_on=died_on.isoformat(), occurred_at=f"{day.isoformat()}T12:00:00+08:00")))
    assert (days > 1 and died_on != day) is (not isinstance(outcome, Reading))
