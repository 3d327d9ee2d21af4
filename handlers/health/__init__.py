"""Judging how an installation is, from what its ledger and its Kafka say."""
