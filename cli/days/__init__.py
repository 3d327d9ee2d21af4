"""`huzhu day`: closing days (日终)."""
