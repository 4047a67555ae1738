"""How others reach directory."""
