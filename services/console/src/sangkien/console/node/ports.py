"""Ports of this machine."""

import random
import socket
from contextlib import ExitStack

RANGE = range(20_000, 32_000)
"""Below what systems give to outgoing connections (RFC 6335 §6 and Linux's own range): a port that a process needs
again after it was killed is not borrowed by somebody's connection meanwhile."""
_TRIES = 200

_claims: list[socket.socket] = []
"""Datagram sockets of the same numbers, kept as long as this process lives: who chose a port listens on it only later,
and again after every kill. Nothing is sent on them; the kernel keeps the list and clears it when a process dies."""


def free_ports(count: int, host: str = "127.0.0.1", among: range = RANGE) -> list[int]:
    """TCP ports of a host's address that nobody listens on, and that no other call gives, in any process here.

    They stay this process's until it ends. Raises OSError when there are not enough.
    """
    found: list[int] = []
    with ExitStack() as held:
        for port in random.sample(among, min(_TRIES, len(among))):
            claim, probe = (socket.socket(type=kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM))
            with probe:
                try:
                    claim.bind((host, port))
                    probe.bind((host, port))
                except OSError:
                    claim.close()
                    continue
            held.callback(claim.close)
            _claims.append(claim)
            found.append(port)
            if len(found) == count:
                held.pop_all()
                return found
        del _claims[len(_claims) - len(found) :]
    raise OSError(f"no {count} free ports between {among.start} and {among.stop}")
