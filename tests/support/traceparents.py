"""Traceparents for tests, and deliveries that have one."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.records import Delivery


def traceparent(number: int) -> str:
    """One of its own for each number from 1 on."""
    return f"00-{number:032x}-{number:016x}-01"


def each_traced(deliveries: Iterable[Delivery], first: int = 1) -> list[Delivery]:
    """The deliveries, each under a traceparent of its own."""
    return [each._replace(traceparent=traceparent(number)) for number, each in enumerate(deliveries, first)]
