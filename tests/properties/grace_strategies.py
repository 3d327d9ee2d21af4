"""Grace drawn at random: schemes that count coverages after their end, and why coverages ended."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from hypothesis import strategies as st

from tests.properties.strategies import Body, History

REASONS = ("income", "moved", "death")

_EACH_SCHEME = re.compile(r"^(accumulates = .*)$", re.MULTILINE)


class GraceDrawn(NamedTuple):
    """How many months a scheme counts a coverage after its end, for which reasons; None: for all, and for none told."""

    months: int
    reasons: tuple[str, ...] | None

    @property
    def fields(self) -> str:
        """The lines of a scheme in a policy file."""
        listed = "" if self.reasons is None else f"\ngrace_reasons = {json.dumps(self.reasons)}"
        return f"grace_months = {self.months}{listed}"


def graces() -> st.SearchStrategy[GraceDrawn]:
    """A few months, or a year and more: the days of `strategies.DAYS` lie on both sides of their ends."""
    lists = st.lists(st.sampled_from(REASONS), min_size=1, max_size=2, unique=True).map(tuple)
    return st.builds(GraceDrawn, st.sampled_from((0, 1, 4, 6, 8, 10, 12, 24)), st.none() | lists)


def with_each_grace(text: str, of_schemes: Sequence[GraceDrawn | None]) -> str:
    """A policy whose schemes have these graces, in their order and again from the first."""
    left = list(of_schemes) * len(_EACH_SCHEME.findall(text))

    def lines(found: re.Match[str]) -> str:
        grace = left.pop(0)
        return found[1] if grace is None else f"{found[1]}\n{grace.fields}"

    return _EACH_SCHEME.sub(lines, text)


@st.composite
def _ended(draw: st.DrawFn, body: Body) -> Body:
    """Most coverages that end say why; one without an end may say it too, which means nothing."""
    reason = draw(st.sampled_from((None, *REASONS)))
    return body if reason is None or body["event_type"] != "coverage.recorded" else {**body, "ended_reason": reason}


@st.composite
def with_reasons(draw: st.DrawFn, drawn: st.SearchStrategy[History]) -> History:
    """Histories whose coverages say why they ended."""
    history = draw(drawn)
    return replace(history, facts=tuple(draw(_ended(body)) for body in history.facts))


@st.composite
def with_grace(draw: st.DrawFn, drawn: st.SearchStrategy[History]) -> History:
    """Histories in which each scheme has its own grace or none, and coverages say why they ended."""
    history = draw(with_reasons(drawn))
    given = [draw(st.lists(st.none() | graces(), min_size=3, max_size=3)) for _ in history.policies]
    texts = [with_each_grace(text, each) for text, each in zip(history.policies, given, strict=True)]
    return replace(history, policies=tuple(texts))
