"""Policies that succeed others: when each ends, and what is refused, with the way out."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from pathlib import Path

import pytest

from cli.terminal.given_files import by_start
from handlers.offline.what_if import in_place_of
from schemas.policy.model import Policies, Policy
from schemas.policy.policy_file import parse_policy
from schemas.policy.succession import PoliciesConflict
from tests.support.builders import VILLAGE, policies, policy_text


def text(name: str, start: str, succeeds: str = "", end: str | None = None) -> str:
    line = f'succeeds = "{succeeds}"\n' if succeeds else ""
    return policy_text(name, start, end, VILLAGE).replace("year_starts", f"{line}year_starts", 1)


def policy(name: str, start: str, succeeds: str = "", end: str | None = None) -> Policy:
    return parse_policy(text(name, start, succeeds, end))


CHAIN = (policy("a", "2020-01-01"), policy("b", "2021-01-01", "a"), policy("c", "2022-07-01", "b"))


def said(*given: Policy, published: Policies | None = None) -> list[tuple[str, str]]:
    """Why policies cannot be in force together, in Chinese and English."""
    with pytest.raises(PoliciesConflict) as caught:
        Policies(given) if published is None else published.joined(*given)
    return [(found.message.zh, found.message.en) for found in caught.value.conflicts]


def english(*given: Policy, published: Policies | None = None) -> list[str]:
    return [en for _, en in said(*given, published=published)]


@pytest.mark.parametrize("order", list(permutations(CHAIN)))
def test_each_policy_of_a_chain_ends_where_the_next_begins(order: tuple[Policy, ...]) -> None:
    """Whatever the order in which they are given; the last one has no end."""
    a, b, c = CHAIN
    together = Policies(order)
    ends = [(together.term(each).end, together.term(each).successor) for each in CHAIN]
    assert [(date(2021, 1, 1), b), (date(2022, 7, 1), c), (None, None)] == ends
    days = ("2019-12-31", "2020-12-31", "2021-01-01", "2022-06-30", "2022-07-01", "2099-01-01")
    assert [None, a, b, b, c, c] == [together.on(date.fromisoformat(day)) for day in days]


def test_the_hash_of_a_policy_without_a_predecessor_stays() -> None:
    """`succeeds` is part of the canonical form only where it is written, and being succeeded changes nothing."""
    alone, after = CHAIN[0], parse_policy(text("a", "2020-01-01", "z"))
    assert b"succeeds" not in alone.canonical
    assert b'"succeeds":"z"' in after.canonical
    assert alone.sha256 != after.sha256
    assert {each.sha256 for each in CHAIN} == {each.sha256 for each in Policies(CHAIN).releases}


def test_a_predecessor_that_is_not_there_is_named_with_a_guess() -> None:
    """Offline as in the ledger, in both languages."""
    one, other = policy("wuxi-2024", "2024-01-01"), policy("wuxi-2025", "2025-01-01", "wuxi-2O24")
    assert [
        (
            "“wuxi-2O24”不在这些方案之中:是不是“wuxi-2024”?请改正编号,或先给出(公布)该方案",
            '"wuxi-2O24" is not among the policies here: did you mean "wuxi-2024"? Correct the id, or give (publish) '
            "that policy first",
        )
    ] == said(one, other)


def test_only_one_policy_may_succeed_another() -> None:
    """The second one is told whom it can succeed instead."""
    again = policy("d", "2023-01-01", "a")
    assert [
        '"a" is already succeeded by "b", and only one policy may succeed another: write succeeds = "c"'
    ] == english(again, published=Policies(CHAIN))
    early = policy("d", "2021-06-01", "a")
    assert english(early, published=Policies(CHAIN))[0].endswith("use only one of them")


def test_a_policy_that_has_an_end_is_not_succeeded() -> None:
    """It ends by itself; where the successor would start before that, it is told when to start."""
    ended = policy("a", "2020-01-01", end="2022-01-01")
    assert [
        '"a" ends by itself on 2022-01-01, and only a policy without an end can be succeeded: delete succeeds'
    ] == english(ended, policy("b", "2022-01-01", "a"))
    assert english(ended, policy("b", "2021-01-01", "a"))[0].endswith(
        'delete succeeds, and let "b" start on 2022-01-01'
    )


@pytest.mark.parametrize("start", ["2020-01-01", "2019-12-31"])
def test_a_successor_starts_later(start: str) -> None:
    """On the same day nothing of the predecessor would be left, and before it there is nothing to end."""
    assert [
        f'"b" starts on {start}, and "a" not before 2020-01-01: a successor starts later than what it succeeds'
    ] == english(CHAIN[0], policy("b", start, "a"))


def test_the_advice_on_an_overlap_can_be_followed() -> None:
    """With a published policy without an end: what it says to write is then accepted."""
    published = Policies((CHAIN[0],))
    later = policy("b", "2021-01-01")
    assert [
        '"a" and "b" are both in force on 2021-01-01: write succeeds = "a" in "b", which ends "a" on that day'
    ] == english(later, published=published)
    assert 2 == len(published.joined(policy("b", "2021-01-01", "a")).releases)


def test_the_advice_never_asks_to_change_what_is_published() -> None:
    """A new policy before, inside or on the first day of a published one is told to mend its own dates."""
    published = Policies((policy("a", "2020-01-01", end="2022-01-01"),))
    cases = {
        "2019-01-01": '"new" and "a" are both in force on 2020-01-01: end "new" with effective_to = 2020-01-01',
        "2021-01-01": '"a" and "new" are both in force on 2021-01-01: let "new" start on 2022-01-01',
        "2020-01-01": '"a" and "new" are both in force on 2020-01-01: correct the dates of the new one',
    }
    for start, expected in cases.items():
        assert [expected] == english(policy("new", start), published=published)


def test_a_draft_that_succeeds_a_policy_ends_it_in_a_simulation() -> None:
    """For good, as publishing it would: after a draft with an end of its own nothing is in force."""
    draft = policies_elsewhere(policy("b", "2021-01-01", "a", end="2022-01-01"))
    after = in_place_of(Policies((CHAIN[0],)), draft)
    days = ("2020-12-31", "2021-01-01", "2021-12-31", "2022-01-01")
    found = [after.on(date.fromisoformat(day)) for day in days]
    assert ["a", "b", "b", None] == [each and each.id for each in found]


def test_a_baseline_of_successors_is_replaced_on_the_draft_s_days() -> None:
    """What succeeds what in the baseline stays as it is on all other days."""
    after = in_place_of(Policies(CHAIN), policies(policy_text("new", "2021-03-01", "2022-03-01", VILLAGE)))
    days = ("2020-06-01", "2021-02-28", "2021-03-01", "2022-02-28", "2022-03-01", "2022-07-01")
    found = [after.on(date.fromisoformat(day)) for day in days]
    assert ["a", "b", "new", "new", "b#2", "c"] == [each and each.id for each in found]


def test_a_draft_that_could_not_be_published_is_not_simulated() -> None:
    """What it names is taken, or nowhere."""
    for draft in (policy("d", "2023-01-01", "a"), policy("d", "2023-01-01", "nowhere")):
        with pytest.raises(PoliciesConflict):
            in_place_of(Policies(CHAIN), policies_elsewhere(draft))


def test_files_are_published_in_the_order_of_their_days(tmp_path: Path) -> None:
    """The demo publishes what it is given one after the other, and a successor needs its predecessor."""
    files = []
    for each in (("c", "2022-07-01", "b"), ("a", "2020-01-01", ""), ("b", "2021-01-01", "a")):
        files.append(tmp_path / f"{each[0]}.toml")
        files[-1].write_text(text(*each), "utf-8")
    assert ["a", "b", "c"] == [file.stem for file, _ in by_start(files)]


def policies_elsewhere(*given: Policy) -> Policies:
    return Policies(given, elsewhere=True)


def test_each_day_of_a_month_has_its_own_policy() -> None:
    together = Policies((policy("a", "2020-01-15"), policy("b", "2020-03-20", "a")))
    days = [date(2020, 1, 20), date(2020, 1, 1), date(2020, 3, 31), date(2020, 3, 1), date(2020, 1, 14)]
    found = [together.on(day) for day in days]
    assert ["a", None, "b", "a", None] == [None if each is None else each.id for each in found]
