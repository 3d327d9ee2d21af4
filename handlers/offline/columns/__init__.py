"""Facts as columns, and what-if over them: the same results as `handlers.claims.adjudicate`, for many persons at once.

The slow twins are `handlers.claims.adjudicate` (for `vector_rules` and `usual`) and `handlers.offline.what_if.Tally`
(for `column_tally`). Whoever is not plainly usual goes to them; tests/properties/test_columns.py holds both together.
"""
