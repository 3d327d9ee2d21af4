"""Bugs of what is installed, and of the files that run it."""

from __future__ import annotations

from tests.planted.bug import Bug

EXTRAS = "tests/unit/test_extras.py"

BUGS = (
    Bug(
        "deployment",
        "the-list-of-commands-needs-arrow",
        "cli/main.py",
        "    if sentence is None:\n        raise error\n",
        "    raise error\n",
        (f"{EXTRAS}::test_all_commands_are_listed_without_extras",),
    ),
    Bug(
        "deployment",
        "exports-load-arrow-at-their-start",
        "infra/files/export_files.py",
        "import xlsxwriter\n",
        "import pyarrow  # noqa: F401\nimport xlsxwriter\n",
        (f"{EXTRAS}::test_exports_offer_parquet_only_with_its_extra",),
    ),
    Bug(
        "deployment",
        "a-missing-extra-is-a-bug-of-ours",
        "cli/terminal/last_resort.py",
        "    if sentence := missing_extra(error):\n        return sentence, UNUSABLE\n",
        "",
        (f"{EXTRAS}::test_a_report_with_charts_says_which_extra_it_needs_before_it_decides_anything",),
    ),
    Bug(
        "deployment",
        "pages-draw-whatever-is-installed",
        "web/console/charts.py",
        "sort_keys=True))) if DRAWN else None",
        "sort_keys=True)))",
        (f"{EXTRAS}::test_without_its_extra_a_page_has_no_chart",),
    ),
)
