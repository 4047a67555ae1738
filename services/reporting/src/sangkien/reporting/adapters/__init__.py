"""Reporting's store and its reading of events."""
