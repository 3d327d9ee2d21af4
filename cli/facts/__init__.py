"""`huzhu facts`: files of facts."""
