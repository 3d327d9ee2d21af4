"""Grace drawn at random: schemes that count coverages after their end, and why coverages ended."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from hypothesis import strategies as st

from tests.properties.strategies import DAYS, Body, History

REASONS = ("income", "moved", "death")

A_YEAR_BEFORE = ("2019-02-28", "2019-03-01", "2020-02-29")
HALF_A_YEAR_BEFORE = ("2019-08-28", "2019-08-31", "2019-09-01", "2019-12-31", "2020-01-01", "2020-07-01", "2020-08-31")
ENDS = (*A_YEAR_BEFORE, *HALF_A_YEAR_BEFORE)
"""Ends of coverages whose grace ends on a day on which stays end, so that its last day and the next are tried."""

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
    """Most often half a year or a year."""
    lists = st.lists(st.sampled_from(REASONS), min_size=1, max_size=2, unique=True).map(tuple)
    return st.builds(GraceDrawn, st.sampled_from((0, 1, 6, 6, 6, 12, 12, 24)), st.none() | lists)


def with_each_grace(text: str, of_schemes: Sequence[GraceDrawn | None]) -> str:
    """A policy whose schemes have these graces, in their order and again from the first."""
    left = list(of_schemes) * len(_EACH_SCHEME.findall(text))

    def lines(found: re.Match[str]) -> str:
        grace = left.pop(0)
        return found[1] if grace is None else f"{found[1]}\n{grace.fields}"

    return _EACH_SCHEME.sub(lines, text)


@st.composite
def _ended(draw: st.DrawFn, body: Body) -> Body:
    """Most coverages end, and say why; one without an end may say it too, which means nothing."""
    if body["event_type"] != "coverage.recorded":
        return body
    reason, ends = draw(st.sampled_from((None, *REASONS))), draw(st.sampled_from((None, DAYS[3], *ENDS)))
    why = {} if reason is None else {"ended_reason": reason}
    return {**body, **({} if ends is None or ends <= body["valid_from"] else {"valid_to": ends}), **why}


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
