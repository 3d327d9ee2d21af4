"""The hospital API for clients that don't speak Kafka. Whatever it acknowledges is in the ledger's inbox."""
