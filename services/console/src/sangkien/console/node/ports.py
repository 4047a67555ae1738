"""Ports of this machine."""

import random
import socket

_LOWEST, _HIGHEST = 20_000, 32_000
"""Below what systems give to outgoing connections (RFC 6335 §6 and Linux's own range): a port that a process needs
again after it was killed is not borrowed by somebody's connection meanwhile."""
_TRIES = 200


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Ports of a host's address that were all free at one moment: held together, so that none is given twice.

    Raises OSError when there are none.
    """
    held: list[socket.socket] = []
    try:
        for port in random.sample(range(_LOWEST, _HIGHEST), _TRIES):
            probe = socket.socket()
            try:
                probe.bind((host, port))
            except OSError:
                probe.close()
                continue
            held.append(probe)
            if len(held) == count:
                return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()
    raise OSError(f"no free ports between {_LOWEST} and {_HIGHEST}")
