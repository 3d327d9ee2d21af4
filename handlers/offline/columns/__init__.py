"""Facts as columns, and what-if over them: the same results as line by line and claim by claim, for many at once.

Each fast way has a slow twin, to which it leaves whatever is not plainly usual, and a test that holds both together:

- reading, `usual_lines`: `handlers.claims.read` (tests/properties/test_usual_lines.py);
- sorting by person, `gathering`, `rivals`: `handlers.offline.book`, `packing` (tests/properties/test_by_person.py);
- finding who is decided together, `column_groups`, `shared_invoices`: `handlers.offline.groups`
  (tests/properties/test_by_group.py);
- deciding, `vector_rules` and `usual`: `handlers.claims.adjudicate` (tests/properties/test_columns.py);
- adding up, `column_tally`: `handlers.offline.what_if.Tally` (the same test).
"""
