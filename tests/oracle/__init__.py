"""A second, separately derived calculator for claims, and the random cases to compare it on."""
