"""How reward is reached: gRPC and events."""
