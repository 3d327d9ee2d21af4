"""`huzhu ledger`: whose the topics are."""
