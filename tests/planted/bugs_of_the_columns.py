"""Bugs of the what-if over columns, and of the files that it reads."""

from __future__ import annotations

from tests.planted.bug import Bug

COLUMNS = "tests/properties/test_columns.py"
CITIES = f"{COLUMNS}::test_columns_decide_random_cities_as_the_core_does"
HISTORIES = f"{COLUMNS}::test_columns_decide_a_history_as_the_core_does"
EDGES = f"{COLUMNS}::test_columns_meet_every_edge_as_the_core_does"
SUMS = f"{COLUMNS}::test_the_sums_over_columns_are_those_of_the_core"
PACK = "tests/contracts/test_facts_pack.py"
RULES = "handlers/offline/columns/vector_rules.py"
USUAL = "handlers/offline/columns/usual.py"
TALLY = "handlers/offline/columns/column_tally.py"
FILE = "cli/offline/packed_file.py"
LINES = "tests/properties/test_usual_lines.py"
RANGES = "tests/properties/test_byte_ranges.py"
PERSONS = "tests/properties/test_by_person.py"
READER = "handlers/offline/columns/usual_lines.py"
TEXTS = "handlers/offline/columns/texts.py"
GATHERING = "handlers/offline/columns/gathering.py"
SCATTER = "cli/offline/scatter.py"
BY_PERSON = "cli/offline/by_person.py"
BENT = f"{LINES}::test_a_line_with_one_bent_member_is_read_alike"
BORDERS = f"{RANGES}::test_wherever_a_range_ends_each_line_counts_once"
GROUPS = "tests/properties/test_by_group.py"
HOUSEHOLDS = "tests/contracts/test_household_commands.py"
RANDOM = f"{PERSONS}::test_person_by_person_is_as_one_book"

BUGS = (
    Bug(
        "columns",
        "half-a-fen-is-lost-in-columns",
        RULES,
        "    return (2 * exact + tier.scale) // (2 * tier.scale)\n",
        "    return exact // tier.scale\n",
        (CITIES, HISTORIES),
    ),
    Bug(
        "columns",
        "a-year-begins-with-the-year-before",
        RULES,
        "        start = before - before[chosen.first]\n",
        "        start = before\n",
        (CITIES,),
    ),
    Bug(
        "columns",
        "a-yearly-cap-is-not-minded",
        RULES,
        "[chosen.first] > cap\n",
        "[chosen.first] > 2 * cap\n",
        (
            CITIES,
            HISTORIES,
            EDGES,
        ),
    ),
    Bug(
        "columns",
        "the-threshold-is-enough",
        RULES,
        "np.where(measured > scheme.threshold, measured, 0)",
        "np.where(measured >= scheme.threshold, measured, 0)",
        (EDGES,),
    ),
    Bug(
        "columns",
        "the-floor-is-too-small",
        RULES,
        "np.where(amount < scheme.floor_per_stay, 0, amount)",
        "np.where(amount <= scheme.floor_per_stay, 0, amount)",
        (EDGES,),
    ),
    Bug(
        "columns",
        "columns-use-up-the-wrong-part",
        RULES,
        "    from_copay = np.minimum(amount, copay)\n",
        "    from_copay = amount - np.minimum(amount, out_of_catalogue)\n",
        (CITIES,),
    ),
    Bug(
        "columns",
        "the-last-day-of-a-coverage-counts",
        RULES,
        "day[claim] < columns.valid_to[pairs.coverage]",
        "day[claim] <= columns.valid_to[pairs.coverage]",
        (
            CITIES,
            EDGES,
        ),
    ),
    Bug(
        "columns",
        "the-last-tier-that-lists-it-applies",
        RULES,
        "    found = np.full(len(chosen.rows), NO_TIER, np.int64)\n    np.minimum.at(",
        "    found = np.full(len(chosen.rows), -1, np.int64)\n    np.maximum.at(",
        (CITIES, HISTORIES),
    ),
    Bug(
        "columns",
        "a-year-under-two-policies-is-usual",
        USUAL,
        "        other &= years[1:] == years[:-1]\n",
        "        other &= years[1:] < years[:-1]\n",
        (f"{COLUMNS}::test_sums_that_follow_a_scheme_across_policies_are_left_to_the_core",),
    ),
    Bug(
        "columns",
        "first-days-of-years-are-not-compared",
        USUAL,
        "    if len({policy.year_starts for policy in policies.releases}) == 1:",
        "    if policies.releases:",
        (f"{COLUMNS}::test_sums_that_follow_a_scheme_across_policies_are_left_to_the_core",),
    ),
    Bug(
        "columns",
        "one-claim-may-be-too-high",
        USUAL,
        "(amount < 0) | (amount > BURDEN_MAX)",
        "(amount < 0) & (amount > BURDEN_MAX)",
        (f"{COLUMNS}::test_what_might_not_fit_in_64_bits_is_left_to_the_core",),
    ),
    Bug(
        "columns",
        "many-claims-may-be-too-high",
        USUAL,
        "    sound &= sums(burden, person, columns.persons) <= BURDEN_MAX\n",
        "    sound &= burden.max(initial=0) <= BURDEN_MAX\n",
        (f"{COLUMNS}::test_what_might_not_fit_in_64_bits_is_left_to_the_core",),
    ),
    Bug(
        "columns",
        "the-finest-rates-are-usual",
        RULES,
        "SCALE_MAX = 4_000_000\n",
        "SCALE_MAX = 40_000_000\n",
        (f"{COLUMNS}::test_what_might_not_fit_in_64_bits_is_left_to_the_core",),
    ),
    Bug(
        "columns",
        "whoever-is-not-usual-is-counted-twice",
        TALLY,
        "        self._taken = usual[columns.claim_person]\n",
        "        self._taken = usual[columns.claim_person] | True\n",
        (SUMS,),
    ),
    Bug(
        "columns",
        "the-last-area-is-that-of-the-claim",
        TALLY,
        "np.unique(claim[known], return_index=True)\n",
        "np.unique(claim[known], return_index=True)\n        place = len(claim[known]) - 1 - place\n",
        (f"{COLUMNS}::test_the_first_area_in_order_of_ids_is_that_of_the_claim",),
    ),
    Bug(
        "columns",
        "an-edge-belongs-to-the-next-class",
        TALLY,
        'size, side="left")',
        'size, side="right")',
        (f"{COLUMNS}::test_changes_on_the_edge_of_a_class_belong_to_it",),
    ),
    Bug(
        "columns",
        "claims-are-packed-in-any-order",
        "handlers/offline/columns/packing.py",
        "        own = sorted(map(account.claim, account.claim_ids()), key=canonical_order)\n",
        "        own = sorted(map(account.claim, account.claim_ids()), key=lambda claim: canonical_order(claim)[0])\n",
        (f"{COLUMNS}::test_claims_of_one_day_are_packed_in_order_of_their_ids",),
    ),
    Bug(
        "columns",
        "any-version-is-read",
        FILE,
        "            if version != PACKING:\n",
        "            if not version:\n",
        (f"{PACK}::test_what_is_no_packed_file_gets_a_sentence",),
    ),
    Bug(
        "columns",
        "checksums-of-pages-are-not-compared",
        FILE,
        "page_checksum_verification=True",
        "page_checksum_verification=False",
        (f"{PACK}::test_a_damaged_byte_is_never_decided_otherwise",),
    ),
    Bug(
        "columns",
        "half-a-packed-file-stays",
        FILE,
        "        part.unlink(missing_ok=True)\n",
        "        part.exists()\n",
        (f"{PACK}::test_a_file_that_could_not_be_finished_is_not_there",),
    ),
    Bug(
        "columns",
        "a-range-loses-the-line-at-its-border",
        SCATTER,
        "        text += file.readline()\n",
        '        text = text[: text.rfind(b"\\n") + 1]\n',
        (BORDERS,),
    ),
    Bug(
        "columns",
        "a-range-reads-the-line-of-the-one-before",
        SCATTER,
        "        file.seek(start - 1)\n",
        "        file.seek(max(0, start - 2))\n",
        (BORDERS,),
    ),
    Bug(
        "columns",
        "results-come-as-they-are-finished",
        "cli/offline/worker_processes.py",
        "    return [results[item] for item in listed]\n",
        "    return list(results.values())\n",
        (f"{RANGES}::test_the_order_of_results_is_that_of_the_file",),
    ),
    Bug(
        "columns",
        "a-refused-line-counts-twice",
        BY_PERSON,
        "lines - len(refused), refusals)",
        "lines - len(refused) // 2, refusals)",
        (
            RANDOM,
            BORDERS,
        ),
    ),
    Bug(
        "columns",
        "rivals-are-packed-as-well",
        BY_PERSON,
        "for chunk in scattered), shared.ids, shared.invoices)\n",
        "for chunk in scattered), shared.ids[:0], shared.invoices)\n",
        (f"{PERSONS}::test_the_first_of_two_rivals_decides",),
    ),
    Bug(
        "columns",
        "a-name-that-comes-twice-is-usual",
        READER,
        "(size == seen.names[numbers])",
        "(size <= seen.names[numbers])",
        (BENT,),
    ),
    Bug(
        "columns",
        "an-amount-of-fifteen-digits-is-usual",
        TEXTS,
        "_DIGITS_MAX = 14\n",
        "_DIGITS_MAX = 15\n",
        (f"{LINES}::test_an_amount_that_is_too_large_is_refused_though_it_balances",),
    ),
    Bug(
        "columns",
        "the-thirtieth-of-february-is-usual",
        TEXTS,
        ' & (days.astype("datetime64[M]") == months)',
        "",
        (BENT,),
    ),
    Bug(
        "columns",
        "bills-need-not-balance",
        READER,
        "    its.keep(total == sum(parts))\n",
        "    its.keep(total >= parts[0])\n",
        (
            BENT,
            f"{LINES}::test_random_cases_are_read_alike",
        ),
    ),
    Bug(
        "columns",
        "a-version-that-comes-twice-is-in-no-doubt",
        GATHERING,
        "(version[one] == version[other]) | ",
        "",
        (RANDOM,),
    ),
    Bug(
        "columns",
        "a-bill-may-change-its-encounter",
        GATHERING,
        " | (self.claim[one] != self.claim[other])",
        "",
        (f"{PERSONS}::test_a_bill_that_names_another_encounter_is_refused",),
    ),
    Bug(
        "columns",
        "the-lowest-version-counts",
        GATHERING,
        '        order = np.lexsort((self.numbers("version"), self.line))\n        last =',
        '        order = np.lexsort((-self.numbers("version"), self.line))\n        last =',
        (RANDOM,),
    ),
    Bug(
        "columns",
        "members-are-decided-by-columns",
        USUAL,
        "        usual &= ~columns.linked\n",
        "        pass\n",
        (
            f"{GROUPS}::test_whom_nothing_links_is_decided_by_columns",
            f"{GROUPS}::test_a_what_if_counts_households_alike_everywhere",
        ),
    ),
    Bug(
        "files",
        "a-household-is-cut-between-buckets",
        "cli/offline/by_group.py",
        "groups.of(persons) % plan.buckets",
        "(persons % np.uint64(plan.buckets)).astype(np.int64)",
        (f"{GROUPS}::test_every_way_through_a_file_decides_groups_as_one_book",),
    ),
    Bug(
        "files",
        "a-household-is-cut-between-row-groups",
        FILE,
        "len(table) if whole else ROWS_PER_GROUP",
        "ROWS_PER_GROUP",
        (f"{GROUPS}::test_every_way_through_a_file_decides_groups_as_one_book",),
    ),
    Bug(
        "files",
        "members-are-decided-one-by-one",
        "handlers/offline/groups.py",
        "        yield [waiting[name] for name in group]\n",
        "        yield from ([waiting[name]] for name in group)\n",
        (
            f"{GROUPS}::test_every_way_through_a_file_decides_groups_as_one_book",
            f"{HOUSEHOLDS}::test_a_what_if_is_the_same_from_every_file",
        ),
    ),
    Bug(
        "policies",
        "a-household-has-two-years-at-once",
        "schemas/policy/shared_years.py",
        "if not shared or first.year_starts == second.year_starts",
        "if not shared or first.year_starts <= second.year_starts",
        ("tests/unit/test_shared_years.py::test_two_policy_years_of_one_scheme_are_refused",),
    ),
)
