"""The demo: one district's year, driven through the services' public interfaces only."""
