"""Kafka administration: topics, access rules, secured connections."""
