"""One service's store, broker, relay and server, assembled in order and drained in the reverse order."""
