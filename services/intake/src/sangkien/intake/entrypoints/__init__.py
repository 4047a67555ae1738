"""What reaches intake from outside: calls and events."""
