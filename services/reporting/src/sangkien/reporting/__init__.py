"""A journal of every event and the read models rebuilt from it."""
