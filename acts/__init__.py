"""Acts on the ledger, one file each: what events, operators and staff make it do, in one transaction."""
