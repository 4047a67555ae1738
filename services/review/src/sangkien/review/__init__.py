"""Councils, rounds, checks, assignments, score sheets, sessions, votes and minutes: a session is a legal act."""
