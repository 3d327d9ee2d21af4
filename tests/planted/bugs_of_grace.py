"""Bugs in who counts after the end of a coverage, for how long, and in what is said of it (time.md, section 6)."""

from __future__ import annotations

from tests.planted.bug import Bug

CASES = "tests/unit/test_grace.py"
LAWS = "tests/properties/test_grace.py"
COLUMNS = "tests/properties/test_columns.py::test_who_is_in_a_grace_is_usual"
LATER = f"{LAWS}::test_a_grace_decides_as_if_coverages_had_ended_later"
EVERY_WAY = f"{LAWS}::test_why_a_coverage_ended_comes_through_every_way"
LAST_DAY = f"{CASES}::test_a_grace_ends_on_its_day"
REASONS = f"{CASES}::test_a_grace_is_for_the_reasons_that_it_lists"

ADJUDICATE = "handlers/claims/adjudicate.py"
ELIGIBILITY = "handlers/claims/eligibility.py"
EXPLAIN = "handlers/claims/explain.py"
RULES = "handlers/offline/columns/vector_rules.py"
ARRAYS = "handlers/offline/columns/arrays.py"
PACKING = "handlers/offline/columns/packing.py"
GATHERING = "handlers/offline/columns/gathering.py"
READER = "handlers/offline/columns/usual_lines.py"
DATES = "schemas/dates.py"

BUGS = (
    Bug(
        "grace",
        "a-grace-holds-on-its-last-day",
        ELIGIBILITY,
        "return grace_to is None or day < grace_to",
        "return grace_to is None or day <= grace_to",
        (LAST_DAY,),
    ),
    Bug(
        "grace",
        "a-month-has-thirty-days",
        ELIGIBILITY,
        "    grace_to = months_later(ended.valid_to, scheme.grace_months or 0)\n",
        "    grace_to = date.fromordinal(ended.valid_to.toordinal() + 30 * (scheme.grace_months or 0))\n",
        (LAST_DAY,),
    ),
    Bug(
        "grace",
        "a-day-that-a-month-lacks-is-the-first-of-the-next",
        DATES,
        "    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))",
        "    return date.fromordinal(first.toordinal() + day.day - 1)",
        (LAST_DAY,),
    ),
    Bug(
        "grace",
        "the-calendar-ends-with-the-grace",
        DATES,
        "<= date.max.year:\n        return None\n",
        "<= date.max.year:\n        return day\n",
        (f"{CASES}::test_a_grace_beyond_the_calendar_has_no_end",),
    ),
    Bug(
        "grace",
        "every-reason-has-its-grace",
        ELIGIBILITY,
        "if scheme.grace_reasons is not None and ended",
        "if ended.ended_reason is None and scheme.grace_reasons is not None and ended",
        (REASONS,),
    ),
    Bug(
        "grace",
        "who-does-not-say-why-has-every-grace",
        ELIGIBILITY,
        "ended.ended_reason not in scheme.grace_reasons",
        "ended.ended_reason not in (None, *scheme.grace_reasons)",
        (REASONS,),
    ),
    Bug(
        "grace",
        "without-a-list-a-reason-is-needed",
        ELIGIBILITY,
        "if scheme.grace_reasons is not None and ended.ended_reason not in scheme.grace_reasons:",
        "if ended.ended_reason is None or ended.ended_reason not in (scheme.grace_reasons or [ended.ended_reason]):",
        (REASONS,),
    ),
    Bug(
        "grace",
        "who-is-in-a-grace-is-not-covered",
        ELIGIBILITY,
        "        held = counting(scheme, on_the_day, ended, day)\n",
        "        held = on_the_day\n",
        (f"{CASES}::test_who_is_in_a_grace_is_covered_though_nothing_is_paid",),
    ),
    Bug(
        "grace",
        "the-grace-of-one-scheme-is-that-of-all",
        ADJUDICATE,
        "counted = counting(scheme, on_the_day,",
        "counted = counting(max(policy.schemes, key=lambda each: each.grace_months or 0), on_the_day,",
        (f"{CASES}::test_only_the_scheme_with_the_grace_counts_the_coverage",),
    ),
    Bug(
        "grace",
        "what-is-valid-is-said-to-be-grace",
        ELIGIBILITY,
        "    if len(ends) < len(gave):\n",
        "    if not ends:\n",
        (f"{CASES}::test_what_a_valid_coverage_gives_is_no_grace",),
    ),
    Bug(
        "grace",
        "the-shortest-grace-is-told",
        ELIGIBILITY,
        "return Grace(max(ends), months_later(max(ends),",
        "return Grace(min(ends), months_later(min(ends),",
        (f"{CASES}::test_the_explanation_says_that_it_is_grace",),
    ),
    Bug(
        "grace",
        "a-grace-is-not-explained",
        EXPLAIN,
        "    if benefit.grace is not None and step is benefit.steps[0]:\n",
        "    if benefit.grace is not None and step is not benefit.steps[0]:\n",
        (
            f"{CASES}::test_the_explanation_says_that_it_is_grace",
            f"{CASES}::test_a_tier_in_its_grace_comes_before_the_tier_that_is_valid",
        ),
    ),
    Bug(
        "grace",
        "another-end-is-not-told",
        EXPLAIN,
        '    if told:\n        shown.append({"grace": told})\n',
        "",
        (f"{CASES}::test_an_end_that_is_corrected_within_the_grace_is_decided_anew",),
    ),
    Bug(
        "grace",
        "an-old-reason-cannot-be-recalled",
        "handlers/claims/read.py",
        '"advances": (), "ended_reason": None})',
        '"advances": ()})',
        (f"{CASES}::test_what_an_earlier_release_kept_under_the_name_counts_as_no_reason",),
    ),
    Bug(
        "grace",
        "a-grace-holds-on-its-last-day-in-columns",
        RULES,
        "ended = ended.where(columns.discharged[chosen.rows][ended.claim] < grace_to)",
        "ended = ended.where(columns.discharged[chosen.rows][ended.claim] <= grace_to)",
        (COLUMNS,),
    ),
    Bug(
        "grace",
        "columns-mind-no-reasons",
        RULES,
        "        belongs &= columns.ended_reason.any_of(scheme.grace_reasons)\n",
        "        pass\n",
        (COLUMNS,),
    ),
    Bug(
        "grace",
        "reasons-are-asked-of-valid-coverages",
        RULES,
        "    valid = chosen.valid.where(belongs[chosen.valid.coverage])\n    if not scheme.grace_months:\n",
        "    if scheme.grace_reasons is not None:\n"
        "        belongs &= columns.ended_reason.any_of(scheme.grace_reasons)\n"
        "    valid = chosen.valid.where(belongs[chosen.valid.coverage])\n    if not scheme.grace_months:\n",
        (COLUMNS,),
    ),
    Bug(
        "grace",
        "columns-know-months-of-one-length",
        ARRAYS,
        "np.minimum(later, last)",
        "later",
        (f"{LAWS}::test_columns_know_the_same_months", COLUMNS),
    ),
    Bug(
        "grace",
        "packed-accounts-forget-why-coverages-ended",
        PACKING,
        "(*named, reason, coverage.valid_from,",
        "(*named, None, coverage.valid_from,",
        (EVERY_WAY, COLUMNS),
    ),
    Bug(
        "grace",
        "columns-take-the-pool-for-the-reason",
        GATHERING,
        '"area", "pool_id", "ended_reason"]',
        '"area", "pool_id", "pool_id"]',
        (EVERY_WAY,),
    ),
    Bug(
        "grace",
        "a-usual-coverage-says-not-why-it-ended",
        READER,
        '"ended_reason": its.words("ended_reason", _ENDED, _TEXT_OR_NONE),',
        '"ended_reason": [None] * len(start),',
        (EVERY_WAY, "tests/properties/test_usual_lines.py::test_a_line_with_one_bent_member_is_read_alike"),
    ),
    Bug(
        "grace",
        "reasons-without-months-are-taken",
        "schemas/policy/model.py",
        'if reasons is not None and others.data.get("grace_months", 0) is None:',
        'if reasons is not None and others.data.get("grace_months", 0) == 0:',
        ("tests/unit/test_policy_file.py::test_one_mistake_gives_one_message",),
    ),
    Bug(
        "grace",
        "a-list-of-reasons-is-never-doubted",
        "schemas/policy/doubts.py",
        "programme not in seen.programmes - seen.with_reasons",
        "programme not in seen.programmes & seen.with_reasons",
        ("tests/unit/test_policy_file.py::test_reasons_that_no_coverage_tells_are_a_warning_before_publishing",),
    ),
)
