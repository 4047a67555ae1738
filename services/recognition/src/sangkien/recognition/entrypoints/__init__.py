"""How the world calls recognition."""
