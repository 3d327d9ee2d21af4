"""The contract with other programs: JSON Schema, AsyncAPI, and what would break a reader."""
