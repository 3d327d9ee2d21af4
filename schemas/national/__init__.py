"""A facility's mapping of the national settlement list, its file, and its refusals."""
