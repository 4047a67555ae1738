"""Use cases of intake, one module each, and the ports they need."""
