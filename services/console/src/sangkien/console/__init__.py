"""The `sangkien` command: a node on one machine, the demo, imports and operations."""
