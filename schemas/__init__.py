"""What crosses a border: facts, decisions, instructions, audit entries, refusals, policy files, money, topics.

Imports pydantic and the standard library only, so that any other program can depend on this package alone.
"""
