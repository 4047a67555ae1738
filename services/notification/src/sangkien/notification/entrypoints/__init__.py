"""How events and callers reach notification."""
