"""`huzhu treaty`: check, compare, show."""
