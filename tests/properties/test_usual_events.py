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
from schemas.facts import FACT_TYPES, Fact
from schemas.refusals import Refusal
from schemas.topics import INBOUND, TOPIC_OF_EVENT
from tests.properties.bent_events import EVENTS, UNKNOWN, VALUES, as_bytes, bent_events, members, without_pools, written
from tests.properties.strategies import tried
from tests.support.builders import Json, encode
from tests.support.paths import REPOSITORY


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
    for lines in (without_pools(generate(3, 400)), sample):
        assert sum(map(read_alike, lines)) > 0.98 * len(lines)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["event_type"])
def test_every_type_of_event_has_a_usual_form(event: Json) -> None:
    """As any JSON library writes it, with a field of the sender's own, a time in milliseconds, and nothing optional."""
    assert read_alike(encode(event))
    assert read_alike(encode({**event, UNKNOWN: "神经内科", "beds": 12, "private": False, "note": None}))
    assert read_alike(encode({**event, "occurred_at": "2024-12-31T04:00:00.250Z"}))
    fields = FACT_TYPES[event["event_type"]].model_fields
    optional = {name for name, field in fields.items() if not field.is_required()}
    assert read_alike(encode({name: value for name, value in event.items() if name not in optional}))
    for topic in INBOUND:
        as_is = read_usual(encode(event), topic.name)
        assert (as_is is not None) == (topic == TOPIC_OF_EVENT[event["event_type"]])
        assert (as_is is None) == isinstance(read_by_models(encode(event), topic.name), Refusal)
