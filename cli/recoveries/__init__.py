"""Recoveries: what is to be given back, and what need not."""
