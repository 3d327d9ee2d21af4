"""Releases that share a scheme which counts by household begin their policy years on one day."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from handlers.offline.what_if import in_place_of
from schemas.policy.model import Policies, Policy
from schemas.policy.policy_file import PolicyError, parse_policy, read_policies
from schemas.policy.succession import PoliciesConflict
from tests.support.builders import YEARLY, policy_text

CAPPED = YEARLY.replace('cap_per_year = "3000.00"', 'cap_per_household_year = "3000.00"')
SUMMED = YEARLY.replace("person_year", "household_year")


def release(name: str, year: int, scheme: str, year_starts: str = "01-01") -> Policy:
    """In force in one calendar year."""
    text = policy_text(name, f"{year}-01-01", f"{year + 1}-01-01", scheme)
    return parse_policy(text.replace('year_starts = "01-01"', f'year_starts = "{year_starts}"'))


def said(*given: Policy, published: Policies | None = None) -> list[str]:
    with pytest.raises(PoliciesConflict) as caught:
        Policies(given) if published is None else published.joined(*given)
    return [found.message.en for found in caught.value.conflicts]


@pytest.mark.parametrize("scheme", [CAPPED, SUMMED], ids=["capped", "summed"])
@pytest.mark.parametrize("other", [YEARLY, CAPPED, SUMMED], ids=["by person", "capped", "summed"])
def test_two_policy_years_of_one_scheme_are_refused(scheme: str, other: str) -> None:
    """Whichever of the two counts by household, by its sums or its cap; the words say what to write."""
    for given in permutations([release("old", 2023, other), release("new", 2024, scheme, "07-01")]):
        assert [
            'the policy year of "new" starts on 07-01 and that of "old" on 01-01, but both have the scheme '
            '"self_pay_assistance", which counts by household, so they must agree: write year_starts = "01-01" in '
            '"new", or give the scheme another id there'
        ] == said(*given)


def test_what_counts_by_person_alone_is_left_as_it_is() -> None:
    """Also beside a scheme by household whose id is another one's, and where the years agree."""
    Policies((release("old", 2023, YEARLY), release("new", 2024, YEARLY, "07-01")))
    apart = SUMMED.replace("self_pay_assistance", "households")
    Policies((release("old", 2023, YEARLY), release("new", 2024, YEARLY + apart, "07-01")))
    Policies((release("old", 2023, SUMMED, "07-01"), release("new", 2024, CAPPED, "07-01")))


def test_a_published_policy_is_never_the_one_to_change() -> None:
    """The one that is to be published is named, though it is the earlier; what is published stays readable."""
    published = Policies((release("a", 2023, YEARLY), release("b", 2024, YEARLY, "07-01")))
    for year in (2022, 2025):
        (told,) = said(release("c", year, SUMMED, "07-01"), published=published)
        assert 'write year_starts = "01-01" in "c"' in told
    assert ["a", "b", "c"] == [each.id for each in published.joined(release("c", 2025, YEARLY, "03-01")).releases]


def test_files_are_told_the_line_in_both_languages(tmp_path: Path) -> None:
    """The later file is to change, at its `year_starts`; the other one is named with its line."""
    files = []
    for policy_id, year, starts in (("old", 2023, "01-01"), ("new", 2024, "07-01")):
        text = policy_text(policy_id, f"{year}-01-01", f"{year + 1}-01-01", SUMMED)
        files.append(tmp_path / f"{policy_id}.toml")
        files[-1].write_text(text.replace('"01-01"', f'"{starts}"'), "utf-8")
    with pytest.raises(PolicyError) as caught:
        read_policies(files)
    (problem,) = caught.value.problems
    assert (
        f"{files[1]}:6: year_starts: “new”的方案年度从 07-01 开始,“old” ({files[0]}:6)从 01-01 开始" in problem.said.zh
    )
    assert 'write year_starts = "01-01" in "new"' in problem.said.en


def test_a_draft_with_another_year_is_no_what_if() -> None:
    """What is left of the baseline shares the scheme with it."""
    baseline = Policies((release("old", 2023, SUMMED), release("later", 2024, SUMMED)))
    with pytest.raises(PoliciesConflict):
        in_place_of(baseline, Policies((release("draft", 2024, SUMMED, "07-01"),)))
