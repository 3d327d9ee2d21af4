"""Real servers on one machine, without Docker: Apache Kafka from its jars, PostgreSQL from a wheel.

A part listens on 127.0.0.1 only, and nothing of it outlives the process that started it (see `guard`).
"""
