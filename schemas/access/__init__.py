"""Who may do what: at the hospital API, in the console, in Kafka."""
