"""`huzhu books`: trial balance, journal, closing a month, export."""
