"""What services say to each other: pydantic events on NATS and generated gRPC code.

This package owns the shapes on the wire and their names. It knows no service, no broker and no store.
Inside a version (`…v1`) changes are additive only; a breaking change is a new version beside the old one.
"""
