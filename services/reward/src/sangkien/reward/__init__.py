"""Entitlements computed from dated rule sets, reward decisions and the payment ledger, in whole đồng."""
