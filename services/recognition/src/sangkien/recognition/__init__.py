"""Decisions and their number registers, the register of recognised initiatives, and certificates."""
