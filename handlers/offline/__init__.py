"""Facts in memory, without a ledger: adjudication of files and what-if."""
