"""Bugs in what watches sum up and whom they find (time.md, section 4)."""

from __future__ import annotations

from tests.planted.bug import Bug

EDGES = "tests/unit/test_watches.py"
LAW = "tests/properties/test_watches_law.py::test_every_way_through_a_file_finds_what_the_definition_says"
COMMAND = "tests/contracts/test_watch_command.py"
FILES = "tests/unit/test_watch_file.py"

CROSSINGS = "handlers/watches/crossings.py"
LOOKING = "handlers/watches/looking.py"
MODEL = "schemas/watch/watch_model.py"
FILE = "schemas/watch/watch_file.py"

BUGS = (
    Bug(
        "watches",
        "exactly-a-step-is-over-it",
        CROSSINGS,
        "before <= step < total",
        "before < step <= total",
        (f"{EDGES}::test_exactly_a_step_is_not_over_it", LAW),
    ),
    Bug(
        "watches",
        "every-claim-over-a-step-crosses-it",
        CROSSINGS,
        "before <= step < total",
        "step < total",
        (f"{EDGES}::test_a_step_is_crossed_once_and_again_after_the_sum_fell", LAW),
    ),
    Bug(
        "watches",
        "a-window-begins-on-the-same-day",
        CROSSINGS,
        "window[0].day <= start",
        "window[0].day < start",
        (f"{EDGES}::test_a_window_begins_after_the_same_day_some_months_before",),
    ),
    Bug(
        "watches",
        "only-who-may-cross-is-the-claim-before",
        CROSSINGS,
        "        before = total\n",
        "            before = total\n",
        (f"{EDGES}::test_days_outside_a_watch_count_and_cross_nothing", LAW),
    ),
    Bug(
        "watches",
        "the-claim-before-is-seen-from-today",
        CROSSINGS,
        "            total -= window.popleft().amount\n",
        "            total -= window[0].amount\n            before -= window.popleft().amount\n",
        (f"{EDGES}::test_a_sum_that_fell_between_two_claims_and_rose_again_is_no_crossing",),
    ),
    Bug(
        "watches",
        "there-is-a-year-before-the-first",
        "schemas/dates.py",
        "if not date.min.year <= day.year + years <= date.max.year:",
        "if not day.year + years <= date.max.year:",
        (
            f"{EDGES}::test_months_are_subtracted_to_the_same_day_or_the_last_of_a_shorter_month",
            f"{EDGES}::test_a_window_that_begins_before_all_days_holds_every_claim",
        ),
    ),
    Bug(
        "watches",
        "the-end-of-a-watch-is-a-day-of-it",
        MODEL,
        "day < self.effective_to",
        "day <= self.effective_to",
        (f"{EDGES}::test_days_outside_a_watch_count_and_cross_nothing",),
    ),
    Bug(
        "watches",
        "the-first-day-of-a-watch-is-none",
        MODEL,
        "day < self.effective_from",
        "day <= self.effective_from",
        (f"{EDGES}::test_days_outside_a_watch_count_and_cross_nothing",),
    ),
    Bug(
        "watches",
        "who-is-not-covered-is-not-counted",
        LOOKING,
        "COUNTED = (Status.ADJUDICATED, Status.NOT_COVERED)",
        "COUNTED = (Status.ADJUDICATED,)",
        (f"{EDGES}::test_exactly_a_step_is_not_over_it", f"{COMMAND}::test_an_explanation_adds_up_to_its_sum"),
    ),
    Bug(
        "watches",
        "after-death-still-counts",
        LOOKING,
        "COUNTED = (Status.ADJUDICATED, Status.NOT_COVERED)",
        "COUNTED = (Status.ADJUDICATED, Status.NOT_COVERED, Status.AFTER_DEATH)",
        (f"{EDGES}::test_what_pays_nothing_counts_nothing_unless_it_is_not_covered",),
    ),
    Bug(
        "watches",
        "sums-hold-only-the-categories",
        LOOKING,
        "        counted = WatchedClaim(",
        "        if not meant:\n            continue\n        counted = WatchedClaim(",
        (f"{EDGES}::test_a_category_says_who_may_cross_and_the_sums_hold_all_claims", LAW),
    ),
    Bug(
        "watches",
        "a-coverage-of-another-day-will-do",
        LOOKING,
        "each.category in categories and covers(each, day)",
        "each.category in categories",
        (f"{EDGES}::test_a_category_says_who_may_cross_and_the_sums_hold_all_claims",),
    ),
    Bug(
        "watches",
        "a-household-watch-counts-persons",
        LOOKING,
        "if watch.by_household else",
        "if not watch.by_household else",
        (f"{EDGES}::test_a_household_adds_up_what_its_members_bear", LAW),
    ),
    Bug(
        "watches",
        "who-is-over-the-lowest-step-is-not-decided",
        LOOKING,
        "_all_bills(persons) <= min(watches.lowest_step for watches in files)",
        "_all_bills(persons) <= 2 * min(watches.lowest_step for watches in files)",
        (f"{EDGES}::test_exactly_a_step_is_not_over_it",),
    ),
    Bug(
        "watches",
        "the-lowest-step-is-that-of-the-first-watch",
        MODEL,
        "min(watch.steps[0] for watch in self.watches)",
        "self.watches[0].steps[0]",
        (f"{EDGES}::test_whom_any_watch_can_find_is_decided",),
    ),
    Bug(
        "watches",
        "households-are-cut-where-no-policy-counts-by-them",
        "cli/watch/watch_command.py",
        "by_household=self.watches.by_household",
        "by_household=False",
        (f"{COMMAND}::test_every_crossing_is_a_line_sorted_by_watch_claim_and_step",),
    ),
    Bug(
        "watches",
        "members-of-a-long-file-are-not-brought-together",
        "cli/watch/watch_command.py",
        "grouped = looked_for.by_household or bool(policies.household_schemes)",
        "grouped = bool(policies.household_schemes)",
        (f"{COMMAND}::test_packed_facts_and_several_processes_find_the_same",),
    ),
    Bug(
        "watches",
        "steps-sort-by-their-digits",
        "cli/watch/watch_command.py",
        "{crossing.step:020}",
        "{crossing.step}",
        (f"{COMMAND}::test_every_crossing_is_a_line_sorted_by_watch_claim_and_step",),
    ),
    Bug(
        "watches",
        "the-claim-that-crosses-is-in-no-line",
        CROSSINGS,
        "counted = tuple(window)",
        "counted = tuple(window)[:-1] or tuple(window)",
        (f"{COMMAND}::test_an_explanation_adds_up_to_its_sum",),
    ),
    Bug(
        "watches",
        "two-watches-have-one-id",
        FILE,
        "if watch.id is not None and watch.id in",
        "if watch.id is None and watch.id in",
        (f"{FILES}::test_one_mistake_in_a_file_of_watches_gives_one_message",),
    ),
    Bug(
        "watches",
        "the-order-of-steps-is-another-file",
        FILE,
        'tuple(sorted(table.values("steps", not_negative) or ()))',
        'table.values("steps", not_negative)',
        (f"{FILES}::test_watches_are_identified_by_their_canonical_form",),
    ),
    Bug(
        "watches",
        "who-is-found-by-both-is-new",
        "handlers/watches/comparison.py",
        "_ids(self.after - self.before)",
        "_ids(self.after)",
        (f"{COMMAND}::test_a_comparison_says_whom_another_step_would_find",),
    ),
    Bug(
        "watches",
        "a-comparison-cuts-households",
        "cli/watch/watches_command.py",
        "return self.before.by_household or self.after.by_household",
        "return self.after.by_household",
        (f"{COMMAND}::test_a_comparison_says_whom_another_step_would_find",),
    ),
)
