"""`huzhu simulate`: what the same facts would cost under other policies."""
