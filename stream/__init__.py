"""The Kafka side: `inbound` brings events into the ledger, `outbound` brings its messages to Kafka."""
