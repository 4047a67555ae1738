"""What crosses between nodes, so that it can be trusted later: seals, chains, the custody log, stamps, proofs (ADR 0008)."""
