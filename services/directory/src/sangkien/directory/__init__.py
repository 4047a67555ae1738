"""Organisations as a dated tree, people, roles, sign-in and tokens. Personal data lives here and in intake alone."""
