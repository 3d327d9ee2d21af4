"""From Kafka and the inbox into the ledger."""
