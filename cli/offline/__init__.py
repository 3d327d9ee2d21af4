"""Adjudicating files without a ledger, on all cores, in bounded memory."""
