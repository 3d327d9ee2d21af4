"""The hospital API: HTTP for those who do not speak Kafka. What is acknowledged here is in the ledger's inbox."""
