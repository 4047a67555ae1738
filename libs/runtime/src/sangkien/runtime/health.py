"""What a service depends on, and whether it answers now."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

Ping = Callable[[], Awaitable[object]]

_log = structlog.get_logger("sangkien.runtime.health")


class Health:
    """Probes by name. A dependency is well when its ping returns within `timeout` seconds without raising."""

    def __init__(self, *, timeout: float = 2.0) -> None:
        self._pings: dict[str, Ping] = {}
        self._timeout = timeout

    def register(self, name: str, ping: Ping) -> None:
        """Add a dependency. Raises `ValueError` for a name already taken: two probes would hide one another."""
        if name in self._pings:
            raise ValueError(f"a health check named {name} exists already")
        self._pings[name] = ping

    async def check(self) -> dict[str, bool]:
        """Ask every dependency, all at once. Never raises."""
        answers = await asyncio.gather(*(self._answers(name, ping) for name, ping in self._pings.items()))
        return dict(zip(self._pings, answers, strict=True))

    async def _answers(self, name: str, ping: Ping) -> bool:
        try:
            async with asyncio.timeout(self._timeout):
                await ping()
        except Exception as error:  # noqa: BLE001 (any failure of a dependency is the answer "not well")
            _log.warning("dependency_unwell", dependency=name, error_type=type(error).__name__)
            return False
        return True
