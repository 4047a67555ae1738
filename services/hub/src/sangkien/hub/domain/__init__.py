"""What a node may do at the hub, and what becomes of what it sends."""
