"""Bugs of the charts, which would show what is not so, or what nobody can read."""

from __future__ import annotations

from tests.planted.bug import Bug

AXIS = "handlers/charts/chart_axis.py"
ROWS = "handlers/charts/bar_rows.py"
COLUMNS = "handlers/charts/time_columns.py"
TESTS = "tests/unit/test_charts.py"

BUGS = (
    Bug(
        "charts",
        "an-axis-begins-at-its-smallest-amount",
        AXIS,
        "    known = [0, *values]\n",
        "    known = [*values] or [0]\n",
        (f"{TESTS}::test_a_column_is_as_high_as_its_value", f"{TESTS}::test_an_axis_counts_in_round_numbers"),
    ),
    Bug(
        "charts",
        "a-bar-is-as-long-as-its-label",
        ROWS,
        "axis.place(bar.start), axis.place(bar.end)",
        "axis.place(bar.start), axis.place(bar.end) + width_of(bar.label)",
        (
            f"{TESTS}::test_a_bar_is_as_long_as_its_value",
            f"{TESTS}::test_a_bar_ends_where_the_axis_says_so",
        ),
    ),
    Bug(
        "charts",
        "what-is-owed-stands-upright",
        COLUMNS,
        "room.axis.place(value), room.axis.place(0)",
        "room.axis.place(abs(value)), room.axis.place(0)",
        (f"{TESTS}::test_what_is_below_zero_goes_down",),
    ),
    Bug(
        "charts",
        "every-day-has-its-name",
        COLUMNS,
        "    every = ceil((max(map(width_of, moments)) + BETWEEN) / room.pitch)\n",
        "    every = 1\n",
        (
            f"{TESTS}::test_no_label_lies_upon_another",
            f"{TESTS}::test_the_newest_day_always_has_its_name",
        ),
    ),
    Bug(
        "charts",
        "the-oldest-day-has-its-name",
        COLUMNS,
        "range((len(moments) - 1) % every, len(moments), every)",
        "range(0, len(moments), every)",
        (f"{TESTS}::test_the_newest_day_always_has_its_name",),
    ),
    Bug(
        "charts",
        "labels-lie-upon-what-goes-to-the-left",
        ROWS,
        "                left = _below(bar)\n",
        "                left = False\n",
        (f"{TESTS}::test_what_is_below_zero_goes_to_the_left", f"{TESTS}::test_no_label_lies_upon_another"),
    ),
    Bug(
        "charts",
        "chinese-is-as-narrow-as-english",
        AXIS,
        "2 if ord(character) >= WIDE_CHARACTER else 1",
        "1",
        (f"{TESTS}::test_a_chinese_character_takes_the_room_of_two_letters",),
    ),
    Bug(
        "charts",
        "nothing-is-an-empty-frame",
        AXIS,
        "[written(0, LINE, caption.nothing)]",
        "[]",
        (f"{TESTS}::test_nothing_to_draw_is_said_in_words",),
    ),
    Bug(
        "charts",
        "a-name-can-be-markup",
        AXIS,
        'text-anchor="{anchor}">{escape(text)}<',
        'text-anchor="{anchor}">{text}<',
        (f"{TESTS}::test_a_name_that_is_markup_stays_text",),
    ),
    Bug(
        "charts",
        "a-day-alone-is-as-wide-as-the-page",
        COLUMNS,
        "    width = min(COLUMN_MAX, room.pitch * 0.8 / len(series))\n",
        "    width = room.pitch * 0.8 / len(series)\n",
        (f"{TESTS}::test_one_day_is_one_column_with_its_date",),
    ),
    Bug(
        "charts",
        "a-month-without-claims-is-left-out",
        "cli/simulate/html_page.py",
        'format_month(date.fromisoformat(f"{shown[0]}-01") - timedelta(days=1))',
        "max(month for month in months if month < shown[0])",
        ("tests/contracts/test_simulate_command.py::test_a_month_without_claims_has_its_place_in_the_chart",),
    ),
)
