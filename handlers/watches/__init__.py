"""Watches: whose own payments add up so far that somebody should look (pure)."""
