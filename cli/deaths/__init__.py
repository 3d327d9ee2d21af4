"""`huzhu deaths`: funeral lists (殡葬名单)."""
