"""Real servers on one machine, without Docker: Apache Kafka from its jars, PostgreSQL from a wheel.

The servers listen on 127.0.0.1 only, and nothing of them outlives the process that started them (see `guard`).
"""
