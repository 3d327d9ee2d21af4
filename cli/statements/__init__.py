"""`huzhu statements`: what a treaty paid in a month, and what each of its insurers bears of it."""
