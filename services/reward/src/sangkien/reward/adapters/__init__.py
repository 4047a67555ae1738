"""Reward's ports on a store, on directory, on events and on paper."""
