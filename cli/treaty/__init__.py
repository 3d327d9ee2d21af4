"""`huzhu treaty`: check, compare, publish, show."""
