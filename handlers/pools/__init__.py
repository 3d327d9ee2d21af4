"""Pools of money (资金池): what they have, whom they pay when it is short, and the step that releases it."""
