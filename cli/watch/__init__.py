"""`huzhu watch` and `huzhu watches`: for whom a policy looks."""
