"""`huzhu holds`: claims that may be there twice (票据衔接), and their release by two people."""
