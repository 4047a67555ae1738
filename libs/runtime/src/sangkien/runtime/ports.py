"""Ports of this machine."""

import atexit
import random
import socket
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack

RANGE = range(20_000, 32_000)
"""Below what systems give to outgoing connections (RFC 6335 §6 and Linux's own range): a port that a process needs
again after it was killed is not borrowed by somebody's connection meanwhile."""
_TRIES = 200
_MOST_CLAIMS = 256

_claims: deque[socket.socket] = deque()
"""Datagram sockets of the same numbers, kept while this process lives: who chose a port listens on it only later, and
again after every kill. Nothing is sent on them; the kernel keeps the list and clears it when a process dies."""


def free_ports(count: int, host: str = "127.0.0.1", among: range = RANGE) -> list[int]:
    """TCP ports of a host's address that nobody listens on, and that no other call gives, in any process here.

    They stay this process's until it ends, or has chosen 256 others. Raises OSError when there are not enough.
    """
    with ExitStack() as unless_enough:
        found: dict[int, socket.socket] = {}
        for port in random.sample(among, min(_TRIES, len(among))):
            claim, probe = (socket.socket(type=kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM))
            with probe:
                try:
                    claim.bind((host, port))
                    probe.bind((host, port))
                except OSError:
                    claim.close()
                    continue
            unless_enough.callback(claim.close)
            found[port] = claim
            if len(found) == count:
                unless_enough.pop_all()
                _keep(found.values())
                return list(found)
    raise OSError(f"no {count} free ports between {among.start} and {among.stop}")


def _keep(claims: Iterable[socket.socket]) -> None:
    _claims.extend(claims)
    while len(_claims) > _MOST_CLAIMS:
        _claims.popleft().close()


@atexit.register
def _let_go() -> None:
    while _claims:
        _claims.pop().close()
