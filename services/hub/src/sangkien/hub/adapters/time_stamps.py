"""An outside time-stamping authority over HTTP (RFC 3161 §3.4)."""

import asyncio
import urllib.error
import urllib.request
from http.client import HTTPException

from sangkien.custody import TimestampBroken, timestamp_request, timestamp_token
from sangkien.hub.application.ports import Away

_TIMEOUT_S = 15.0
_MOST_BYTES = 64 * 1024


class HttpTimeStamps:
    """Asks the authority at `url`; "" asks nobody and answers no token."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __call__(self, stamp: str) -> bytes:
        """The token over the stamp. Raises Away."""
        if not self._url:
            return b""
        try:
            return timestamp_token(await asyncio.to_thread(self._post, timestamp_request(stamp)), stamp)
        except (TimestampBroken, OSError, HTTPException) as error:
            raise Away(f"time_stamps: {type(error).__name__}") from error

    def _post(self, query: bytes) -> bytes:
        request = urllib.request.Request(  # noqa: S310 (the settings take http and https only)
            self._url, data=query, headers={"Content-Type": "application/timestamp-query"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            found: bytes = answer.read(_MOST_BYTES)
        return found
