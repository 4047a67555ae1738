"""What exchange decides: no clock, no chance, no input or output."""
