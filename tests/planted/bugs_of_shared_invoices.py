"""Bugs of long and packed files in which an invoice is named in two encounters."""

from __future__ import annotations

from tests.planted.bug import Bug

GROUPS = "tests/properties/test_by_group.py"
EVERY_WAY = f"{GROUPS}::test_every_way_through_a_file_finds_the_same_claims_twice"
BEYOND = f"{GROUPS}::test_claims_twice_whose_amounts_fit_no_column_are_found"
PERSONS = "tests/properties/test_by_person.py"
RANDOM = f"{PERSONS}::test_person_by_person_is_as_one_book"
CITIES = "tests/properties/test_columns.py::test_columns_decide_random_cities_as_the_core_does"

BUGS = (
    Bug(
        "files",
        "an-invoice-of-one-person-is-not-twice-there",
        "handlers/offline/columns/shared_invoices.py",
        "(encounters[one] != encounters[other])",
        "(persons[one] != persons[other])",
        (f"{PERSONS}::test_an_invoice_of_one_persons_two_encounters_is_found",),
    ),
    Bug(
        "files",
        "usual-bills-name-no-invoice",
        "handlers/offline/columns/usual_lines.py",
        '"invoice_no": its.names("invoice_no", _TEXT_OR_NONE),',
        '"invoice_no": [None] * len(total),',
        (
            EVERY_WAY,
            RANDOM,
            "tests/properties/test_usual_lines.py::test_random_cases_are_read_alike",
        ),
    ),
    Bug(
        "files",
        "packed-accounts-forget-their-invoices",
        "handlers/offline/columns/packing.py",
        "Trace(self.invoices.get(claim_id, ()), ",
        "Trace((), ",
        (
            EVERY_WAY,
            RANDOM,
            CITIES,
        ),
    ),
    Bug(
        "files",
        "invoices-link-nobody-in-a-long-file",
        "cli/offline/by_person.py",
        "    linking = Linking(grouped, invoices)\n",
        "    linking = Linking(grouped, False)\n",
        (EVERY_WAY,),
    ),
    Bug(
        "files",
        "an-invoice-is-cut-between-row-groups",
        "cli/offline/packed_file.py",
        "linked_rows(table, BY_ANYTHING).any()",
        "linked_rows(table, BY_ANYTHING._replace(invoices=False)).any()",
        (f"{GROUPS}::test_whoever_shares_an_invoice_is_in_one_row_group",),
    ),
    Bug(
        "files",
        "columns-link-invoices-by-other-names",
        "handlers/offline/columns/column_groups.py",
        "pa.array(map(link_of, invoices.to_pylist()), pa.string())",
        "invoices",
        (BEYOND,),
    ),
)
