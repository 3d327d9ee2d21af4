"""Where Kafka and PostgreSQL come from: the environment, Docker, or this machine."""
