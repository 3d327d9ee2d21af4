"""Posting, generating and replaying events."""
