"""Bugs of long years that are decided again only from the touched claim on."""

from __future__ import annotations

from tests.planted.bug import Bug

_TESTS = "tests/properties/test_long_years.py"
_TWINS = f"{_TESTS}::test_a_year_from_the_touched_claim_on_is_the_whole_year"

BUGS = (
    Bug(
        1,
        "a-year-ends-before-the-touched-claim",
        "handlers/claims/long_years.py",
        "if at >= free and before[at] == sums:",
        "if before[at] == sums:",
        (_TWINS, f"{_TESTS}::test_what_comes_before_is_not_decided_again"),
    ),
    Bug(
        1,
        "a-moved-claim-is-missed-only-where-it-is-now",
        "handlers/claims/long_years.py",
        "max(left + (entered < left), entered + 1)",
        "entered + 1",
        (f"{_TESTS}::test_what_came_after_the_old_place_is_decided_again",),
    ),
    Bug(
        1,
        "a-moved-claim-leaves-its-old-place-as-it-was",
        "handlers/claims/long_years.py",
        "return min(left, entered), max",
        "return entered, max",
        (_TWINS, f"{_TESTS}::test_where_the_sums_are_again_what_they_were_it_ends"),
    ),
    Bug(
        1,
        "the-sums-of-a-year-end-where-they-did",
        "handlers/claims/long_years.py",
        "    before[len(places)] = sums\n",
        "",
        (_TWINS,),
    ),
    Bug(
        1,
        "sums-outlive-their-policies",
        "handlers/claims/long_years.py",
        " and known.policies is policies",
        "",
        (_TWINS, f"{_TESTS}::test_another_policy_reaches_the_whole_year"),
    ),
    Bug(
        1,
        "a-long-year-forgets-the-sums-of-units",
        "handlers/claims/year_sums.py",
        "in sorted((unit for of, unit in self.units if of == year), key=_by_name):",
        "in list[Unit]():",
        (f"{_TESTS}::test_a_year_of_a_member_is_the_whole_year_by_unit",),
    ),
    Bug(
        1,
        "sums-outlive-the-facts",
        "handlers/claims/account.py",
        "        self.long_years = None\n",
        "",
        (f"{_TESTS}::test_a_fact_that_came_another_way_is_not_overlooked",),
    ),
)
