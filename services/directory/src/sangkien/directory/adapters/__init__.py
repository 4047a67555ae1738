"""Directory's ties to the store, to events, to files and to the hash of passwords."""
