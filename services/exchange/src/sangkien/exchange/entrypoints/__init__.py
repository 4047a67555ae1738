"""How exchange is reached: gRPC, events of this node, and its own loops."""
