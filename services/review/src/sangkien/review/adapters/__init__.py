"""Review's ports on real things: the store, the rules, directory, the typesetter."""
