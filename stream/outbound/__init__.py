"""From the ledger's outbox to Kafka."""
