"""What recognition decides: pure, without clock, store or network."""
