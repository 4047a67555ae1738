"""What the hub's operator hands to an organisation so that its node can join: one JSON text, good once."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sangkien.console.node.stopping import Stop

VERSION = 1
_ASK = "xin trung tâm gói mời mới · ask the hub for a new one: sangkien node invite … --again"


@dataclass(frozen=True, slots=True)
class Bundle:
    """An invitation. `text` is its exact JSON; `authority_pem` is all that proves the hub to the node."""

    text: str
    node: str
    name: str
    profile: str
    join: str
    """`host:port` of the hub's JoinService."""
    authority_pem: str
    secret: str
    expires_at: datetime

    @property
    def fingerprint(self) -> str:
        """Tells this invitation from every other, without its secret."""
        return sha256(self.text.encode()).hexdigest()

    def expired(self, now: datetime) -> bool:
        return now >= self.expires_at


def read_bundle(path: Path) -> Bundle:
    """The bundle in a file. Raises Stop: bundle_not_found, bundle_unreadable, bundle_newer."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise Stop("bundle_not_found", f"Không có tệp {path} · there is no such file") from error
    except (OSError, UnicodeError) as error:
        raise _unreadable(str(path)) from error
    return parse_bundle(text.strip(), str(path))


def parse_bundle(text: str, where: str) -> Bundle:
    """As `read_bundle`, of a text; `where` is named in errors."""
    try:
        raw: Any = json.loads(text)
        version = raw["v"]
        if isinstance(version, int) and version > VERSION:
            raise Stop(
                "bundle_newer",
                f"{where}: gói mời của phiên bản mới hơn ({version}) · of a newer version",
                "nâng cấp phần mềm rồi chạy lại · upgrade this software and run it again",
            )
        return Bundle(
            text=text,
            node=str(raw["node"]),
            name=str(raw["name"]),
            profile=str(raw["profile"]),
            join=str(raw["join"]),
            authority_pem=str(raw["authority_pem"]),
            secret=str(raw["secret"]),
            expires_at=datetime.fromisoformat(raw["expires_at"]).astimezone(UTC),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise _unreadable(where) from error


def _unreadable(where: str) -> Stop:
    return Stop(
        "bundle_unreadable",
        f"{where}: không phải gói mời, hoặc đã bị cắt · not an invitation's bundle, or cut short",
        f"chép lại nguyên tệp, hoặc {_ASK}",
    )


def expired(bundle: Bundle) -> Stop:
    """What to say of one that came too late."""
    return Stop(
        "bundle_expired",
        f"Gói mời của {bundle.node} hết hạn lúc {bundle.expires_at.isoformat(timespec='minutes')} · it has expired",
        _ASK,
    )
