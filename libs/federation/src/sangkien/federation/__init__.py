"""Both ends of a link between nodes: accounts, certificates, server configurations, streams (ADR 0008)."""
