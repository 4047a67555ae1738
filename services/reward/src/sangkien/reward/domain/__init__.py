"""What decides: decisions, entitlements, the ledger. No I/O, no clock."""
