"""Bugs in funeral lists: what is read of them, who is a living member, and what raises and withdraws alerts."""

from __future__ import annotations

from tests.planted.bug import Bug

UNIT = "tests/unit/test_funeral_lists.py"
LAW = "tests/properties/test_reported_deaths.py"
LEDGER = "tests/ledger/test_reported_deaths.py"
COMMAND = "tests/contracts/test_death_commands.py"

BUGS = [
    Bug(
        "deaths",
        "a-recorded-death-leaves-the-alert",
        "handlers/claims/process.py",
        "        if type(fact) is PersonDied and world.reported_deaths.pop(fact.person_id, ()):\n",
        "        if type(fact) is PersonDied and not world.reported_deaths.get(fact.person_id, ('',)):\n",
        (
            f"{LAW}::test_who_has_an_alert_follows_from_the_newest_lists_and_the_recorded_deaths",
            f"{LEDGER}::test_the_recorded_death_withdraws_the_alert",
        ),
    ),
    Bug(
        "deaths",
        "what-lists-say-is-not-loaded",
        "acts/load_world.py",
        "    if died:\n",
        "    if died and answers:\n",
        (
            f"{LEDGER}::test_the_recorded_death_withdraws_the_alert",
            f"{LEDGER}::test_the_death_of_who_shares_a_household_withdraws_the_alert_too",
        ),
    ),
    Bug(
        "deaths",
        "a-later-list-only-adds",
        "handlers/deaths/report_deaths.py",
        "for each in before if each.list_id != act.list_id}",
        "for each in before if person_id not in named or each.list_id != act.list_id}",
        (
            f"{LAW}::test_who_has_an_alert_follows_from_the_newest_lists_and_the_recorded_deaths",
            f"{LEDGER}::test_a_later_list_of_the_same_name_replaces_the_one_before",
            f"{COMMAND}::test_an_operator_takes_a_list_in_and_a_corrected_one",
        ),
    ),
    Bug(
        "deaths",
        "each-list-replaces-all",
        "handlers/deaths/report_deaths.py",
        "        of_lists = {each.list_id: each for each in before if each.list_id != act.list_id}\n",
        "        of_lists = dict[str, DeathReport]()\n",
        (
            f"{LAW}::test_who_has_an_alert_follows_from_the_newest_lists_and_the_recorded_deaths",
            f"{LAW}::test_the_order_of_lists_and_of_a_death_leaves_no_trace",
        ),
    ),
    Bug(
        "deaths",
        "the-same-list-opens-what-was-closed",
        "handlers/deaths/report_deaths.py",
        "        if after == before:\n",
        "        if not after and not before:\n",
        (
            f"{LEDGER}::test_a_later_list_of_the_same_name_replaces_the_one_before",
            f"{COMMAND}::test_an_operator_takes_a_list_in_and_a_corrected_one",
        ),
    ),
    Bug(
        "deaths",
        "the-last-day-covered-is-after-death",
        "handlers/deaths/compare_list.py",
        "end is None or end > day",
        "end is None or end >= day",
        (f"{UNIT}::test_a_living_member_is_covered_or_in_a_household_after_the_day",),
    ),
    Bug(
        "deaths",
        "who-is-only-in-a-household-is-no-member",
        "handlers/deaths/compare_list.py",
        "    ends += [each.valid_to for each in account.recorded_memberships()]\n",
        "",
        (f"{UNIT}::test_a_living_member_is_covered_or_in_a_household_after_the_day",),
    ),
    Bug(
        "deaths",
        "who-has-died-is-a-candidate",
        "handlers/deaths/compare_list.py",
        "    if recorded is not None:\n",
        "    if recorded == death.died_on:\n",
        (f"{UNIT}::test_a_living_member_is_covered_or_in_a_household_after_the_day",),
    ),
    Bug(
        "deaths",
        "the-later-line-counts",
        "handlers/deaths/compare_list.py",
        "            before = first.setdefault(person_id, death)\n",
        "            before = first[person_id] = death\n",
        (f"{UNIT}::test_who_stands_in_a_list_twice_died_on_the_first_day_that_it_gives",),
    ),
    Bug(
        "deaths",
        "a-number-means-one-person",
        "handlers/deaths/compare_list.py",
        "    return [PersonId(name) for name in known or [death.number]]\n",
        "    return [PersonId(name) for name in list(known or [death.number])[:1]]\n",
        (f"{UNIT}::test_an_identity_number_means_all_whom_the_directory_has_under_it",),
    ),
    Bug(
        "deaths",
        "a-number-that-lost-its-end-is-looked-up",
        "infra/files/funeral_files.py",
        "    if isinstance(cell, float) and cell >= _EXACT_MAX:\n",
        "    if isinstance(cell, float) and cell < 0:\n",
        (f"{UNIT}::test_a_number_of_which_excel_lost_the_end_names_nobody",),
    ),
    Bug(
        "deaths",
        "a-day-that-has-not-come-is-read",
        "infra/files/funeral_files.py",
        "    if day > today:\n",
        "    if day > today.replace(year=9999):\n",
        (f"{UNIT}::test_what_is_no_day_that_has_come_is_unreadable",),
    ),
    Bug(
        "deaths",
        "a-small-x-is-another-number",
        "infra/files/funeral_files.py",
        'unicodedata.normalize("NFKC", text)).upper()',
        'unicodedata.normalize("NFKC", text))',
        (f"{UNIT}::test_a_list_of_china_is_read",),
    ),
    Bug(
        "deaths",
        "a-list-without-the-key-takes-its-alerts-back",
        "acts/match_deaths.py",
        "    if not people_directory.is_empty(connection):\n",
        "    if people_directory.is_empty(connection) is None:\n",
        ("tests/contracts/test_death_commands.py::test_identity_numbers_need_the_key_of_the_directory",),
    ),
    Bug(
        "deaths",
        "a-spoilt-list-takes-its-alerts-back",
        "acts/match_deaths.py",
        "    if given.unreadable and not given.deaths:\n",
        "    if not given.unreadable and given.deaths is None:\n",
        ("tests/ledger/test_reported_deaths.py::test_a_list_that_nobody_can_read_replaces_nothing",),
    ),
]
