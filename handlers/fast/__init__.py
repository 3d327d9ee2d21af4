"""Shorter ways to what the models of `schemas` do, each held to them by a property test; nothing here decides."""
