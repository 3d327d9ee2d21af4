"""The ledger is the truth: facts, decisions, instructions, audit and offsets, written in one transaction per batch."""
