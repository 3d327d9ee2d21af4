"""The console: pages for finance staff, rendered here, without JavaScript and without anything from elsewhere."""
