"""What reward does, one use case a module."""
