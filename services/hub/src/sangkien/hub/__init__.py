"""The centre of the federation: the registry of nodes, the custody log, stamps, routing."""
