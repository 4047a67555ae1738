"""`python -m sangkien.chassis.probe HOST:PORT [NAME]`: is the service there ready? For health checks of containers.

Asks grpc.health.v1 for NAME: "ready" (the default) also asks what the service depends on, "" only whether it serves.
Exits 0 when the answer is SERVING, 1 when it is anything else or none came within the time, with one line on stderr.
The file needs nothing else of the chassis: a check every few seconds should run it by its path, which starts faster.
"""

import argparse
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_S = 4.0
"""Longer than a service gives its dependencies to answer, shorter than the check that runs this."""


def fault(target: str, name: str, timeout: float = TIMEOUT_S) -> str:
    """Why the service at the gRPC target is not well, "" when it is. `timeout` in seconds bounds the call."""
    with grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            request = health_pb2.HealthCheckRequest(service=name)
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout)
        except grpc.RpcError as error:
            return str(error.code().name)
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return ""
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def main() -> None:
    """Probe what the arguments name and exit."""
    parser = argparse.ArgumentParser(prog="python -m sangkien.chassis.probe")
    parser.add_argument("target", help="host:port or unix:/path")
    parser.add_argument(
        "name", nargs="?", default="ready", help='"ready" (default), "" or a service of the proto files'
    )
    chosen = parser.parse_args()
    found = fault(chosen.target, chosen.name)
    if found:
        sys.exit(f"{chosen.target}: {found}")


if __name__ == "__main__":
    main()
