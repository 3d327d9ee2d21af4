"""A treaty and its file: which insurers bear what schemes pay."""
