"""Deaths that funeral lists know and no registry has recorded (殡葬名单)."""
