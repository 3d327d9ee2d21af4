"""Events in the usual form are read as the models read them; all others are left to the models."""

from __future__ import annotations

import json
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.read import read, read_by_models, recall
from handlers.fast.usual_events import read_usual, recall_usual
from infra.population import generate
from schemas.canonical import canonical_json
from schemas.facts import Fact
from schemas.refusals import Refusal
from schemas.topics import INBOUND, TOPIC_OF_EVENT
from tests.properties.strategies import tried
from tests.support.builders import Json, bill, coverage, coverage_void, death, discharge, encode, report, void
from tests.support.paths import REPOSITORY

EVENTS = [
    discharge(diagnoses=["I10", "E11.9"]),
    bill(invoice_no="INV-1", total_charge="3000.01", other_fund_paid="0.01"),
    void(),
    coverage(household_id="HH1", pool_id="B1", area="A1", valid_to="2030-01-01"),
    coverage_void(),
    death(),
    report(reason="returned by the bank"),
]
UNKNOWN = "department"


def words(text: str) -> list[str]:
    return text.split()


NUMBERS = words("0 -0 1 -1 12 0.0 -0.0 1.5 1.50 -1.50 1.505 1e2 1E-2 1e400 NaN Infinity -Infinity 01 +1 .5 1. 0x1")
NUMBERS += [f"{sign}{2**power - less}" for sign in ("", "-") for power in (53, 63, 64) for less in (0, 1)]
NUMBERS += ["-" + str(2**63 + 1), *("9" * digits for digits in (19, 20, 21, 5000)), "-" + "9" * 19]
OTHERS = ["true", "false", "null", "[]", "{}", "[1]", "[1.5]", '["I10", 1.50]', '["I10"]', '["I10", ["E11"]]', "[null]"]
OTHERS += [
    '{"a": 1}',
    '{"a": 1.5}',
    '{"a": {}}',
    "[{}]",
    '["\\u0041"]',
    '[""]',
    '["' + "x" * 201 + '"]',
    "[",
    "",
    "'x'",
]
AMOUNTS = words("0.00 00.00 0.0 0 1 1.5 1.50 007.50 -1.00 -0.00 -0.01 1.505 1. .50 +1.00 1_0.00 1,000.00 1e2 0x10 1.-5")
AMOUNTS += words(
    "999999999999.99 1000000000000.00 NaN true -1.50- --1.00 12.3x x2.34 1..00 1.2.34 １.００ 1٣.00 1.٣٣ 1²3.00"
)
AMOUNTS += ["9" * 12, "9" * 13, "0" * 37 + "1.00", "0" * 40 + "1", " 1.00", "1.00 "]
DAYS = words("2024-02-29 2023-02-29 2024-2-9 20240229 2024-W10-1 2024-060 0001-01-01 0000-01-01 9999-12-31 10000-01-01")
DAYS += ["２０２４-02-29", "2024-02-29T00:00:00", " 2024-02-29", "2024-02-29 ", "-2024-02-29", "2024/02/29"]
YEARS = words("0001-01-01 0000-01-01 0999-12-31 1000-01-01 1900-06-15 1986-07-01 2999-12-31 3000-01-01 9999-12-31")
CLOCKS = words("12:00:00 12:00 12 24:00:00 23:59:60 23:59:59 1２:00:00 12:00:00,123 12:00:00.")
CLOCKS += ["12:00:00." + "123456789012345"[:digits] for digits in range(1, 14)]
OFFSETS = [
    "",
    *words("Z z +08:00 -00:00 +00:00 +14:00 -12:30 +23:59 -23:59 +24:00 +08:60 +0800 +08 +08:00:00 +08:00:01 +８:00"),
]
INSTANTS = [f"2024-12-31{mark}{clock}{zone}" for mark in "Tt " for clock in CLOCKS for zone in ("Z", "+08:00")]
INSTANTS += [f"{day}T{clock}{zone}" for day in YEARS for clock in ("00:00:00", "23:59:59") for zone in OFFSETS]
INSTANTS += [f"{day}T12:00:00Z" for day in DAYS]
TEXTS = [letter * length for letter in "x人😀" for length in (0, 1, 200, 201, 2000, 2001)]
TEXTS += ["\x7f", "\x80", "\x9f", "\u2028", "\ufeff", "e\u0301", "\uffff", "a\tb", "a\nb", "a\x00b", " x", "x\u00a0"]
TEXTS += [":", ":x", " : ", '": ', "{", "}", "[", "[[", "]", ",", "\\", "/", "a'b", "\ud800", "\udfffx"]
TEXTS += words("CNY cny USD city County town inpatient outpatient_special paid failed returned encounter.admitted")
TEXTS += [*TOPIC_OF_EVENT, *AMOUNTS, *DAYS, *INSTANTS]


def spelled(text: str) -> list[str]:
    """A text as JSON: as it is where that can be written, with escapes, and with its control characters raw."""
    return list(dict.fromkeys((json.dumps(text, ensure_ascii=False), json.dumps(text), f'"{text}"')))


VALUES = NUMBERS + OTHERS + [each for text in TEXTS for each in spelled(text)]
"""Values as they stand in bytes, each awkward for some kind of field."""


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def read_alike(value: bytes) -> bool:
    """Whether the bytes have the usual form; if so, the models must see the same, down to the content's hash."""
    usual, expected = read_usual(value), read_by_models(value)
    if not isinstance(expected, Refusal):
        recalled = recall_usual(value)
        assert recalled is None or (expected[0], told(expected[0])) == (recalled, told(recalled))
    if usual is None:
        return False
    assert not isinstance(expected, Refusal), (value, expected)
    (fact, document), (modelled, parsed) = usual, expected
    assert type(fact) is type(modelled)
    assert told(fact) == told(modelled)
    assert fact == modelled
    assert fact.model_fields_set == modelled.model_fields_set
    assert canonical_json(document) == canonical_json(parsed)
    outcome = read(value)
    with patch("handlers.claims.read.read_usual", return_value=None):
        assert read(value) == outcome
    assert recall(value) == fact
    return True


def told(fact: Fact) -> list[tuple[str, type, str]]:
    """Its fields in order, to the type of each and its time zone."""
    return [(name, type(value), repr(value)) for name, value in fact]


def members(event: Json) -> list[tuple[str, str]]:
    """The members of an event as they are spelled."""
    return [(json.dumps(name), json.dumps(value, ensure_ascii=False)) for name, value in event.items()]


def written(parts: list[tuple[str, str]], colon: str = ":", comma: str = ",") -> bytes:
    return as_bytes("{" + comma.join(f"{name}{colon}{value}" for name, value in parts) + "}")


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["event_type"])
def test_an_event_with_one_bent_member_is_read_alike(event: Json) -> None:
    """Each member in turn takes each of many awkward values, is missing, or comes twice, however it is spaced."""
    parts = members(event)
    assert read_alike(written(parts))
    for name in [*event, UNKNOWN]:
        quoted = json.dumps(name)
        rest = [part for part in parts if part[0] != quoted]
        read_alike(written(rest))
        for value in VALUES:
            read_alike(written([*rest, (quoted, value)]))
        for blank in ("", " ", "\t", "\r", "\n", "\u00a0", "\x0b"):
            again = (quoted + blank, '"1.00"')
            assert not read_alike(written([*parts, again, (quoted, '"2.00"')]))
            assert not read_alike(written([again, *parts, (quoted, "1")]))
            read_alike(written([*rest, again], colon=blank + ":" + blank, comma=blank + "," + blank))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["event_type"])
def test_an_event_in_another_dress_is_read_alike(event: Json) -> None:
    """Other encodings, a mark in front, something behind, indents, reversed or sorted members, escapes."""
    text = json.dumps(event)
    for codec in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gb18030"):
        read_alike(text.encode(codec))
    for front in ("", " ", "\ufeff", "[", "{", "\x00", "//\n"):
        for back in ("", " ", "\n", "\r\n", "]", "}", ",", "\x00", text, "#", "null"):
            read_alike(as_bytes(front + text + back))
    read_alike(json.dumps(event, indent=2).encode())
    read_alike(json.dumps(event, sort_keys=True).encode())
    read_alike(json.dumps(dict(reversed(event.items()))).encode())
    read_alike(text.replace("source", "sourc\\u0065").encode())
    for wrapped in (f"[{text}]", f'"{text}"', json.dumps(text), f'{{"event": {text}}}'):
        assert not read_alike(wrapped.encode())


SPLICES = st.binary(max_size=4) | st.text('":{}[],.-e0\\ ', max_size=2).map(as_bytes)
RAW_VALUES = (
    st.sampled_from(VALUES)
    | st.floats().map(json.dumps)
    | st.integers().map(str)
    | st.from_regex(r"\A-?[0-9]{0,15}(\.[0-9]{0,4})?([eE][0-9]{1,2})?\Z")
    | st.text(max_size=205).flatmap(lambda text: st.sampled_from(spelled(text)))
)


@st.composite
def bent_events(draw: st.DrawFn) -> bytes:
    """An event with some of its members replaced, left out, doubled, moved or misspelled; then perhaps some bytes."""
    parts = members(draw(st.sampled_from(EVENTS)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(parts) - 1))
        match draw(st.sampled_from(("replace", "leave out", "double", "add", "shuffle", "space"))):
            case "replace":
                parts[place] = (parts[place][0], draw(RAW_VALUES))
            case "leave out" if len(parts) > 1:
                del parts[place]
            case "double":
                parts.insert(place, (parts[-1][0], draw(RAW_VALUES)))
            case "add":
                parts.insert(place, (json.dumps(draw(st.text(max_size=8))), draw(RAW_VALUES)))
            case "shuffle":
                parts = draw(st.permutations(parts))
            case "space":
                parts[place] = (parts[place][0] + draw(st.sampled_from((" ", "\t", "\r", "\n"))), parts[place][1])
    value = written(parts, colon=draw(st.sampled_from((":", ": "))), comma=draw(st.sampled_from((",", ", ", ",\n"))))
    if draw(st.booleans()):
        return value
    start = draw(st.integers(0, len(value)))
    end = draw(st.integers(start, min(len(value), start + 6)))
    return value[:start] + draw(SPLICES) + value[end:]


@tried
@given(st.lists(bent_events(), min_size=20, max_size=20))
def test_any_bent_event_is_read_alike(values: list[bytes]) -> None:
    for value in values:
        read_alike(value)


@tried
@given(st.binary(max_size=400) | st.text().map(as_bytes))
def test_any_bytes_are_read_alike(value: bytes) -> None:
    read_alike(value)


def test_nearly_all_events_have_the_usual_form() -> None:
    """Of a made-up city and of the synthetic patients in tests/data; else there would be no gain."""
    sample = (REPOSITORY / "tests" / "data" / "synthea-sample.jsonl").read_bytes().splitlines()
    for lines in (list(generate(3, 400)), sample):
        assert sum(map(read_alike, lines)) > 0.98 * len(lines)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["event_type"])
def test_every_type_of_event_has_a_usual_form(event: Json) -> None:
    """As any JSON library writes it, with a field of the sender's own, a time in milliseconds, and nothing optional."""
    assert read_alike(encode(event))
    assert read_alike(encode({**event, UNKNOWN: "神经内科", "beds": 12, "private": False, "note": None}))
    assert read_alike(encode({**event, "occurred_at": "2024-12-31T04:00:00.250Z"}))
    optional = {"household_id", "pool_id", "area", "valid_to", "invoice_no"}
    assert read_alike(encode({name: value for name, value in event.items() if name not in optional}))
    for topic in INBOUND:
        as_is = read_usual(encode(event), topic.name)
        assert (as_is is not None) == (topic == TOPIC_OF_EVENT[event["event_type"]])
        assert (as_is is None) == isinstance(read_by_models(encode(event), topic.name), Refusal)
