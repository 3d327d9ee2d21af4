"""`huzhu pools`: pools of money (资金池), what they have, and who waits for it."""
