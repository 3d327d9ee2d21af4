"""`huzhu demo`: the whole system on this machine."""
