"""Which headers are a traceparent: nothing else is carried along."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from infra.kafka.names import KafkaNames
from schemas.records import Delivery
from schemas.traceparent import read_traceparent, trace_id, traceparent_in
from stream.inbound.worker import delivery_of

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_traceparent_is_read_from_text_and_from_bytes() -> None:
    assert GOOD == read_traceparent(GOOD) == read_traceparent(GOOD.encode())
    assert "0af7651916cd43dd8448eb211c80319c" == trace_id(GOOD)


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "张三",
        "张三".encode(),
        GOOD.upper(),
        f"{GOOD}\n",
        f"{GOOD}-320211199001011234",
        GOOD.replace("00-", "ff-", 1),
        GOOD.replace("00-", "01-", 1),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        GOOD.replace("-01", "-1"),
    ],
)
def test_what_is_malformed_is_ignored(given: str | bytes | None) -> None:
    assert read_traceparent(given) is None


def test_it_is_one_header_among_others() -> None:
    """Whatever else is there, ``tracestate`` and ``baggage`` too, is not looked at."""
    others: list[tuple[str, str | bytes | None]] = [("tracestate", b"p=P1"), ("baggage", b"who=P1"), ("x", None)]
    assert GOOD == traceparent_in([*others, ("traceparent", GOOD.encode())])
    assert traceparent_in(others) is traceparent_in([]) is traceparent_in(None) is None


def test_of_two_none_counts() -> None:
    assert traceparent_in([("traceparent", GOOD.encode()), ("traceparent", GOOD.encode())]) is None


def test_what_faust_delivers_has_it_from_its_headers() -> None:
    message = SimpleNamespace(topic="t", partition=1, offset=2, key=b"k", value=b"v", headers=[])
    assert Delivery("t", 1, 2, b"k", b"v") == delivery_of(message, KafkaNames())
    message.headers = [("traceparent", GOOD.encode())]
    assert Delivery("t", 1, 2, b"k", b"v", GOOD) == delivery_of(message, KafkaNames())
