"""`huzhu payouts` and `huzhu reconcile`: what became of the money."""
