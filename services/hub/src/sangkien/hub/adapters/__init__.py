"""The hub's store, its links and its time-stamping authority."""
