"""Reporting: its own journal of every event, and figures computed from it."""
