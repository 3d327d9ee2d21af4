"""The outside world: settings, the ledger (PostgreSQL), topics (Kafka administration), local parts for one machine."""
