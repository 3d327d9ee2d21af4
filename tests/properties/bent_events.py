"""Events of every type, bent in every way that a reader might see otherwise than the models."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hypothesis import strategies as st

from schemas.topics import FUNDS, TOPIC_OF_EVENT, address
from tests.support.builders import (
    Json,
    answer,
    bill,
    coverage,
    coverage_void,
    death,
    discharge,
    membership,
    membership_void,
    report,
    void,
)

EVENTS = [
    discharge(diagnoses=["I10", "E11.9"]),
    bill(invoice_no="INV-1", total_charge="3000.01", other_fund_paid="0.01"),
    void(),
    coverage(household_id="HH1", pool_id="B1", area="A1", valid_to="2030-01-01", ended_reason="moved"),
    coverage_void(),
    membership(role="head", valid_to="2030-01-01"),
    membership_void(),
    death(),
    report(reason="returned by the bank"),
]
ANSWER = answer(lines=[3, 1], reasons=["paid by another insurer", "the amount is 5.00"])
"""Has no usual form: a few come in a month."""

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
DAYS += words("2024-00-10 2024-13-01 2024-01-00 2024-04-31")
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
INSTANTS += [f"{day}T12:00:00{zone}" for day in DAYS for zone in ("Z", "+08:00")]
TEXTS = [letter * length for letter in "x人😀" for length in (0, 1, 200, 201, 2000, 2001)]
TEXTS += ["\x7f", "\x80", "\x9f", "\u2028", "\ufeff", "e\u0301", "\uffff", "a\tb", "a\nb", "a\x00b", " x", "x\u00a0"]
TEXTS += [":", ":x", " : ", '": ', "{", "}", "[", "[[", "]", ",", "\\", "/", "a'b", "\ud800", "\udfffx"]
TEXTS += words("CNY cny USD city County town inpatient outpatient_special paid failed returned encounter.admitted")
TEXTS += words("household single Collective family income Moved emigrated")
TEXTS += [*TOPIC_OF_EVENT, *AMOUNTS, *DAYS, *INSTANTS]


def spelled(text: str) -> list[str]:
    """A text as JSON: as it is where that can be written, with escapes, and with its control characters raw."""
    return list(dict.fromkeys((json.dumps(text, ensure_ascii=False), json.dumps(text), f'"{text}"')))


VALUES = NUMBERS + OTHERS + [each for text in TEXTS for each in spelled(text)]
"""Values as they stand in bytes, each awkward for some kind of field."""


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def members(event: Json) -> list[tuple[str, str]]:
    """The members of an event as they are spelled."""
    return [(json.dumps(name), json.dumps(value, ensure_ascii=False)) for name, value in event.items()]


def written(parts: list[tuple[str, str]], colon: str = ":", comma: str = ",") -> bytes:
    return as_bytes("{" + comma.join(f"{name}{colon}{value}" for name, value in parts) + "}")


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
    parts = members(draw(st.sampled_from([*EVENTS, ANSWER])))
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


def without_pools(lines: Iterable[bytes]) -> list[bytes]:
    """Without what is sent of pools: some thousand a year in a city, but many beside the few people of a test."""
    return [line for line in lines if address(line)[0] != FUNDS.name]
