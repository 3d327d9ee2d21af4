"""`huzhu explain`: one claim, for the person it belongs to."""
