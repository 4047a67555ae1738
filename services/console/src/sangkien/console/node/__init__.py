"""A node on one machine: its folder, its children, and how other commands find it."""
