"""The books: which postings a movement makes, and what they add up to."""
