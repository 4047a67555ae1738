"""What a council may do and what follows from it: pure decisions, no I/O, no clock, no chance."""
