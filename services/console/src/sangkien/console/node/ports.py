"""Ports of this machine."""

import random
import socket

_LOWEST, _HIGHEST = 20_000, 32_000
"""Below what systems give to outgoing connections (RFC 6335 §6 and Linux's own range), so that a port that has to be
the same after a restart is not borrowed meanwhile."""
_TRIES = 200


def free_ports(count: int) -> list[int]:
    """Ports that were all free at one moment: held together, so that none is given twice."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def lasting_ports(count: int, host: str) -> list[int]:
    """Free ports on a host's address that nothing else of the machine takes by chance later.

    Raises OSError when there are none.
    """
    found: list[int] = []
    for port in random.sample(range(_LOWEST, _HIGHEST), _TRIES):
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"no free ports between {_LOWEST} and {_HIGHEST}")
