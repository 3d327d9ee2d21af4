"""Watches and their file: for whom a policy looks (主动发现, 政策找人)."""
