"""Bugs in which schemes pools fund and whose pool it is, from lines and packed facts too (groups.md, section 3)."""

from __future__ import annotations

from tests.planted.bug import Bug

OF = "tests/properties/test_pool_of.py"
ORDER = f"{OF}::test_the_latest_first_day_counts_and_then_the_greatest_id"
RULE = f"{OF}::test_the_pool_of_a_claim_is_that_of_the_coverage_that_gave_the_tier"
FILES = "tests/properties/test_pools_of_files.py"
EVERY_WAY = f"{FILES}::test_every_way_through_a_file_names_the_same_pools"
ONE_DAY = f"{FILES}::test_of_coverages_that_began_on_one_day_the_greatest_id_counts_in_every_way"
TWO_POOLS = f"{FILES}::test_a_contribution_of_two_pools_is_the_firsts"
TWO_THINGS = f"{FILES}::test_a_version_that_says_two_things_is_refused"
COMMANDS = "tests/contracts/test_policy_commands.py"

ELIGIBILITY = "handlers/claims/eligibility.py"
ADJUDICATE = "handlers/claims/adjudicate.py"
PACKING = "handlers/offline/columns/packing.py"
GATHERING = "handlers/offline/columns/gathering.py"
READER = "handlers/offline/columns/usual_lines.py"
RIVALS = "handlers/offline/columns/rivals.py"
TABLES = "handlers/offline/columns/fact_tables.py"
BOOK = "handlers/offline/book.py"
WORDS = "handlers/words/policy_sentences.py"
REMEDIES = "schemas/policy/remedies.py"

BUGS = (
    Bug(
        "pools", "the-first-coverage-names-the-pool", ELIGIBILITY, "return max(gave,", "return min(gave,", (RULE, ORDER)
    ),
    Bug(
        "pools",
        "the-id-of-a-coverage-comes-before-its-day",
        ELIGIBILITY,
        "(each.valid_from, each.coverage_id)",
        "(each.coverage_id, each.valid_from)",
        (ORDER,),
    ),
    Bug(
        "pools",
        "of-one-day-the-smallest-id-counts",
        ELIGIBILITY,
        "(each.valid_from, each.coverage_id)",
        "each.valid_from",
        (RULE, ORDER, ONE_DAY),
    ),
    Bug(
        "pools",
        "who-still-waits-names-the-pool",
        ELIGIBILITY,
        "        and (scheme.waiting_days is None or (began_on - each.valid_from).days >= scheme.waiting_days)\n",
        "",
        (RULE,),
    ),
    Bug(
        "pools",
        "the-coverage-of-another-tier-names-the-pool",
        ELIGIBILITY,
        "        and each.category in tier.categories\n",
        "",
        (RULE,),
    ),
    Bug(
        "pools",
        "the-coverage-of-another-programme-names-the-pool",
        ELIGIBILITY,
        "        if _belongs(scheme, each)\n        and each.category",
        "        if each.category",
        (RULE,),
    ),
    Bug(
        "pools",
        "a-pool-is-named-that-funds-nothing",
        ADJUDICATE,
        "None if scheme.funded_by is None else pool_of(",
        "pool_of(",
        (f"{OF}::test_without_the_field_no_pool_is_named",),
    ),
    Bug(
        "pools",
        "packed-accounts-forget-the-pool",
        PACKING,
        "coverage.area, coverage.pool_id)",
        "coverage.area, None)",
        (EVERY_WAY,),
    ),
    Bug(
        "pools",
        "packed-coverages-have-no-order",
        PACKING,
        "CompactCoverage(_place(index),",
        "CompactCoverage(_place(0),",
        (ONE_DAY,),
    ),
    Bug(
        "pools",
        "columns-take-the-area-for-the-pool",
        GATHERING,
        '"category", "area", "pool_id", "ended_reason"]',
        '"category", "area", "area", "ended_reason"]',
        (EVERY_WAY, ONE_DAY),
    ),
    Bug(
        "pools",
        "a-usual-coverage-names-no-pool",
        READER,
        '"pool_id": its.names("pool_id", _TEXT_OR_NONE),',
        '"pool_id": [None] * len(start),',
        (EVERY_WAY, "tests/properties/test_usual_lines.py::test_a_line_with_one_bent_member_is_read_alike"),
    ),
    Bug(
        "pools",
        "lines-of-pools-are-not-compared",
        TABLES,
        "                rows[5].append(line)\n",
        "                continue\n",
        (TWO_POOLS, TWO_THINGS),
    ),
    Bug(
        "pools",
        "two-pools-may-have-one-contribution",
        RIVALS,
        '_keys(movements, "id") ^ _MOVEMENT',
        '_keys(movements, "person_id") ^ _MOVEMENT',
        (TWO_POOLS,),
    ),
    Bug(
        "pools",
        "what-pools-say-is-not-judged-in-a-book",
        BOOK,
        "            return admit(reading, self.registry)  #",
        "            return Disposition.ACCEPTED  #",
        (TWO_POOLS, TWO_THINGS),
    ),
    Bug(
        "pools",
        "a-pool-becomes-a-person",
        BOOK,
        "        if isinstance(reading.fact, PoolFact):\n",
        "        if reading.fact is None:\n",
        (f"{FILES}::test_a_pool_is_no_person",),
    ),
    Bug(
        "pools",
        "nobody-is-told-that-a-pool-pays",
        WORDS,
        "    if scheme.funded_by is not None:\n",
        "    if False:\n",
        (f"{COMMANDS}::test_check_says_that_a_pool_pays",),
    ),
    Bug(
        "pools",
        "a-pool-that-no-coverage-names-is-published-silently",
        "schemas/policy/doubts.py",
        "programme not in seen.programmes - seen.with_pools",
        "programme in seen.programmes",
        ("tests/unit/test_policy_file.py::test_a_pool_that_no_coverage_names_is_a_warning_before_publishing",),
    ),
    Bug(
        "pools",
        "one-word-is-one-of-several",
        REMEDIES,
        "    if len(listed) == 1:\n",
        "    if not listed:\n",
        ("tests/unit/test_policy_file.py::test_one_mistake_gives_one_message",),
    ),
)
