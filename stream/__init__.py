"""The Kafka side: the intake that takes ranges of events into the ledger, its Faust worker, and the relay."""
