"""Bugs of how the pages look: in the dark, on a phone, on paper."""

from __future__ import annotations

from tests.planted.bug import Bug

SHEET = "web/console/static/console.css"
TABLES = "web/console/stacked_tables.py"
COLOURS = "tests/unit/test_page_colours.py"
STACKED = "tests/unit/test_stacked_tables.py"
LOOKS = "tests/web/test_console_looks.py"

BUGS = (
    Bug(
        "looks",
        "notes-are-faint-in-the-dark",
        SHEET,
        "--soft: #b0b0a8",
        "--soft: #5c5c55",
        (f"{COLOURS}::test_letters_and_shapes_stand_out",),
    ),
    Bug(
        "looks",
        "what-went-well-stays-white-in-the-dark",
        SHEET,
        "background: var(--well)",
        "background: #f0f5f0",
        (f"{COLOURS}::test_every_colour_is_a_variable",),
    ),
    Bug(
        "looks",
        "the-dark-is-printed",
        SHEET,
        "@media screen and (prefers-color-scheme: dark)",
        "@media (prefers-color-scheme: dark)",
        (f"{LOOKS}::test_it_is_dark_where_the_screen_is",),
    ),
    Bug(
        "looks",
        "a-total-stands-under-the-heading-before",
        TABLES,
        'for _ in range(spans.get("colspan", 1)):',
        "for _ in range(1):",
        (f"{STACKED}::test_a_cell_over_two_columns_pushes_the_others_on",),
    ),
    Bug(
        "looks",
        "a-member-with-two-memberships-moves-the-headings",
        TABLES,
        'spans.get("rowspan", 1)\n',
        "1\n",
        (f"{STACKED}::test_a_cell_over_two_rows_pushes_those_of_the_next_row_on",),
    ),
    Bug(
        "looks",
        "a-heading-ends-its-attribute",
        TABLES,
        """text.replace('"', "&quot;")""",
        "text",
        (f"{STACKED}::test_each_cell_gets_the_heading_of_its_column",),
    ),
    Bug(
        "looks",
        "every-table-is-a-list",
        TABLES,
        "COLUMNS_MIN = 4\n",
        "COLUMNS_MIN = 1\n",
        (f"{STACKED}::test_a_narrow_table_and_the_rest_of_the_page_stay_as_they_are",),
    ),
    Bug(
        "looks",
        "pages-forget-the-headings",
        "web/console/rendering.py",
        "return with_headings(environment.get_template(name).render(helpers | values))",
        "return environment.get_template(name).render(helpers | values)",
        (f"{LOOKS}::test_no_table_and_no_chart_is_cut_on_a_phone",),
    ),
    Bug(
        "looks",
        "a-claim-takes-two-sheets",
        SHEET,
        "  .two.sheet { display: grid; grid-template-columns: 2fr 3fr; }\n  .chart { max-width: 24rem; }\n",
        "  .chart { max-width: 40rem; }\n",
        (f"{LOOKS}::test_the_sheet_for_the_family",),
    ),
)
