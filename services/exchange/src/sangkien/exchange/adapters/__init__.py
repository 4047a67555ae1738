"""How the ports of exchange are kept: its store, the link, the contracts."""
