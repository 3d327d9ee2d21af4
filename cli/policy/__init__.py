"""`huzhu policy`: check, compare, publish, show."""
