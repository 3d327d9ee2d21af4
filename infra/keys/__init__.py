"""Keys: Ed25519 for checkpoints, AES-GCM for personal data."""
