"""A node's own end of the federation: what it sends and receives, its chain, and the fate of each message."""
