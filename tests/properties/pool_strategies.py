"""Pools drawn at random: who is covered by which, the schemes that they fund, and what is told of their money."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import strategies as st

from tests.properties.strategies import Body, History, seldom
from tests.support.builders import contribution, contribution_void, pool

POOLS = ("V1", "V2", "P1")
"""The last one is called as the person is."""

_EACH_SCHEME = re.compile(r"^(accumulates = .*)$", re.MULTILINE)


@st.composite
def with_pools(draw: st.DrawFn, drawn: st.SearchStrategy[History]) -> History:
    """Histories in which pools fund some schemes, most coverages name a pool, and money of pools moves beside.

    What is told of pools may contradict itself; what is told of the persons does so no more than before.
    """
    history = draw(drawn)
    texts = [
        _EACH_SCHEME.sub(lambda line: line[1] + draw(st.sampled_from(("", '\nfunded_by = "pool"'))), text)
        for text in history.policies
    ]
    facts = [draw(_covered(body)) for body in history.facts]
    return replace(history, policies=tuple(texts), facts=(*facts, *draw(movements())))


@st.composite
def _covered(draw: st.DrawFn, body: Body) -> Body:
    if body["event_type"] != "coverage.recorded" or draw(seldom):
        return body
    return {**body, "pool_id": draw(st.sampled_from(POOLS))}


@st.composite
def movements(draw: st.DrawFn) -> list[Body]:
    """What is told of some pools and of a few contributions, whose ids and versions repeat."""
    told: list[Body] = []
    for name in draw(st.lists(st.sampled_from(POOLS), max_size=3)):
        rule = draw(st.sampled_from(("owe", "queue", "pro_rata")))
        told.append(pool(name, rule, draw(st.integers(1, 2))))
    for contribution_id in draw(st.lists(st.sampled_from(("G1", "G2", "V1", "C2")), max_size=5)):
        owner, version = draw(st.sampled_from(POOLS)), draw(st.integers(1, 3))
        if draw(seldom):
            told.append(contribution_void(contribution_id, owner, version))
        else:
            told.append(contribution(contribution_id, owner, draw(st.sampled_from((1, 500))), version=version))
    return told
