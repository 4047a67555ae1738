"""How the hub is called, and what it does by itself."""
