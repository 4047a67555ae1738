"""Which names promise personal data or secrets. What stands under such a name never reaches a log or a trace.

Personal data are names, birth dates, numbers of identity papers, addresses, telephone numbers and e-mail addresses of
people (Nghị định 13/2023/NĐ-CP, Điều 2).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

HIDDEN = "[hidden]"

_WORDS = frozenset(
    "name fullname surname email mail phone mobile telephone birth birthday birthdate dob address"
    " cccd cmnd passport password secret token authorization credential credentials body".split()
)
_HARMLESS = frozenset(
    {"service_name", "consumer_name", "stream_name", "method_name", "index_name", "rpc_method", "db.system.name"}
    | {"db.collection.name", "service.name", "messaging.destination.name", "error_name", "listen_address"}
)
_SPLIT = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.])(?:\+84|0)(?:[ .-]?\d){9,10}(?![\w.])")


@lru_cache(maxsize=4096)
def is_personal(key: str) -> bool:
    """True when the key's words say personal data or a secret: `author_name`, `user.email`, `birthDate`."""
    if key in _HARMLESS:
        return False
    return not _WORDS.isdisjoint(_SPLIT.split(_CAMEL.sub("_", str(key)).lower()))


def redacted(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same mapping where nothing is personal, else a copy with those values replaced, at any depth."""
    for key, value in values.items():
        if is_personal(key) or isinstance(value, (dict, list, tuple)):
            return {key: HIDDEN if is_personal(key) else _inside(value) for key, value in values.items()}
    return values


def scrubbed(text: str) -> str:
    """Free text of another library with e-mail addresses and Vietnamese telephone numbers taken out."""
    return _PHONE.sub(HIDDEN, _EMAIL.sub(HIDDEN, text))


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return redacted(value)
    if isinstance(value, (list, tuple)):
        return [_inside(item) for item in value]
    return value
