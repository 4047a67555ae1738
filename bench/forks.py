"""Imported before gRPC by a benchmark that starts servers while gRPC's threads run: forks are none of its business."""

import os

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
