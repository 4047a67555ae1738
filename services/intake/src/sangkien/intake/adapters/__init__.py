"""How intake meets its store, the bus and the directory."""
