"""The audit log's arithmetic: chain, Merkle tree, and checking both."""
