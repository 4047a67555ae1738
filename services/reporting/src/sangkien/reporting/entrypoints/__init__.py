"""Where events and calls come in."""
