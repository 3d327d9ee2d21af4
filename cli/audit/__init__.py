"""`huzhu audit`: what the audit log says, and proof of it."""
