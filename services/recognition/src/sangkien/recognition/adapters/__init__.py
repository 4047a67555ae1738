"""Recognition's store, events, directory and documents."""
