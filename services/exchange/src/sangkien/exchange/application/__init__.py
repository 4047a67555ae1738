"""Use cases of exchange, and the ports they reach the world through."""
